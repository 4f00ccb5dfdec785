// Connections and reconnections, on a clock that the tests advance.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keepAuthenticated } from 'socketioxide-jwt-auth-client';

import { Clock } from './lib/clock.js';
import { FakeManager, FakeSocket } from './lib/fake.js';
import { Kept } from './lib/kept.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

test('every connection sends a fresh token', async (test) => {
  const { clock, manager, socket } = await Kept.connected(test);
  manager.reconnectionDelay = 100;
  manager.lose();
  await clock.pass(5000);
  assert.deepEqual(socket.connects.map(({ token }) => token), ['token 1', 'token 2']);
  assert.ok(socket.connected);
});

test('the payload of the application is sent with the token', async (test) => {
  const clock = new Clock(test);
  for (const auth of [{ device: 'tablet' }, (send) => send({ device: 'tablet' })]) {
    const socket = new FakeSocket(new FakeManager());
    socket.auth = auth;
    const kept = keepAuthenticated(socket, { getToken: () => 'a token' });
    socket.connect();
    await clock.settle();
    const [{ device, token }] = socket.connects;
    assert.deepEqual({ device, token }, { device: 'tablet', token: 'a token' });
    kept.stop();
    assert.equal(socket.auth, auth);
  }
});

test('a guest connects without a token', async (test) => {
  const { socket, log } = await Kept.connected(test, { getToken: () => null });
  assert.deepEqual(Object.keys(socket.connects[0]), ['at']);
  assert.deepEqual(log, [['session', { loggedIn: false, expiresIn: undefined }]]);
});

test('a socket that connected before is authenticated at once', async (test) => {
  const manager = new FakeManager();
  const clock = new Clock(test);
  const socket = new FakeSocket(manager);
  socket.connect();
  keepAuthenticated(socket, { getToken: () => 'a token' });
  await clock.settle();
  assert.equal(socket.renewals[0].token, 'a token');
});

test('a CONNECT without a token, sent before, does not ask for a login', async (test) => {
  const clock = new Clock(test);
  const logins = [];
  const manager = new FakeManager({ server: ({ token }, socket) => token && socket.accept() });
  const socket = new FakeSocket(manager);
  socket.connect();
  keepAuthenticated(socket, { getToken: () => 'a token', onLoginRequired: (refusal) => logins.push(refusal) });
  socket.refuse('token_missing');
  await clock.pass(2000);
  assert.ok(socket.connected);
  assert.deepEqual(logins, []);
});

test('sockets with the same token source share its call', async (test) => {
  const first = new Kept(test, { getToken: () => new Promise((resolve) => setTimeout(resolve, 50, 'a token')) });
  const { clock, manager, getToken } = first;
  const others = [1, 2].map(() => new Kept(test, { clock, manager, sharedToken: getToken }));
  const all = [first, ...others];
  for (const { socket } of all) socket.connect();
  await clock.pass(100);
  assert.ok(all.every(({ socket }) => socket.connected));
  assert.equal(first.requests.length, 1);

  manager.lose();
  await clock.pass(5000);
  assert.ok(all.every(({ socket }) => socket.connected));
  assert.equal(first.requests.length, 2);

  for (const { socket } of all) {
    socket.receive('token_expiring', { expires_in: 30 });
    await clock.pass(100);
  }
  assert.equal(first.requests.length, 3, 'the warnings of one token ask for one new token');
  assert.ok(all.every(({ socket }) => socket.renewals.length === 1));
});

test('a new token is asked for only when the call before has ended', async (test) => {
  const order = [];
  const slow = async ({ forceRefresh }) => {
    order.push(`begin ${forceRefresh}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
    order.push(`end ${forceRefresh}`);
    return `token ${order.length}`;
  };
  const first = new Kept(test, { getToken: slow });
  const { clock, manager, getToken } = first;
  const second = new Kept(test, { clock, manager, sharedToken: getToken });
  first.socket.connect();
  await clock.pass(2000);
  second.socket.connect();
  await clock.pass(500);
  first.socket.receive('token_expiring', {});
  await clock.pass(3000);
  assert.deepEqual(order.slice(2), ['begin false', 'end false', 'begin true', 'end true']);
});

test('a token source that fails twice is asked again', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: (_, count) => (count < 3 ? Promise.reject(new Error('no network')) : 'a token'),
  });
  await kept.clock.pass(5000);
  assert.deepEqual(kept.events, ['error no network', 'error no network', 'session']);
});

test('a token source that throws is asked again', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: (_, count) => {
      if (count < 3) throw new Error('a mistake');
      return 'a token';
    },
  });
  await kept.clock.pass(5000);
  assert.deepEqual(kept.events, ['error a mistake', 'error a mistake', 'session']);
});

test('a token source that hangs is given up after the time limit, and asked again', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: (_, count) => (count === 1 ? new Promise(() => {}) : 'a token'),
  });
  await kept.clock.pass(14_999);
  assert.deepEqual(kept.events, []);
  await kept.clock.pass(2000);
  assert.deepEqual(kept.events, ['error getToken timed out', 'session']);
});

test('an expired token is replaced without a login', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: ({ forceRefresh }) => (forceRefresh ? 'new' : 'old'),
    server: ({ token }, socket) => (token === 'new' ? socket.accept() : socket.refuse('token_expired')),
  });
  await kept.clock.pass(2000);
  assert.deepEqual(kept.events, ['session']);
  assert.deepEqual(kept.requests.map(({ forceRefresh, code }) => [forceRefresh, code]), [
    [false, undefined],
    [true, 'token_expired'],
  ]);
});

test('a cookie that has expired may be renewed by the token source', async (test) => {
  let isRenewed = false;
  const kept = await Kept.connected(test, {
    getToken: ({ forceRefresh }) => void (isRenewed = forceRefresh),
    server: (_, socket) => (isRenewed ? socket.accept() : socket.refuse('token_expired')),
  });
  await kept.clock.pass(2000);
  assert.deepEqual(kept.events, ['session']);
});

test('an expired token that comes again asks for a login, once', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: () => 'old',
    server: (_, socket) => socket.refuse('token_expired'),
  });
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['login token_expired']);
  assert.equal(kept.requests.length, 2);
});

test('a forged token asks for a login, and refresh connects', async (test) => {
  let token = 'forged';
  const kept = await Kept.connected(test, {
    getToken: () => token,
    server: ({ token }, socket) => (token === 'good' ? socket.accept() : socket.refuse('token_signature_invalid')),
  });
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['login token_signature_invalid']);
  assert.equal(kept.requests.length, 1);

  token = 'good';
  kept.auth.refresh();
  await kept.clock.pass(0);
  assert.deepEqual(kept.events.slice(1), ['session']);
});

test('a login that was answered with a refusal asks again', async (test) => {
  const kept = await Kept.connected(test, { server: (_, socket) => socket.refuse('user_not_found') });
  await kept.clock.pass(MINUTE);
  kept.auth.refresh();
  await kept.clock.pass(MINUTE);
  assert.deepEqual(kept.events, ['login user_not_found', 'login user_not_found']);
});

test('a server that says denied is not asked again', async (test) => {
  const kept = await Kept.connected(test, { server: (_, socket) => socket.refuse('account suspended') });
  await kept.clock.pass(HOUR);
  kept.manager.lose();
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['refused account suspended']);
  assert.equal(kept.requests.length, 1);
  assert.equal(kept.socket.connects.length, 1);
});

test('a code of the application has the action that the options name', async (test) => {
  const kept = await Kept.connected(test, {
    server: (_, socket) => socket.refuse('email_unverified'),
    actions: { email_unverified: 'login' },
  });
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['login email_unverified']);
});

for (const code of ['too_many_attempts', 'keys_unavailable', 'lookup_timeout', 'internal_error']) {
  test(`${code} is tried again until it is over`, async (test) => {
    let isOver = false;
    const kept = await Kept.connected(test, {
      server: (_, socket) => (isOver ? socket.accept() : socket.refuse(code)),
    });
    await kept.clock.pass(5 * MINUTE);
    const tries = kept.socket.connects.length;
    assert.ok(tries > 8 && tries < 40, `${tries} tries`);
    isOver = true;
    await kept.clock.pass(MINUTE);
    assert.deepEqual(kept.events, ['session']);
  });
}

test('an ignored CONNECT is repeated with the same token, and then the connection is opened anew', async (test) => {
  let isDeaf = true;
  const kept = await Kept.connected(test, { server: (_, socket) => isDeaf || socket.accept() });
  const { clock, socket, manager } = kept;
  await clock.pass(4000);
  assert.equal(socket.connects.length, 3, 'after 1 and 3 seconds');
  assert.equal(kept.requests.length, 1);
  isDeaf = false;
  await clock.pass(4000);
  assert.ok(socket.connected);
  assert.equal(manager.opened, 1);

  isDeaf = true;
  manager.lose();
  await clock.pass(50_000);
  assert.equal(manager.opened, 2);
  await clock.pass(30_000);
  assert.equal(manager.opened, 3, 'a minute after the first CONNECT');
  isDeaf = false;
  await clock.pass(20_000);
  assert.ok(socket.connected);
});

test('a token that arrives after its connection was lost is sent once, on the next one', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: () => new Promise((resolve) => setTimeout(resolve, 3000, 'a token')),
  });
  kept.manager.lose();
  await kept.clock.pass(10_000);
  assert.equal(kept.socket.connects.length, 1);
  assert.equal(kept.requests.length, 1);
  assert.ok(kept.socket.connected);
});

test('a socket that the application disconnects stays disconnected', async (test) => {
  const kept = await Kept.connected(test);
  kept.socket.disconnect();
  await kept.clock.pass(HOUR);
  assert.equal(kept.socket.connects.length, 1);

  kept.socket.connect();
  await kept.clock.pass(1000);
  assert.ok(kept.socket.connected);
  assert.equal(kept.socket.connects.length, 2);
});

test('a token that arrives while the next connection opens is not sent before that has opened', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: () => new Promise((resolve) => setTimeout(resolve, 1200, 'a token')),
  });
  kept.manager.openingDelay = 500;
  kept.manager.lose();
  await kept.clock.pass(1400);
  assert.equal(kept.socket.connects.length, 0);
  await kept.clock.pass(10_000);
  assert.equal(kept.socket.connects.length, 1);
});

test('a socket that the application disconnects while its token is fetched is not connected', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: () => new Promise((resolve) => setTimeout(resolve, 1000, 'a token')),
  });
  new FakeSocket(kept.manager).connect(); // keeps the connection open
  kept.socket.disconnect();
  await kept.clock.pass(HOUR);
  assert.equal(kept.socket.connects.length, 0);
});

test('a socket that the application disconnects while its CONNECT is under way is not connected', async (test) => {
  const kept = await Kept.connected(test, { server() {} });
  new FakeSocket(kept.manager).connect();
  kept.socket.disconnect();
  await kept.clock.pass(HOUR);
  assert.equal(kept.socket.connects.length, 1);
});

test('an old token that comes again after a session is replaced again', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: ({ forceRefresh }) => (forceRefresh ? 'new' : 'old'),
    server: ({ token }, socket) => (token === 'new' ? socket.accept() : socket.refuse('token_expired')),
  });
  await kept.clock.pass(2000);
  kept.manager.lose();
  await kept.clock.pass(5000);
  assert.deepEqual(kept.events, ['session', 'session']);
  assert.deepEqual(kept.requests.map(({ forceRefresh }) => forceRefresh), [false, true, false, true]);
});

test('a server that restarts gets its clients back after a pause', async (test) => {
  const kept = await Kept.connected(test);
  await kept.clock.pass(MINUTE);
  kept.socket.end();
  await kept.clock.pass(249);
  assert.equal(kept.socket.connects.length, 1);
  await kept.clock.pass(300);
  assert.ok(kept.socket.connected);
  assert.deepEqual(kept.events, ['session', 'session']);
});

test('a network that was lost for hours is used when it is back', async (test) => {
  const kept = await Kept.connected(test);
  kept.manager.isReachable = false;
  kept.manager.lose();
  await kept.clock.pass(5 * HOUR);
  assert.equal(kept.requests.length, 1, 'no token is fetched without a connection');
  kept.manager.isReachable = true;
  await kept.clock.pass(5000);
  assert.ok(kept.socket.connected);
});

test('an error of the connection is not a refusal', async (test) => {
  const kept = await Kept.connected(test, { server: () => {} });
  kept.socket.receive('connect_error', new Error('xhr poll error'));
  assert.deepEqual(kept.events, []);
});

test('an error of a callback does not disturb', async (test) => {
  const errors = [];
  const collect = (error) => errors.push(error.message);
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', collect);
  const kept = await Kept.connected(test, {
    onSession: () => {
      throw new Error('a mistake');
    },
  });
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(MINUTE);
  process.off('uncaughtException', collect);
  for (const listener of listeners) process.on('uncaughtException', listener);
  assert.deepEqual(errors, ['a mistake', 'a mistake']);
  assert.equal(kept.socket.renewals.length, 1);
});
