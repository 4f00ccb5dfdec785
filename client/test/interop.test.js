// socket.io-client of every major version, kept authenticated against a server of the crate.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startServer } from '../../tests/interop/lib/server.js';
import { newImpatientNamespace, newNamespace, renew } from '../../tests/interop/lib/sessions.js';
import { expiredToken, forgedToken, newUser, secrets, tokenLiving, userToken } from '../../tests/interop/lib/tokens.js';
import { next } from '../../tests/interop/lib/wait.js';
import { Network } from './lib/network.js';
import { CLIENTS, newManager, RealKept, server } from './lib/real.js';

const living = async (seconds, sub) => (await tokenLiving(seconds, sub)).token;

function tests(client) {
  const check = (name, body) => test(`${client.name}: ${name}`, { timeout: 60_000 }, body);
  const start = (test, ...rest) => RealKept.start(test, client, ...rest);

  /**
   * For a namespace of several sockets, one after the other: of two that enter a new dynamic namespace at once,
   * socketioxide 0.18 may keep one in a namespace of its own, and closes its connection at its first event.
   */
  async function startIn(...rest) {
    const kept = await start(...rest);
    await kept.expect('user');
    await kept.whoami();
    return kept;
  }

  check('connects with a token', async (test) => {
    const kept = await start(test, newNamespace(), () => userToken('1'));
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
    assert.equal(kept.requests.length, 1);
  });

  check('connects to / with a token', async (test) => {
    const kept = await start(test, '/', () => userToken('1'), { manager: newManager(test, client, { at: 'users' }) });
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
  });

  check('renews a token that expires soon, again and again', async (test) => {
    const user = newUser();
    const kept = await start(test, newNamespace(), () => living(3, user));
    let disconnects = 0;
    kept.socket.on('disconnect', () => disconnects++);
    await kept.expect('user', 'user', 'user', 'user');
    assert.equal(await kept.whoami(), user);
    assert.equal(disconnects, 0);
    assert.deepEqual(kept.requests.slice(1), Array(3).fill({ forceRefresh: true, code: 'token_expiring' }));
  });

  check('comes back with a fresh token after the session has expired', async (test) => {
    let isFailing = false;
    const kept = await start(test, newNamespace(), () => {
      if (isFailing) throw new Error('no network');
      return living(2.5, '1');
    });
    await kept.expect('user');
    isFailing = true;
    await next(kept.socket, 'disconnect');
    isFailing = false;
    let event;
    do event = await kept.next();
    while (event.startsWith('error'));
    assert.equal(event, 'user');
    assert.equal(await kept.whoami(), 'Ada');
  });

  check('shares one call of the token source between namespaces', async (test) => {
    const manager = newManager(test, client);
    const first = await start(test, newNamespace(), () => sleep(50).then(() => living(4, '1')), { manager });
    const rest = [];
    for (let count = 0; count < 2; count++) {
      rest.push(await start(test, newNamespace(), undefined, { manager, source: first.getToken }));
    }
    const all = [first, ...rest];
    for (const kept of all) await kept.expect('user');
    assert.equal(first.requests.length, 1);
    for (const kept of all) await kept.expect('user');
    assert.equal(first.requests.length, 2, 'one call renewed all of them');
    for (const kept of all) assert.equal(await kept.whoami(), 'Ada');
  });

  check('replaces an expired token without a login', async (test) => {
    const kept = await start(test, newNamespace(), ({ forceRefresh }) =>
      forceRefresh ? userToken('1') : expiredToken('1'),
    );
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
    assert.deepEqual(kept.requests[1], { forceRefresh: true, code: 'token_expired' });
  });

  check('asks for a login if the expired token comes again, and connects after it', async (test) => {
    let token = await expiredToken('1');
    const kept = await start(test, newNamespace(), () => token);
    await kept.expect('login token_expired');
    await sleep(1000);
    assert.deepEqual(kept.events, []);
    assert.equal(kept.requests.length, 2);
    token = await userToken('1');
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
  });

  check('asks for a login after a forged token', async (test) => {
    const kept = await start(test, newNamespace(), () => forgedToken('1'));
    await kept.expect('login token_signature_invalid');
    await sleep(500);
    assert.equal(kept.requests.length, 1);
  });

  check('asks for a login where guests are refused', async (test) => {
    let token = null;
    const kept = await start(test, '/users', () => token);
    await kept.expect('login token_missing');
    token = await userToken('1');
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
  });

  check('stops when the server denies', async (test) => {
    const kept = await start(test, newNamespace(), () => userToken('suspended'));
    await kept.expect('refused user does not exist');
    await sleep(1000);
    assert.deepEqual(kept.events, []);
    assert.equal(kept.requests.length, 1);
  });

  check('tries again when the server fails', async (test) => {
    const kept = await start(test, newNamespace(), (_, count) => userToken(count < 3 ? 'broken' : '1'));
    await kept.expect('user');
    assert.equal(kept.requests.length, 3);
  });

  check('tries again when the token source fails twice, and when it hangs', async (test) => {
    const kept = await start(
      test,
      newNamespace(),
      (_, count) => {
        if (count < 3) throw new Error('no network');
        return count === 3 ? new Promise(() => {}) : userToken('1');
      },
      { timeout: 500 },
    );
    await kept.expect('error no network', 'error no network', 'error getToken timed out', 'user');
  });

  check('logs a guest in and out', async (test) => {
    let token = null;
    const kept = await start(test, newNamespace(), () => token);
    await kept.expect('guest');
    token = await userToken('1');
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
    token = null;
    kept.auth.refresh();
    await kept.expect('guest');
    assert.equal(await kept.whoami(), null);
  });

  check('switches the user', async (test) => {
    let user = '1';
    const kept = await start(test, newNamespace(), () => userToken(user));
    await kept.expect('user');
    user = '2';
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Grace');
  });

  // In version 2 the namespaces share the token of their connection.
  const checkModern = client.isLegacy ? () => {} : check;

  checkModern('switches the user beside another namespace, which stays', async (test) => {
    const manager = newManager(test, client);
    const beside = await start(test, newNamespace(), () => null, { manager });
    await beside.expect('guest');
    let user = '1';
    const kept = await start(test, newNamespace(), () => userToken(user), { manager });
    await kept.expect('user');
    user = '2';
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Grace');
    assert.deepEqual(beside.events, []);
    assert.equal(await beside.whoami(), null);
  });

  check('asks for a login after a logout in another tab', async (test) => {
    const user = newUser();
    const namespace = newNamespace();
    const kept = await startIn(test, namespace, () => userToken(user));
    const otherTab = await startIn(test, namespace, () => userToken(user));
    otherTab.socket.emit('log out because');
    await kept.expect('login session_ended');
    await otherTab.expect('login session_ended');
    await sleep(500);
    assert.equal(kept.requests.length, 1);
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), user);
  });

  check('stops after a moderator has removed the user', async (test) => {
    const user = newUser();
    const namespace = newNamespace();
    const kept = await startIn(test, namespace, () => userToken(user));
    const moderator = await startIn(test, namespace, () => userToken('1'));
    moderator.socket.emit('remove user', user, () => {});
    await kept.expect('refused denied');
    await sleep(500);
    assert.equal(kept.requests.length, 1);
    assert.equal(kept.socket.connected, false);
  });

  check('asks for a login when a guest has stayed too long', async (test) => {
    let token = null;
    const kept = await start(test, newImpatientNamespace(), () => token);
    await kept.expect('guest', 'login login_required');
    token = await userToken('1');
    kept.auth.refresh();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
  });

  check('waits until the limit of attempts is over', async (test) => {
    const user = newUser();
    const kept = await start(test, newNamespace(), () => userToken(user));
    await kept.expect('user');
    await kept.whoami();
    const token = await userToken(user);
    for (let count = 0; count < 20; count++) await renew(kept.socket, token);
    kept.auth.refresh();
    await kept.expect('user');
    assert.ok(kept.requests.length > 5, 'it was tried several times in the ten seconds of the limit');
    assert.ok(kept.requests.length < 40);
  });

  check('comes back with a fresh token when the network does', async (test) => {
    const network = await Network.to(server.url, test);
    const manager = newManager(test, client, { url: network.url });
    const kept = await start(test, newNamespace(), () => userToken('1'), { manager });
    await kept.expect('user');
    const lost = next(kept.socket, 'disconnect');
    network.cut();
    await lost;
    await sleep(1000);
    // Version 2 needs the token before it opens the connection.
    if (!client.isLegacy) assert.equal(kept.requests.length, 1);
    network.restore();
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
    assert.ok(kept.requests.length >= 2);
  });

  check('comes back with a fresh token when the server does', async (test) => {
    let own = await startServer(secrets);
    const { port } = new URL(own.url);
    test.after(() => own.stop());
    const manager = newManager(test, client, { url: own.url });
    const kept = await start(test, newNamespace(), () => userToken('1'), { manager });
    await kept.expect('user');
    const lost = next(kept.socket, 'disconnect');
    await own.stop();
    await lost;
    own = await startServer(secrets, port);
    await kept.expect('user');
    assert.equal(await kept.whoami(), 'Ada');
    assert.ok(kept.requests.length >= 2);
  });

  check('leaves no listener after stop', async (test) => {
    const manager = newManager(test, client);
    const kept = await start(test, newNamespace(), () => userToken('1'), { manager });
    await kept.expect('user');
    const refused = client.isLegacy ? 'error' : 'connect_error';
    const names = ['connect', 'disconnect', refused, 'unauthorized', 'token_expiring', 'authenticated'];
    assert.ok(names.some((name) => kept.socket.listeners(name).length));
    kept.auth.stop();
    // Listeners of socket.io-client itself stay.
    const fresh = newManager(test, client).socket('/fresh');
    for (const name of names) {
      assert.equal(kept.socket.listeners(name).length, fresh.listeners(name).length, name);
    }
  });
}

describe('together', { concurrency: 24 }, () => {
  for (const client of CLIENTS) tests(client);
});
