// Never faster than the pauses, whatever the server and the application do.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Kept } from './lib/kept.js';

const HOUR = 3_600_000;

const refuseEvery = (code) => ({ server: (_, socket) => socket.refuse(code) });
const endEvery = (code, action) => ({
  server(_, socket) {
    socket.accept();
    setTimeout(() => socket.end(code, action), 1);
  },
});
const warnAtOnce = (_, socket) => {
  socket.accept();
  setTimeout(() => socket.receive('token_expiring', { expires_in: 0 }), 1);
};
const answerEvery = (code, action) => ({
  server: warnAtOnce,
  answer: () => ({ error: { code, message: code, action } }),
});

const LOOPS = {
  'every connection is refused with retry': refuseEvery('internal_error'),
  'every token is expired': refuseEvery('token_expired'),
  'every connection is told to reconnect': refuseEvery('subject_mismatch'),
  'every session is ended at once': endEvery(),
  'every session expires at once': endEvery('token_expired', 'renew'),
  'every session must reconnect at once': endEvery('subject_mismatch', 'reconnect'),
  'every connection is lost at once': {
    server(_, socket) {
      socket.accept();
      setTimeout(() => socket.io.lose(), 1);
    },
  },
  'every connection is lost before an answer': { server: (_, socket) => setTimeout(() => socket.io.lose(), 1) },
  'every connection but the first is lost before an answer': {
    server(_, socket) {
      if (socket.connects.length > 1) return setTimeout(() => socket.io.lose(), 1);
      socket.accept();
      setTimeout(() => socket.io.lose(), 20_000);
    },
  },
  'every CONNECT is ignored': { server() {} },
  'every renewal is refused with retry': answerEvery('too_many_attempts', 'retry'),
  'every renewal is refused as expired': answerEvery('token_expired', 'renew'),
  'every renewal is told to reconnect': answerEvery('subject_mismatch', 'reconnect'),
  'every renewal is followed by a warning': {
    server: warnAtOnce,
    answer(_, socket) {
      setTimeout(() => socket.receive('token_expiring', { expires_in: 0 }), 1);
      return { expires_at: 0, expires_in: 0 };
    },
  },
  'the token source always fails': { getToken: () => Promise.reject(new Error('no network')) },
  'the application answers each request for a login with refresh': {
    ...refuseEvery('token_missing'),
    isRefreshing: true,
  },
  'the application answers each refusal of a renewal with refresh': {
    ...answerEvery('denied', 'none'),
    isRefreshing: true,
  },
};

for (const [what, { isRefreshing, ...options }] of Object.entries(LOOPS)) {
  test(`never faster than the pauses: ${what}`, async (test) => {
    const refresh = () => isRefreshing && kept.auth.refresh();
    const kept = new Kept(test, { ...options, onLoginRequired: refresh, onRefused: refresh });
    kept.manager.reconnectionDelay = 1;
    kept.socket.connect();
    await kept.clock.pass(HOUR);

    const { connects, renewals } = kept.socket;
    const tries = [...connects, ...renewals, ...kept.requests].map(({ at }) => at);
    const start = kept.clock.now - HOUR;
    const within = (from, to) => tries.filter((at) => at >= start + from && at < start + to).length;
    // Each attempt is a request for a token and a CONNECT or renewal. With pauses from 0.25 to 30 s:
    assert.ok(within(0, 1000) <= 8, `${within(0, 1000)} in the first second`);
    assert.ok(within(0, 60_000) <= 40, `${within(0, 60_000)} in the first minute`);
    assert.ok(within(60_000, HOUR) <= 59 * 15, `${within(60_000, HOUR) / 59} in each minute after it`);
    assert.ok(tries.length >= 2);
  });
}

test('the pauses grow from half of the least to the greatest, and begin anew after a stable session', async (test) => {
  const kept = await Kept.connected(test, { minDelay: 1000, maxDelay: 10_000, ...refuseEvery('internal_error') });
  await kept.clock.pass(HOUR / 10);
  const gaps = kept.socket.connects.slice(1).map(({ at }, index) => at - kept.socket.connects[index].at);
  assert.ok(gaps[0] >= 500, `${gaps[0]}`);
  assert.ok(gaps.every((gap) => gap <= 10_001), `${gaps}`);
  assert.ok(gaps.slice(5).every((gap) => gap >= 5000), `${gaps}`);
  assert.ok(new Set(gaps.slice(5)).size > 10, 'they differ, so that clients do not come all at once');

  kept.manager.server = (_, socket) => socket.accept();
  await kept.clock.pass(20_000);
  kept.socket.end();
  await kept.clock.pass(1001);
  assert.ok(kept.socket.connected);
});
