import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ask, assertRefused, claimsOf, connect, ended } from '../lib/client.js';
import { AUDIENCE, OidcProvider, newKey } from '../lib/oidc-provider.js';
import { Redis } from '../lib/redis.js';
import { Server, freePort } from '../lib/server.js';

const ENDED = { code: 'session_ended', reason: 'io server disconnect' };

/** A provider, and servers whose first one hears of logouts. */
async function start(test, { nodes = 1, redis, logoutBySession = false } = {}) {
  const port = await freePort();
  const logoutUri = `http://127.0.0.1:${port}/backchannel-logout`;
  const provider = await OidcProvider.start(test, [await newKey('ES256')], { logoutUri, logoutBySession });
  // The application's id tokens log in too, and its name is the audience of logout tokens.
  const settings = provider.settings(['ES256'], { audience: [AUDIENCE, 'web'], backchannel_logout: true, redis });
  const servers = [await Server.start(test, { ...settings, port })];
  while (servers.length < nodes) servers.push(await Server.start(test, settings));
  return { provider, servers };
}

describe('a logout at oidc-provider', () => {
  test('ends the sockets of its user', async (t) => {
    const { provider, servers: [server] } = await start(t);
    const ada = await provider.logIn('ada');
    const grace = await provider.logIn('grace');
    const sockets = [
      await connect(t, server, ada.tokens.access_token),
      await connect(t, server, ada.tokens.access_token, '/rooms/1'),
      await connect(t, server, ada.tokens.id_token),
    ];
    const other = await connect(t, server, grace.tokens.access_token);

    const ends = sockets.map(ended);
    assert.deepEqual(await provider.logOut(ada), ['accepted'], server.log);
    assert.deepEqual(await Promise.all(ends), [ENDED, ENDED, ENDED]);
    assert.equal((await ask(other, 'whoami')).user, 'grace');
    await server.logged(/logged out by the issuer/);
  });

  test('ends one session of its user, and those of which the session is not known', async (t) => {
    const { provider, servers: [server] } = await start(t, { logoutBySession: true });
    const here = await provider.logIn('ada');
    const there = await provider.logIn('ada');
    assert.notEqual(claimsOf(here.tokens.id_token).sid, claimsOf(there.tokens.id_token).sid);
    assert.equal(claimsOf(here.tokens.access_token).sid, undefined);
    const socket = await connect(t, server, here.tokens.id_token);
    const unknown = await connect(t, server, there.tokens.access_token);
    const other = await connect(t, server, there.tokens.id_token);

    const ends = [ended(socket), ended(unknown)];
    assert.deepEqual(await provider.logOut(here), ['accepted'], server.log);
    assert.deepEqual(await Promise.all(ends), [ENDED, ENDED]);
    assert.equal((await ask(other, 'whoami')).user, 'ada');
  });

  test('ends the sockets on another node', async (t) => {
    const redis = await Redis.start(t);
    if (!redis) return t.skip('redis-server is not installed');
    const { provider, servers: [server, elsewhere] } = await start(t, { nodes: 2, redis: redis.url });
    const ada = await provider.logIn('ada');
    const grace = await provider.logIn('grace');
    const socket = await connect(t, elsewhere, ada.tokens.access_token);
    const other = await connect(t, elsewhere, grace.tokens.access_token);

    const end = ended(socket);
    assert.deepEqual(await provider.logOut(ada), ['accepted'], server.log);
    assert.deepEqual(await end, ENDED);
    assert.equal((await ask(other, 'whoami')).user, 'grace');
  });
});

describe('the route of a back-channel logout', () => {
  test('refuses tokens that log in', async (t) => {
    const { provider, servers: [server] } = await start(t);
    const { tokens } = await provider.logIn('ada');
    for (const token of [tokens.id_token, tokens.access_token]) {
      server.sent(token);
      const response = await fetch(`${server.url}/backchannel-logout`, {
        method: 'POST',
        body: new URLSearchParams({ logout_token: token }),
      });
      assert.equal(response.status, 400);
      assert.equal(response.headers.get('cache-control'), 'no-store');
    }
  });

  test('gets tokens that do not log in', async (t) => {
    const caught = await catchLogoutToken(t);
    await assertRefused(t, caught.server, caught.token, 'token_claims_invalid');
  });
});

/** A logout token of a provider, and a server that accepts the provider's other tokens. */
async function catchLogoutToken(test) {
  const { Listener } = await import('../lib/listener.js');
  const listener = new Listener();
  let token;
  const logoutUri = await listener.start((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      token = new URLSearchParams(body).get('logout_token');
      response.end();
    });
  });
  test.after(() => listener.stop());

  const provider = await OidcProvider.start(test, [await newKey('ES256')], { logoutUri });
  const server = await Server.start(test, provider.settings(['ES256'], { audience: 'web' }));
  assert.deepEqual(await provider.logOut(await provider.logIn('ada')), ['accepted']);
  return { server, token };
}
