// Renewals, logins and the ends of sessions, on a clock that the tests advance.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Kept } from './lib/kept.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const renewed = { expires_at: 1, expires_in: 600 };
const refusal = (code, action) => ({ error: { code, message: code, action } });

/** Answers renewals with one answer after the other, and with the last one from then on. */
const answers = (...list) => () => (list.length > 1 ? list.shift() : list[0]);

test('a token that expires soon is renewed on the open socket', async (test) => {
  const kept = await Kept.connected(test, { answer: answers(renewed) });
  kept.socket.receive('token_expiring', { expires_at: 1, expires_in: 30 });
  await kept.clock.pass(0);
  assert.deepEqual(kept.socket.renewals.map(({ token }) => token), ['token 2']);
  assert.deepEqual(kept.requests[1], { at: kept.clock.now, forceRefresh: true, code: 'token_expiring' });
  assert.deepEqual(kept.log.at(-1), ['session', { loggedIn: true, expiresIn: 600 }]);
});

test('the event of the renewal has the name of the option', async (test) => {
  const kept = await Kept.connected(test, { event: 'log in' });
  const emitted = [];
  kept.socket.emit = (event, ...rest) => emitted.push(event, ...rest);
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(0);
  assert.deepEqual(emitted.slice(0, 2), ['log in', { token: 'token 2' }]);
});

test('the answer of a client with `ackTimeout` has an error before it', async (test) => {
  const kept = await Kept.connected(test);
  const list = [[new Error('operation has timed out')], [null, renewed]];
  kept.socket.emit = (event, payload, answer) => answer(...list.shift());
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(5000);
  assert.deepEqual(kept.events, ['session', 'error operation has timed out', 'session']);
});

test('a renewal without an answer is given up after the time limit, and tried again', async (test) => {
  const kept = await Kept.connected(test, { answer: answers(undefined, renewed) });
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(14_999);
  assert.equal(kept.socket.renewals.length, 1);
  await kept.clock.pass(1000);
  assert.equal(kept.socket.renewals.length, 2);
  assert.deepEqual(kept.events, ['session', 'error authenticate timed out', 'session']);
});

test('a token source that fails twice during a renewal is asked again', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: (_, count) => (count === 2 || count === 3 ? Promise.reject(new Error('no network')) : `token ${count}`),
  });
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(5000);
  assert.deepEqual(kept.socket.renewals.map(({ token }) => token), ['token 4']);
});

test('a second warning during a renewal is not a second renewal', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: () => new Promise((resolve) => setTimeout(resolve, 500, 'a token')),
  });
  await kept.clock.pass(500);
  for (let warnings = 0; warnings < 3; warnings++) kept.socket.receive('token_expiring', {});
  await kept.clock.pass(MINUTE);
  assert.equal(kept.socket.renewals.length, 1);
});

test('a renewal that is under way when the connection is lost is not sent on the next one', async (test) => {
  const kept = await Kept.connected(test, {
    getToken: (_, count) =>
      new Promise((resolve) => setTimeout(resolve, count === 2 ? 3000 : 0, `token ${count}`)),
  });
  await kept.clock.pass(0);
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(10);
  kept.manager.lose();
  await kept.clock.pass(10_000);
  assert.equal(kept.socket.renewals.length, 0);
  assert.equal(kept.socket.connects.length, 2);
});

for (const code of ['too_many_attempts', 'keys_unavailable', 'lookup_timeout', 'internal_error']) {
  test(`a renewal that is refused with ${code} is tried again`, async (test) => {
    const kept = await Kept.connected(test, { answer: answers(refusal(code), refusal(code), renewed) });
    kept.socket.receive('token_expiring', {});
    await kept.clock.pass(5000);
    assert.equal(kept.socket.renewals.length, 3);
    assert.deepEqual(kept.events, ['session', 'session']);
  });
}

test('a renewal that is refused as expired gets another token', async (test) => {
  const kept = await Kept.connected(test, { answer: answers(refusal('token_expired'), renewed) });
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(5000);
  assert.deepEqual(kept.requests.map(({ code }) => code), [undefined, 'token_expiring', 'token_expired']);
  assert.deepEqual(kept.events, ['session', 'session']);
});

test('a renewal whose expired token comes again asks for a login', async (test) => {
  const kept = await Kept.connected(test, { getToken: () => 'old', answer: answers(refusal('token_expired')) });
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['session', 'login token_expired']);
  assert.equal(kept.socket.renewals.length, 2);
});

test('a renewal that is denied is not tried again', async (test) => {
  const kept = await Kept.connected(test, { answer: answers(refusal('denied', 'none')) });
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['session', 'refused denied']);
  assert.equal(kept.socket.renewals.length, 1);
  assert.ok(kept.socket.connected);
});

test('an unknown code has the action on the wire', async (test) => {
  for (const [action, event] of [
    ['login', 'login terms_changed'],
    ['none', 'refused terms_changed'],
    [undefined, 'refused terms_changed'],
    ['renew', 'session'],
    ['retry', 'session'],
    ['reconnect', 'session'],
  ]) {
    const kept = await Kept.connected(test, { answer: answers(refusal('terms_changed', action), renewed) });
    kept.socket.receive('token_expiring', {});
    await kept.clock.pass(5000);
    assert.deepEqual(kept.events, ['session', event], action);
  }
});

test('a switch of the user reconnects', async (test) => {
  let user = 'ada';
  const kept = await Kept.connected(test, {
    getToken: () => user,
    answer: ({ token }) => (token === 'ada' ? renewed : refusal('subject_mismatch', 'reconnect')),
  });
  user = 'grace';
  kept.auth.refresh();
  await kept.clock.pass(5000);
  assert.deepEqual(kept.socket.connects.map(({ token }) => token), ['ada', 'grace']);
  assert.deepEqual(kept.events, ['session', 'session']);
});

test('a switch of the user whose CONNECT comes too early is repeated', async (test) => {
  let isGone = true;
  const kept = await Kept.connected(test, {
    server: (_, socket) => isGone && socket.accept(),
    answer: answers(refusal('subject_mismatch')),
  });
  isGone = false;
  kept.auth.refresh();
  await kept.clock.pass(1500);
  assert.ok(!kept.socket.connected);
  isGone = true;
  await kept.clock.pass(3000);
  assert.ok(kept.socket.connected);
});

test('a guest logs in on the open socket', async (test) => {
  let token = null;
  const kept = await Kept.connected(test, { getToken: () => token, answer: answers(renewed) });
  token = 'a token';
  kept.auth.refresh();
  await kept.clock.pass(0);
  assert.equal(kept.socket.connects.length, 1);
  assert.deepEqual(kept.log.map(([, { loggedIn }]) => loggedIn), [false, true]);
});

test('a guest who is still one stays connected', async (test) => {
  const kept = await Kept.connected(test, { getToken: () => null });
  kept.auth.refresh();
  await kept.clock.pass(MINUTE);
  assert.equal(kept.socket.connects.length, 1);
  assert.equal(kept.socket.renewals.length, 0);
});

test('a token is forced once for each warning', async (test) => {
  const kept = await Kept.connected(test);
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(MINUTE);
  kept.manager.lose();
  await kept.clock.pass(MINUTE);
  assert.deepEqual(kept.requests.map(({ forceRefresh }) => forceRefresh), [false, true, false]);
});

test('a failure after many renewals is followed by a short pause', async (test) => {
  let isFailing = false;
  const kept = await Kept.connected(test, { answer: () => (isFailing ? refusal('internal_error') : renewed) });
  for (let hour = 0; hour < 12; hour++) {
    kept.socket.receive('token_expiring', {});
    await kept.clock.pass(HOUR);
  }
  isFailing = true;
  kept.socket.receive('token_expiring', {});
  await kept.clock.pass(0);
  isFailing = false;
  await kept.clock.pass(1000);
  assert.equal(kept.socket.renewals.length, 14);
});

test('the reason of an end that did not come is forgotten', async (test) => {
  const kept = await Kept.connected(test);
  kept.socket.receive('unauthorized', { code: 'session_ended', action: 'login' });
  kept.socket.receive('authenticated', { logged_in: true, expires_at: null, expires_in: null });
  kept.socket.end();
  await kept.clock.pass(MINUTE);
  assert.ok(kept.socket.connected);
  assert.ok(!kept.events.some((event) => event.startsWith('login')));
});

test('a user logs out by a reconnection as a guest', async (test) => {
  let token = 'a token';
  const kept = await Kept.connected(test, { getToken: () => token });
  token = null;
  kept.auth.refresh();
  await kept.clock.pass(2000);
  assert.deepEqual(kept.socket.connects.map(({ token }) => token), ['a token', undefined]);
  assert.deepEqual(kept.log.map(([, { loggedIn }]) => loggedIn), [true, false]);
});

test('a logout in another tab ends in a login where guests are refused, and in a guest where not', async (test) => {
  for (const [guests, event] of [
    [true, 'session'],
    [false, 'login token_missing'],
  ]) {
    let token = 'a token';
    const kept = await Kept.connected(test, {
      getToken: () => token,
      server: ({ token }, socket) => (token || guests ? socket.accept() : socket.refuse('token_missing')),
    });
    token = null;
    kept.socket.receive('token_expiring', {});
    await kept.clock.pass(30_000);
    assert.deepEqual(kept.events, ['session']);
    kept.socket.end('token_expired', 'renew');
    await kept.clock.pass(MINUTE);
    assert.deepEqual(kept.events, ['session', event]);
  }
});

test('a login while a CONNECT is under way counts once it is answered', async (test) => {
  let token = null;
  for (const answered of ['accept', 'refuse']) {
    token = null;
    const kept = await Kept.connected(test, { getToken: () => token, server: () => {} });
    token = 'a token';
    kept.auth.refresh();
    await kept.clock.pass(600);
    assert.equal(kept.socket.connects.length, 1);
    kept.manager.server = (_, socket) => socket.accept();
    kept.socket[answered]('token_missing');
    await kept.clock.pass(2000);
    assert.equal(kept.log.at(-1)[1].loggedIn, true, answered);
    assert.ok(!kept.events.some((event) => event.startsWith('login')), kept.events.join());
  }
});

test('a login while a token is being fetched discards that token', async (test) => {
  let token = 'old';
  const kept = await Kept.connected(test, {
    getToken: () => {
      const found = token;
      return new Promise((resolve) => setTimeout(resolve, 1000, found));
    },
  });
  await kept.clock.pass(500);
  token = 'new';
  kept.auth.refresh();
  await kept.clock.pass(5000);
  assert.deepEqual(kept.socket.connects.map(({ token }) => token), ['new']);
});

test('a session that expires is continued with a new token, on a new connection', async (test) => {
  const kept = await Kept.connected(test);
  await kept.clock.pass(HOUR);
  kept.socket.end('token_expired', 'renew');
  await kept.clock.pass(2000);
  assert.deepEqual(kept.events, ['session', 'session']);
  assert.deepEqual(kept.requests.map(({ code }) => code), [undefined, 'token_expired']);
});

test('a session that was ended asks for a login, once', async (test) => {
  for (const code of ['session_ended', 'login_required']) {
    const kept = await Kept.connected(test);
    kept.socket.end(code, 'login');
    await kept.clock.pass(HOUR);
    assert.deepEqual(kept.events, ['session', `login ${code}`]);
    assert.equal(kept.socket.connects.length, 1);
    kept.auth.refresh();
    await kept.clock.pass(2000);
    assert.deepEqual(kept.events.slice(2), ['session']);
  }
});

test('a session that was ended with the words of the application is over', async (test) => {
  const kept = await Kept.connected(test);
  kept.socket.end('denied', 'none');
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['session', 'refused denied']);
  assert.equal(kept.requests.length, 1);
});

test('an ended session whose connection is lost before the disconnect is over too', async (test) => {
  const kept = await Kept.connected(test);
  kept.socket.receive('unauthorized', { code: 'session_ended', action: 'login' });
  kept.manager.lose();
  await kept.clock.pass(HOUR);
  assert.deepEqual(kept.events, ['session', 'login session_ended']);
  assert.equal(kept.requests.length, 1);
});

test('an event of a guest that needs a login asks for one, once', async (test) => {
  const kept = await Kept.connected(test, { getToken: () => null });
  kept.socket.receive('unauthorized', { code: 'forbidden', action: 'none', event: 'delete' });
  for (let events = 0; events < 3; events++) {
    kept.socket.receive('unauthorized', { code: 'login_required', action: 'login', event: 'post' });
  }
  await kept.clock.pass(MINUTE);
  assert.deepEqual(kept.events, ['session', 'login login_required']);
  assert.ok(kept.socket.connected);

  kept.manager.lose();
  await kept.clock.pass(MINUTE);
  kept.socket.receive('unauthorized', { code: 'login_required', action: 'login', event: 'post' });
  await kept.clock.pass(MINUTE);
  assert.deepEqual(kept.events.slice(2), ['session', 'login login_required']);
});

test('the announcement of the server tells who the session is of and how long it lasts', async (test) => {
  const kept = await Kept.connected(test, { getToken: () => null });
  kept.socket.receive('authenticated', { logged_in: true, expires_at: 5, expires_in: 300 });
  kept.socket.receive('authenticated', { logged_in: false, expires_at: null, expires_in: null });
  await kept.clock.pass(0);
  assert.deepEqual(kept.log.slice(1).map(([, session]) => session), [
    { loggedIn: true, expiresIn: 300 },
    { loggedIn: false, expiresIn: null },
  ]);
});

test('odd data of the server does no harm', async (test) => {
  const kept = await Kept.connected(test, { answer: answers(null, 5, 'text', { error: null }, { error: 7 }) });
  for (const value of [undefined, null, 5, 'text', [], {}]) {
    for (const event of ['authenticated', 'unauthorized', 'token_expiring']) kept.socket.receive(event, value);
    await kept.clock.pass(MINUTE);
  }
  kept.socket.end();
  await kept.clock.pass(MINUTE);
  assert.ok(kept.socket.connected);
});

// A page in a browser

function page(test) {
  const window = new EventTarget();
  globalThis.addEventListener = (...args) => window.addEventListener(...args);
  globalThis.document = { hidden: false };
  test.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.document;
  });
  return {
    online: () => window.dispatchEvent(new Event('online')),
    show(isShown) {
      globalThis.document.hidden = !isShown;
      window.dispatchEvent(new Event('visibilitychange'));
    },
  };
}

test('a laptop that slept past the expiry continues, whatever it has missed', async (test) => {
  const { show } = page(test);
  // The connection looks open, and the warning is lost.
  const kept = await Kept.connected(test, { answer: answers(renewed) });
  kept.socket.receive('authenticated', { logged_in: true, expires_at: 1, expires_in: 300 });
  await kept.clock.sleep(8 * HOUR);
  show(true);
  await kept.clock.pass(1000);
  assert.deepEqual(kept.socket.renewals.map(({ token }) => token), ['token 2']);

  // The connection is lost, which the client sees when it wakes up.
  await kept.clock.sleep(8 * HOUR);
  kept.manager.lose('ping timeout');
  show(true);
  await kept.clock.pass(5000);
  assert.deepEqual(kept.socket.connects.map(({ token }) => token), ['token 1', 'token 3']);
  assert.ok(!kept.events.some((event) => event.startsWith('login')));
});

test('a laptop that wakes up early does not renew', async (test) => {
  const { show } = page(test);
  const kept = await Kept.connected(test, { answer: answers(renewed) });
  kept.socket.receive('authenticated', { logged_in: true, expires_at: 1, expires_in: 300 });
  await kept.clock.sleep(4 * MINUTE);
  show(true);
  await kept.clock.pass(1000);
  assert.equal(kept.socket.renewals.length, 0);
});

test('a network that is back, or a tab that is shown, ends a pause; a hidden tab does not', async (test) => {
  const events = page(test);
  const kept = await Kept.connected(test, { server: (_, socket) => socket.refuse('internal_error') });
  await kept.clock.pass(10 * MINUTE);
  let tries = kept.socket.connects.length;
  const assertTries = async (expected) => {
    await kept.clock.pass(10);
    assert.equal(kept.socket.connects.length - tries, expected);
    await kept.clock.pass(1000);
    tries = kept.socket.connects.length;
  };
  events.show(false);
  await assertTries(0);
  events.online();
  await assertTries(0);
  events.show(true);
  await assertTries(1);
  events.online();
  await assertTries(1);
});

test('a tab that hides after a login continues', async (test) => {
  const { show } = page(test);
  const kept = await Kept.connected(test, { answer: answers(renewed) });
  show(false);
  for (let hour = 0; hour < 8; hour++) {
    kept.socket.receive('token_expiring', { expires_in: 60 });
    await kept.clock.pass(HOUR);
  }
  assert.equal(kept.socket.renewals.length, 8);
  assert.equal(kept.socket.connects.length, 1);
});

test('stop removes every listener and timer, and puts the auth payload back', async (test) => {
  const added = new Set();
  globalThis.addEventListener = (name, listener, { signal }) => {
    added.add(name);
    signal.addEventListener('abort', () => added.delete(name));
  };
  test.after(() => delete globalThis.addEventListener);

  const states = {
    connected: async () => {},
    'a CONNECT under way': async ({ manager, socket }) => {
      manager.server = () => {};
      manager.lose();
      socket.io.isReconnecting = false;
      socket.connect();
    },
    'a pause': async ({ socket }) => socket.end(),
    'a renewal': async ({ manager, socket }) => {
      manager.answer = () => undefined;
      socket.receive('token_expiring', {});
    },
    'the pause of a renewal': async ({ manager, socket }) => {
      manager.answer = () => refusal('internal_error');
      socket.receive('token_expiring', {});
    },
  };
  for (const [state, reach] of Object.entries(states)) {
    const kept = await Kept.connected(test);
    const { clock, socket, manager } = kept;
    await clock.pass(MINUTE);
    await reach(kept);
    await clock.settle();
    const expected = manager.isReconnecting ? 1 : 0;
    assert.equal(added.size, 2, state);
    kept.auth.stop();
    assert.equal(clock.pending, state === 'a CONNECT under way' ? 1 : expected, state);
    assert.deepEqual(socket.eventNames(), [], state);
    assert.deepEqual(socket.auth, {}, state);
    assert.equal(added.size, 0, state);
    const { length } = kept.log;
    const { length: requests } = kept.requests;
    await clock.pass(HOUR);
    assert.equal(kept.log.length, length, state);
    assert.equal(kept.requests.length, requests, state);
  }
});

test('a token source that hangs leaves no timer after stop', async (test) => {
  const kept = await Kept.connected(test, { getToken: () => new Promise(() => {}) });
  assert.equal(kept.clock.pending, 1);
  kept.auth.stop();
  assert.equal(kept.clock.pending, 0);
});

test('nothing is called or sent after stop, whatever was under way', async (test) => {
  let isSlow = false;
  const getToken = () => isSlow ? new Promise((resolve) => setTimeout(resolve, 100, 'a token')) : 'a token';
  const reach = {
    'a callback': ({ socket }) => socket.receive('authenticated', { logged_in: true }),
    'the token of a connection': ({ manager }) => manager.lose(),
    'the token of a renewal': ({ socket }) => socket.receive('token_expiring', {}),
  };
  for (const [state, start] of Object.entries(reach)) {
    isSlow = false;
    const kept = await Kept.connected(test, { getToken });
    kept.manager.reconnectionDelay = 10;
    await kept.clock.pass(MINUTE);
    isSlow = true;
    start(kept);
    if (state !== 'a callback') await kept.clock.pass(50);
    kept.auth.stop();
    await kept.clock.pass(HOUR);
    assert.deepEqual(kept.events, ['session'], state);
    assert.equal(kept.socket.connects.length, 1, state);
    assert.equal(kept.socket.renewals.length, 0, state);
  }
});
