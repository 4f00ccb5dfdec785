import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';

import jwt from '@nestjs/jwt';

import { ask, assertAccepted, assertNotRenewed, assertRefused, assertRenewed, tampered } from '../lib/client.js';
import { BetterAuth } from '../lib/better-auth.js';
import { AUDIENCE, OidcProvider, newKey } from '../lib/oidc-provider.js';
import { Server } from '../lib/server.js';

/** One server for two kinds of issuers, and a program's token of each. */
async function start(test) {
  const provider = await OidcProvider.start(test, [await newKey('ES256')]);
  const betterAuth = await BetterAuth.start(test);
  const server = await Server.start(test, {
    audience: AUDIENCE,
    issuers: [
      { name: provider.url, algorithms: ['ES256'] },
      { name: betterAuth.url, jwks_url: betterAuth.jwksUrl, algorithms: ['EdDSA'] },
    ],
  });
  return { provider, betterAuth, server };
}

describe('several issuers', () => {
  test('tokens of both are accepted, as users of their issuer', async (t) => {
    const { provider, betterAuth, server } = await start(t);
    const { access_token: token } = await provider.userTokens('ada');
    await assertAccepted(t, server, token, 'ada', provider.url);
    const ada = await betterAuth.signUp('ada');
    await assertAccepted(t, server, await betterAuth.token(ada), ada.id, betterAuth.url);
  });

  test('the keys of one never verify a token in the name of the other', async (t) => {
    const { provider, betterAuth, server } = await start(t);
    const own = await betterAuth.sign({ sub: 'ada' });
    await assertAccepted(t, server, own, 'ada', betterAuth.url);
    // Signed by the second issuer, which is free to write what it likes.
    const crossed = await betterAuth.sign({ sub: 'ada', iss: provider.url });
    await assertRefused(t, server, crossed, 'token_algorithm_not_allowed');
    await assertRefused(t, server, tampered(own, { iss: provider.url }), 'token_algorithm_not_allowed');
    assert.equal(provider.keyRequests, 0);
  });

  test('two providers with the same algorithm are told apart by `iss` alone', async (t) => {
    const providers = [];
    for (const kid of ['1', '1']) providers.push(await OidcProvider.start(t, [{ ...(await newKey('ES256')), kid }]));
    const [first, second] = providers;
    const server = await Server.start(t, {
      audience: AUDIENCE,
      algorithms: ['ES256'],
      issuers: providers.map(({ url }) => ({ name: url })),
    });
    await assertAccepted(t, server, await first.programToken(), 'robot', first.url);
    const token = await second.programToken();
    await assertAccepted(t, server, token, 'robot', second.url);
    // The key id is that of a key of the first provider, whose signature it is not.
    await assertRefused(t, server, tampered(token, { iss: first.url }), 'token_signature_invalid');
  });

  test('a key id of one in the name of the other is unknown', async (t) => {
    const first = await OidcProvider.start(t, [await newKey('ES256')]);
    const second = await OidcProvider.start(t, [await newKey('ES256')]);
    const settings = { audience: AUDIENCE, algorithms: ['ES256'], issuers: [{ name: first.url }, { name: second.url }] };
    const server = await Server.start(t, settings);
    const token = await second.programToken();
    await assertAccepted(t, server, token, 'robot', second.url);
    await assertRefused(t, server, tampered(token, { iss: first.url }), 'token_key_unknown');
  });

  test('an issuer that is not in the list is refused without a request', async (t) => {
    const { provider, betterAuth, server } = await start(t);
    const foreign = await OidcProvider.start(t, [await newKey('ES256')]);
    await assertRefused(t, server, await foreign.programToken(), 'token_issuer_invalid');
    await assertRefused(t, server, await betterAuth.sign({ sub: 'ada', iss: `${provider.url}/` }), 'token_issuer_invalid');
    assert.deepEqual([provider.keyRequests, foreign.keyRequests], [0, 0]);
  });

  test('a socket is renewed by its own issuer only', async (t) => {
    const { provider, betterAuth, server } = await start(t);
    const { access_token: token } = await provider.userTokens('ada');
    const socket = await assertAccepted(t, server, token, 'ada', provider.url);
    await assertNotRenewed(server, socket, await betterAuth.sign({ sub: 'ada' }), 'subject_mismatch');
    const { access_token: newer } = await provider.userTokens('ada');
    await assertRenewed(server, socket, newer);
    assert.deepEqual(await ask(socket, 'whoami'), { user: 'ada', issuer: provider.url });
  });

  test('the keys of each rotate on their own', async (t) => {
    const { provider, betterAuth, server } = await start(t);
    const socket = await assertAccepted(t, server, await provider.programToken(), 'robot', provider.url);
    const other = await assertAccepted(t, server, await betterAuth.sign({ sub: 'ada' }), 'ada', betterAuth.url);
    await provider.restart([await newKey('ES256')]);
    await assertRenewed(server, socket, await provider.programToken());
    await assertRenewed(server, other, await betterAuth.sign({ sub: 'ada' }));
    assert.equal(provider.keyRequests, 2);
  });

  test('old tokens of a secret and new ones of a provider are accepted together', async (t) => {
    const provider = await OidcProvider.start(t, [await newKey('RS256')]);
    const secret = randomBytes(48).toString('base64url');
    const server = await Server.start(t, {
      audience: AUDIENCE,
      issuers: [
        { name: provider.url, algorithms: ['RS256'] },
        { name: 'old', secret, algorithms: ['HS256'] },
      ],
    });
    const old = (issuer) => new jwt.JwtService({ secret, signOptions: { issuer, audience: AUDIENCE, expiresIn: '5m' } });
    await assertAccepted(t, server, await provider.programToken(), 'robot', provider.url);
    await assertAccepted(t, server, await old('old').signAsync({ sub: '7' }), '7', 'old');
    const crossed = await old(provider.url).signAsync({ sub: '7' });
    await assertRefused(t, server, crossed, 'token_algorithm_not_allowed');
  });

  test('while one is down, tokens of the other are accepted', async (t) => {
    const { provider, betterAuth, server } = await start(t);
    const token = await provider.programToken();
    await provider.stop();
    await assertRefused(t, server, token, 'keys_unavailable');
    await assertAccepted(t, server, await betterAuth.sign({ sub: 'ada' }), 'ada', betterAuth.url);
  });
});
