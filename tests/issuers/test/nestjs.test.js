import 'reflect-metadata';

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';

import jwt from '@nestjs/jwt';

import { assertAccepted, assertNotRenewed, assertRefused, assertRenewed, claimsOf, tampered } from '../lib/client.js';
import { Server } from '../lib/server.js';

const SECRET = randomBytes(48).toString('base64url');

/** The service of NestJS's guide: a secret, and a user's id as `sub`. */
const service = new jwt.JwtService({ secret: SECRET, signOptions: { expiresIn: '5m' } });
const foreign = new jwt.JwtService({ secret: randomBytes(48).toString('base64url'), signOptions: { expiresIn: '5m' } });

const start = (test, settings) => Server.start(test, { secret: SECRET, algorithms: ['HS256'], ...settings });

describe('@nestjs/jwt', () => {
  test('a token whose `sub` is a string is accepted', async (t) => {
    const server = await start(t);
    const token = await service.signAsync({ sub: '7', username: 'ada' });
    await assertAccepted(t, server, token, '7', null);
    await assertRefused(t, server, tampered(token, { sub: '1' }), 'token_signature_invalid');
  });

  test('a numeric `sub` is refused by default, and the log says what to set', async (t) => {
    const server = await start(t);
    await assertRefused(t, server, await service.signAsync({ sub: 7, username: 'ada' }), 'token_claims_invalid');
    await server.logged(/numeric_subject/);
  });

  test('a numeric `sub` is the user of these digits with `numeric_subject`', async (t) => {
    const server = await start(t, { numeric_subject: true });
    const token = await service.signAsync({ sub: 7, username: 'ada' });
    assert.equal(claimsOf(token).sub, 7);
    const socket = await assertAccepted(t, server, token, '7', null);

    await assertRenewed(server, socket, await service.signAsync({ sub: 7 }, { expiresIn: '10m' }));
    await assertRenewed(server, socket, await service.signAsync({ sub: '7' }, { expiresIn: '15m' }));
    await assertNotRenewed(server, socket, await service.signAsync({ sub: 70 }), 'subject_mismatch');
  });

  test('a number that is no integer is not a user, even with `numeric_subject`', async (t) => {
    const server = await start(t, { numeric_subject: true });
    await assertRefused(t, server, await service.signAsync({ sub: 7.5 }), 'token_claims_invalid');
  });

  test('a token of another secret, or one that has expired or never does, is refused', async (t) => {
    const server = await start(t);
    await assertRefused(t, server, await foreign.signAsync({ sub: '7' }), 'token_signature_invalid');
    await assertRefused(t, server, await service.signAsync({ sub: '7' }, { expiresIn: -90 }), 'token_expired');
    const endless = new jwt.JwtService({ secret: SECRET });
    await assertRefused(t, server, await endless.signAsync({ sub: '7' }), 'token_claim_missing');
  });

  test('an access token is told from a refresh token of the same secret by its audience', async (t) => {
    const server = await start(t, { audience: 'chat' });
    await assertAccepted(t, server, await service.signAsync({ sub: '7' }, { audience: 'chat' }), '7', null);
    const refresh = await service.signAsync({ sub: '7' }, { audience: 'refresh', expiresIn: '7d' });
    await assertRefused(t, server, refresh, 'token_audience_invalid');
  });
});
