import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { OAuth2Server } from 'oauth2-mock-server';

import { assertAccepted, assertNotRenewed, assertRefused, assertRenewed, connectUntil, headerOf, tampered } from '../lib/client.js';
import { Server } from '../lib/server.js';

const AUDIENCE = 'https://chat.example';

/** The algorithms of the mock server's keys. */
const ALGORITHMS = [
  'RS256', 'RS384', 'RS512',
  'PS256', 'PS384', 'PS512',
  'ES256', 'ES384', 'ES512',
  'EdDSA', 'Ed25519',
];

async function startIssuer(test, ...algorithms) {
  const issuer = new OAuth2Server();
  for (const alg of algorithms) await issuer.issuer.keys.generate(alg);
  await issuer.start(undefined, '127.0.0.1');
  test.after(() => issuer.stop());
  return issuer;
}

async function start(test, ...algorithms) {
  const issuer = await startIssuer(test, ...algorithms);
  const server = await Server.start(test, settings(issuer, algorithms));
  return { issuer, server, url: issuer.issuer.url };
}

const settings = (issuer, algorithms) => ({ oidc_issuer: issuer.issuer.url, algorithms, audience: AUDIENCE });

/** A token as the mock server signs it: the key is the next of its keys, unless `kid` names one. */
const token = (issuer, { claims, kid, expiresIn } = {}) =>
  issuer.issuer.buildToken({
    kid,
    expiresIn,
    scopesOrTransform: (_, payload) => Object.assign(payload, { sub: 'ada', aud: AUDIENCE, ...claims }),
  });

describe('oauth2-mock-server', () => {
  for (const alg of ALGORITHMS) {
    test(`a token signed with ${alg} is accepted`, async (t) => {
      const { issuer, server, url } = await start(t, alg);
      const ada = await token(issuer);
      assert.equal(headerOf(ada).alg, alg);
      await assertAccepted(t, server, ada, 'ada', url);
      await assertRefused(t, server, tampered(ada, { sub: 'admin' }), 'token_signature_invalid');
    });
  }

  test('keys of many kinds in one set are told apart', async (t) => {
    const { issuer, server, url } = await start(t, 'RS256', 'PS256', 'ES256', 'ES384', 'EdDSA');
    for (const { alg, kid } of issuer.issuer.keys.toJSON()) {
      const ada = await token(issuer, { kid });
      assert.equal(headerOf(ada).alg, alg);
      await assertAccepted(t, server, ada, 'ada', url);
    }
  });

  test('a key that is added later is found', async (t) => {
    const { issuer, server, url } = await start(t, 'ES256');
    const socket = await assertAccepted(t, server, await token(issuer), 'ada', url);
    const { kid } = await issuer.issuer.keys.generate('ES256');
    await assertRenewed(server, socket, await token(issuer, { kid }));
    await assertNotRenewed(server, socket, await token(issuer, { claims: { sub: 'grace' } }), 'subject_mismatch');
  });

  test('a token from the token endpoint is accepted', async (t) => {
    const { issuer, server, url } = await start(t, 'RS256');
    issuer.service.on('beforeTokenSigning', ({ payload }) => {
      payload.aud = AUDIENCE;
    });
    const response = await fetch(`${url}/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'password', username: 'ada', password: 'of ada', scope: 'chat' }),
    });
    const { access_token } = await response.json();
    await assertAccepted(t, server, access_token, 'ada', url);
  });

  test('a token that has expired, is not valid yet, or is for others is refused', async (t) => {
    const { issuer, server } = await start(t, 'ES256');
    const later = Math.floor(Date.now() / 1000) + 90;
    await assertRefused(t, server, await token(issuer, { expiresIn: -90 }), 'token_expired');
    await assertRefused(t, server, await token(issuer, { claims: { nbf: later } }), 'token_not_yet_valid');
    await assertRefused(t, server, await token(issuer, { claims: { exp: undefined } }), 'token_claim_missing');
    await assertRefused(t, server, await token(issuer, { claims: { aud: 'mail' } }), 'token_audience_invalid');
    await assertRefused(t, server, await token(issuer, { claims: { iss: 'https://mail.example' } }), 'token_issuer_invalid');
    await assertRefused(t, server, await token(issuer, { claims: { sub: undefined } }), 'token_claims_invalid');
  });

  test('keys are unavailable while the issuer is down', async (t) => {
    const { issuer, server, url } = await start(t, 'ES256');
    const ada = await token(issuer);
    await issuer.stop();
    const { port } = new URL(url);
    await assertRefused(t, server, ada, 'keys_unavailable');
    await issuer.start(Number(port), '127.0.0.1');
    await connectUntil(t, server, ada, (code) => code === undefined);
  });
});
