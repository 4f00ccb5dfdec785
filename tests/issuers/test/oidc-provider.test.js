import assert from 'node:assert/strict';
import { generateKeyPair } from 'node:crypto';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';

import { SignJWT } from 'jose';

import {
  ask, assertAccepted, assertNotRenewed, assertRefused, assertRenewed, claimsOf, ended, headerOf, tampered,
} from '../lib/client.js';
import { ALGORITHMS, OidcProvider, newKey } from '../lib/oidc-provider.js';
import { Server } from '../lib/server.js';

/** A provider with one key, and a server that accepts its access tokens. */
async function start(test, alg = 'RS256', { provider: options, server: settings } = {}) {
  const provider = await OidcProvider.start(test, [await newKey(alg)], options);
  const server = await Server.start(test, provider.settings([alg], settings));
  return { provider, server };
}

describe('oidc-provider', () => {
  for (const alg of ALGORITHMS) {
    test(`an access token of a program, signed with ${alg}, is accepted`, async (t) => {
      const { provider, server } = await start(t, alg);
      const token = await provider.programToken();
      assert.equal(headerOf(token).alg, alg);
      assert.equal(headerOf(token).typ, 'at+jwt');
      await assertAccepted(t, server, token, 'robot', provider.url);
      await assertRefused(t, server, tampered(token, { sub: 'admin' }), 'token_signature_invalid');
    });
  }

  test('an access token of a user is accepted, and renewed on the open socket', async (t) => {
    const { provider, server } = await start(t);
    const { access_token: token } = await provider.userTokens('ada');
    assert.equal(claimsOf(token).client_id, 'web');
    const socket = await assertAccepted(t, server, token, 'ada', provider.url);

    const { access_token: newer } = await provider.userTokens('ada');
    await assertRenewed(server, socket, newer);
    const { access_token: other } = await provider.userTokens('grace');
    await assertNotRenewed(server, socket, other, 'subject_mismatch');
    assert.deepEqual(await ask(socket, 'whoami'), { user: 'ada', issuer: provider.url });
  });

  test('an id token is for the application, not for the server', async (t) => {
    const { provider, server } = await start(t);
    const { id_token: token } = await provider.userTokens('ada');
    assert.equal(claimsOf(token).aud, 'web');
    await assertRefused(t, server, token, 'token_audience_invalid');
  });

  test('an id token is accepted by the server of the application itself', async (t) => {
    const { provider, server } = await start(t, 'ES256', { server: { audience: 'web' } });
    const { id_token: token } = await provider.userTokens('ada');
    await assertAccepted(t, server, token, 'ada', provider.url);
  });

  test('an id token is refused where an access token is demanded', async (t) => {
    // An application that is its own server, so that both tokens have its name as audience.
    const { provider, server } = await start(t, 'ES256', {
      provider: { audience: 'web' },
      server: { audience: 'web', token_type: 'at+jwt' },
    });
    const tokens = await provider.userTokens('ada');
    assert.deepEqual([claimsOf(tokens.id_token).aud, claimsOf(tokens.access_token).aud], ['web', 'web']);
    await assertRefused(t, server, tokens.id_token, 'token_claims_invalid');
    const socket = await assertAccepted(t, server, tokens.access_token, 'ada', provider.url);
    await assertNotRenewed(server, socket, tokens.id_token, 'token_claims_invalid');
  });

  for (const [signed, allowed] of [['Ed25519', 'EdDSA'], ['EdDSA', 'Ed25519']]) {
    test(`a token signed with ${signed} is accepted by a server that allows ${allowed}`, async (t) => {
      const provider = await OidcProvider.start(t, [await newKey(signed)]);
      const server = await Server.start(t, provider.settings([allowed]));
      await assertAccepted(t, server, await provider.programToken(), 'robot', provider.url);
    });
  }

  test('an access token for another server is refused', async (t) => {
    const { provider, server } = await start(t, 'ES256', { provider: { audience: 'https://mail.example' } });
    await assertRefused(t, server, await provider.programToken(), 'token_audience_invalid');
  });

  test('a token with an audience is refused by a server without one, and the log says what to set', async (t) => {
    const { provider, server } = await start(t, 'ES256', { server: { audience: undefined } });
    await assertRefused(t, server, await provider.programToken(), 'token_audience_invalid');
    await server.logged(/set `audience`/);
    await server.logged(/https:\/\/chat\.example/);
  });

  test('an opaque access token is malformed', async (t) => {
    const { provider, server } = await start(t, 'ES256');
    const { access_token: token } = await provider.userTokens('ada', null);
    assert.ok(!token.includes('.'));
    await assertRefused(t, server, token, 'token_malformed');
  });

  test('an encrypted access token is malformed', async (t) => {
    const { publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
    const encryption = { alg: 'RSA-OAEP-256', enc: 'A256GCM', key: publicKey };
    const { provider, server } = await start(t, 'ES256', { provider: { encryption } });
    const token = await provider.programToken();
    assert.equal(token.split('.').length, 5);
    await assertRefused(t, server, token, 'token_malformed');
  });

  test('a token of another provider is refused, whatever issuer it claims', async (t) => {
    const { provider, server } = await start(t, 'ES256');
    const foreign = await OidcProvider.start(t, [await newKey('ES256')]);
    const token = await foreign.programToken();
    await assertRefused(t, server, token, 'token_key_unknown');
    await assertRefused(t, server, tampered(token, { iss: provider.url }), 'token_key_unknown');
    await assertAccepted(t, server, await provider.programToken(), 'robot', provider.url);
  });

  test('two providers that share a key are told apart by their issuer', async (t) => {
    const key = await newKey('ES256');
    const provider = await OidcProvider.start(t, [key]);
    const foreign = await OidcProvider.start(t, [key]);
    const server = await Server.start(t, provider.settings(['ES256']));
    await assertRefused(t, server, await foreign.programToken(), 'token_issuer_invalid');
  });

  test('a token of an algorithm that is not in the list is refused', async (t) => {
    const keys = [await newKey('PS256'), await newKey('RS256')];
    const provider = await OidcProvider.start(t, keys);
    const server = await Server.start(t, provider.settings(['RS256', 'ES256']));
    await assertRefused(t, server, await provider.programToken(), 'token_algorithm_not_allowed');
  });

  test('the published key is not accepted as a secret', async (t) => {
    const { provider, server } = await start(t);
    const token = await provider.programToken();
    const { keys } = await (await fetch(`${provider.url}/jwks`)).json();
    const forged = await new SignJWT(claimsOf(token))
      .setProtectedHeader({ ...headerOf(token), alg: 'HS256' })
      .sign(Buffer.from(keys[0].n, 'base64url'));
    await assertRefused(t, server, forged, 'token_algorithm_not_allowed');
  });

  test('a session ends with its token, which is refused from then on', async (t) => {
    const { provider, server } = await start(t, 'ES256', {
      provider: { lifetime: 2 },
      server: { leeway: '0s', expiry_warning: '1s' },
    });
    const token = await provider.programToken();
    const socket = await assertAccepted(t, server, token, 'robot', provider.url);
    assert.deepEqual(await ended(socket), { code: 'token_expired', reason: 'io server disconnect' });
    assert.ok(Date.now() >= claimsOf(token).exp * 1000);
    await assertRefused(t, server, token, 'token_expired');
  });
});
