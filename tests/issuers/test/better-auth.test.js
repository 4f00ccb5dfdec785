import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import {
  ask, assertAccepted, assertNotRenewed, assertRefused, assertRenewed, claimsOf, headerOf, tampered,
} from '../lib/client.js';
import { BetterAuth } from '../lib/better-auth.js';
import { Server } from '../lib/server.js';

/** The algorithms of the plugin. */
const ALGORITHMS = ['EdDSA', 'ES256', 'ES512', 'PS256', 'RS256'];

const now = () => Math.floor(Date.now() / 1000);

async function start(test, options) {
  const issuer = await BetterAuth.start(test, options);
  const server = await Server.start(test, issuer.settings());
  return { issuer, server, ada: await issuer.signUp('ada') };
}

describe('better-auth', () => {
  for (const alg of ALGORITHMS) {
    test(`a user's token, signed with ${alg}, is accepted`, async (t) => {
      const issuer = await BetterAuth.start(t, { jwks: { keyPairConfig: { alg } } });
      const server = await Server.start(t, issuer.settings([alg]));
      const ada = await issuer.signUp('ada');
      const token = await issuer.token(ada);
      assert.equal(headerOf(token).alg, alg);
      await assertAccepted(t, server, token, ada.id, issuer.url);
      await assertRefused(t, server, tampered(token, { sub: 'admin' }), 'token_signature_invalid');
    });
  }

  test('the default is EdDSA, and names neither `typ` nor the use of its key', async (t) => {
    const { issuer, server, ada } = await start(t);
    const token = await issuer.token(ada);
    assert.deepEqual(Object.keys(headerOf(token)).sort(), ['alg', 'kid']);
    assert.equal(headerOf(token).alg, 'EdDSA');
    const [key] = await issuer.keys();
    assert.deepEqual({ alg: key.alg, crv: key.crv, use: key.use }, { alg: 'EdDSA', crv: 'Ed25519', use: undefined });
    await assertAccepted(t, server, token, ada.id, issuer.url);
  });

  test('a new token of the same session renews the socket, a token of another user does not', async (t) => {
    const { issuer, server, ada } = await start(t);
    const socket = await assertAccepted(t, server, await issuer.token(ada), ada.id, issuer.url);
    await assertRenewed(server, socket, await issuer.token(ada));
    await assertNotRenewed(server, socket, await issuer.token(await issuer.signUp('grace')), 'subject_mismatch');
    assert.deepEqual(await ask(socket, 'whoami'), { user: ada.id, issuer: issuer.url });
  });

  test('its keys rotate while a socket is open', async (t) => {
    const { issuer, server, ada } = await start(t, { jwks: { rotationInterval: 1 } });
    const token = await issuer.token(ada);
    const socket = await assertAccepted(t, server, token, ada.id, issuer.url);
    const newer = await tokenOfNextKey(issuer, ada, headerOf(token).kid);

    await assertRenewed(server, socket, newer);
    await assertAccepted(t, server, newer, ada.id, issuer.url);
    // Within the grace period the old key is still published.
    await assertAccepted(t, server, token, ada.id, issuer.url);
  });

  test('a key is refused after its grace period, and its open sessions go on', async (t) => {
    const { issuer, server, ada } = await start(t, { jwks: { rotationInterval: 1, gracePeriod: 0 } });
    const token = await issuer.token(ada);
    const socket = await assertAccepted(t, server, token, ada.id, issuer.url);
    const newer = await tokenOfNextKey(issuer, ada, headerOf(token).kid);

    await assertAccepted(t, server, newer, ada.id, issuer.url);
    await assertRefused(t, server, token, 'token_key_unknown');
    assert.deepEqual(await ask(socket, 'whoami'), { user: ada.id, issuer: issuer.url });
  });

  test('a token that has expired, is not valid yet, or is for others is refused', async (t) => {
    const { issuer, server } = await start(t);
    const token = (claims) => issuer.sign({ sub: 'ada', iat: now(), ...claims });
    await assertAccepted(t, server, await token({}), 'ada', issuer.url);
    await assertRefused(t, server, await token({ exp: now() - 90 }), 'token_expired');
    await assertRefused(t, server, await token({ nbf: now() + 90 }), 'token_not_yet_valid');
    await assertRefused(t, server, await token({ aud: 'https://mail.example' }), 'token_audience_invalid');
    await assertRefused(t, server, await token({ iss: 'https://issuer.example' }), 'token_issuer_invalid');
  });

  test('a token of another installation is refused', async (t) => {
    const { server } = await start(t);
    const foreign = await BetterAuth.start(t);
    const token = await foreign.token(await foreign.signUp('ada'));
    await assertRefused(t, server, token, 'token_key_unknown');
  });

  test('the session itself is not a JWT', async (t) => {
    const { server, ada } = await start(t);
    await assertRefused(t, server, ada.session, 'token_malformed');
  });
});

/** Asks for tokens until the next key signs one. */
async function tokenOfNextKey(issuer, user, kid) {
  for (;;) {
    const token = await issuer.token(user);
    if (headerOf(token).kid !== kid) return token;
    assert.ok(claimsOf(token).exp > now(), 'no other key has signed a token');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
