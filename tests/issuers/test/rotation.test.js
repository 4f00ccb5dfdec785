import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { ask, assertAccepted, assertNotRenewed, assertRefused, assertRenewed, connectUntil } from '../lib/client.js';
import { OidcProvider, newKey } from '../lib/oidc-provider.js';
import { Server } from '../lib/server.js';

const ALGORITHMS = ['ES256'];
const newKeys = (count) => Promise.all(Array.from({ length: count }, () => newKey('ES256')));

/** A provider with one key, a server, and a socket that is open. */
async function start(test) {
  const [key] = await newKeys(1);
  const provider = await OidcProvider.start(test, [key]);
  const server = await Server.start(test, provider.settings(ALGORITHMS));
  const token = await provider.programToken();
  const socket = await assertAccepted(test, server, token, 'robot', provider.url);
  return { key, provider, server, token, socket };
}

describe('rotation of keys', { concurrency: true }, () => {
  test('a token of a new key is accepted at once, and the old key holds while it is published', async (t) => {
    const { key, provider, server, token, socket } = await start(t);
    const [next] = await newKeys(1);
    await provider.restart([next, key]);
    const newer = await provider.programToken();

    await assertRenewed(server, socket, newer);
    await assertAccepted(t, server, newer, 'robot', provider.url);
    await assertAccepted(t, server, token, 'robot', provider.url);
    assert.equal(provider.keyRequests, 2);
  });

  test('a removed key is refused once the set is fetched, and its open sessions go on', async (t) => {
    const { provider, server, token, socket } = await start(t);
    await provider.restart(await newKeys(1));
    // The set is fresh, so it is not fetched for a key that it has.
    await assertAccepted(t, server, token, 'robot', provider.url);
    assert.equal(provider.keyRequests, 1);

    const newer = await provider.programToken();
    await assertAccepted(t, server, newer, 'robot', provider.url);
    await assertRefused(t, server, token, 'token_key_unknown');
    await assertNotRenewed(server, socket, token, 'token_key_unknown');
    assert.deepEqual(await ask(socket, 'whoami'), { user: 'robot', issuer: provider.url });
    await assertRenewed(server, socket, newer);
  });

  test('a second rotation at once is found when the limit of searches allows it', async (t) => {
    const { provider, server, socket } = await start(t);
    await provider.restart(await newKeys(1));
    await assertRenewed(server, socket, await provider.programToken());
    const searched = Date.now();
    assert.equal(provider.keyRequests, 2);

    await provider.restart(await newKeys(1));
    const newest = await provider.programToken();
    await assertRefused(t, server, newest, 'token_key_unknown');
    assert.equal(provider.keyRequests, 2);
    await connectUntil(t, server, newest, (code) => code === undefined);
    assert.equal(provider.keyRequests, 3);
    assert.ok(Date.now() - searched > 9_000);
    await assertRenewed(server, socket, newest);
  });

  test('tokens of unknown keys make one request together', async (t) => {
    const { provider, server, token } = await start(t);
    const foreign = await OidcProvider.start(t, await newKeys(1));
    const tokens = [];
    for (const key of await newKeys(5)) {
      await foreign.restart([key]);
      tokens.push(await foreign.programToken());
    }
    for (const unknown of tokens) await assertRefused(t, server, unknown, 'token_key_unknown');
    assert.equal(provider.keyRequests, 2);
    await assertAccepted(t, server, token, 'robot', provider.url);
  });

  test('while the provider is down its tokens are accepted and sessions go on', async (t) => {
    const { provider, server, token, socket } = await start(t);
    const newer = await provider.programToken();
    await provider.stop();
    await assertAccepted(t, server, token, 'robot', provider.url);
    await assertRenewed(server, socket, newer);
  });

  test('a server that starts before its provider accepts tokens once the provider is there', async (t) => {
    const { key, provider, token } = await start(t);
    await provider.stop();
    const server = await Server.start(t, provider.settings(ALGORITHMS));
    await assertRefused(t, server, token, 'keys_unavailable');
    await provider.restart([key]);
    await connectUntil(t, server, token, (code) => code === undefined);
  });
});
