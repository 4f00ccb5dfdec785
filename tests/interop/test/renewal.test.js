import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { ask } from '../lib/clients.js';
import { forEveryClient } from '../lib/matrix.js';
import { assertRenewed, coded, denied, newNamespace, renew } from '../lib/sessions.js';
import { expiredToken, forgedToken, newUser, now, tokenLiving, userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

const ADA = { logged_in: true, name: 'Ada' };
const GRACE = { logged_in: true, name: 'Grace' };
const GUEST = { logged_in: false, name: null };
const TOO_MANY = coded('too_many_attempts');

const REFUSED = {
  blabla: [() => ({ token: 'blabla' }), coded('token_malformed')],
  'a number': [() => ({ token: 5 }), coded('token_malformed')],
  'an empty token': [() => ({ token: '' }), coded('token_missing')],
  'no token': [() => ({}), coded('token_missing')],
  'a token of null': [() => ({ token: null }), coded('token_missing')],
  null: [() => null, coded('token_missing')],
  'a string that is not a token': [() => 'blabla', coded('token_malformed')],
  'a token of 9000 bytes': [() => ({ token: 'a'.repeat(9000) }), coded('token_too_large')],
  'another secret': [async () => ({ token: await forgedToken('1') }), coded('token_signature_invalid')],
  'an expired token': [async () => ({ token: await expiredToken('1') }), coded('token_expired')],
  'an unknown user': [async () => ({ token: await userToken('99') }), coded('user_not_found')],
  'a lookup that fails': [async () => ({ token: await userToken('broken') }), coded('internal_error')],
  'a lookup that panics': [async () => ({ token: await userToken('panics') }), coded('internal_error')],
  'a denied user': [
    async () => ({ token: await userToken('suspended') }),
    denied('user does not exist'),
  ],
};

forEveryClient((suite) => {
  const connectAs = async (test, sub, namespace = newNamespace()) =>
    test.connect({ at: 'open', namespace, ...suite.carry(await userToken(sub)) });
  const connectGuest = (test, namespace = newNamespace()) => test.connect({ at: 'open', namespace });

  suite.test('a guest logs in and is answered when the token expires', async (test) => {
    const socket = await connectGuest(test);
    assert.deepEqual(socket.session, GUEST);
    const login = next(socket, 'login');
    const { token, expiresAt } = await tokenLiving(300, '2');
    assertRenewed(await renew(socket, token), expiresAt);
    assert.deepEqual(await login, GRACE);
    assert.deepEqual(await ask(socket, 'whoami'), GRACE);
  });

  suite.test('a guest logs in at /', async (test) => {
    const socket = await test.connect({ at: 'sessions' });
    assert.deepEqual(socket.session, GUEST);
    const { token, expiresAt } = await tokenLiving(300, '2');
    assertRenewed(await renew(socket, `Bearer ${token}`), expiresAt);
    assert.deepEqual(await ask(socket, 'whoami'), GRACE);
  });

  suite.test('a guest logs in without an acknowledgement', async (test) => {
    const socket = await connectGuest(test);
    let refusals = 0;
    socket.on('unauthorized', () => refusals++);
    const login = next(socket, 'login');
    socket.emit('authenticate', { token: await userToken('2') });
    assert.deepEqual(await login, GRACE);
    assert.deepEqual(await ask(socket, 'whoami'), GRACE);
    assert.equal(refusals, 0);
  });

  suite.test('a user renews the token', async (test) => {
    const socket = await connectAs(test, '1');
    const { token, expiresAt } = await tokenLiving(900, '1');
    assertRenewed(await renew(socket, token), expiresAt);
    assert.equal(await ask(socket, 'expires at'), Math.floor(expiresAt));
    assert.deepEqual(await ask(socket, 'whoami'), ADA);
  });

  for (const [what, [payload, error]] of Object.entries(REFUSED)) {
    suite.test(`a login is refused with ${error.code} in its acknowledgement: ${what}`, async (test) => {
      const socket = await connectGuest(test);
      assert.deepEqual(await ask(socket, 'authenticate', await payload()), { error });
      assert.deepEqual(await ask(socket, 'whoami'), GUEST);
    });

    suite.test(`a renewal is refused with ${error.code} by unauthorized: ${what}`, async (test) => {
      const socket = await connectAs(test, '1');
      const unauthorized = next(socket, 'unauthorized');
      socket.emit('authenticate', await payload());
      assert.deepEqual(await unauthorized, { ...error, event: 'authenticate' });
      assert.deepEqual(await ask(socket, 'whoami'), ADA);
    });
  }

  suite.test("another user's token is subject_mismatch and leaves the session as it is", async (test) => {
    const { token, expiresAt } = await tokenLiving(300, '1');
    const socket = await test.connect({ at: 'open', namespace: newNamespace(), ...suite.carry(token) });
    assert.deepEqual(await renew(socket, await userToken('2')), { error: coded('subject_mismatch') });
    assert.deepEqual(await ask(socket, 'whoami'), ADA);
    assert.equal(await ask(socket, 'expires at'), Math.floor(expiresAt));
  });

  suite.test('of several renewals at once the newest wins', async (test) => {
    const [user, gate] = [newUser(), randomUUID()];
    const socket = await connectAs(test, user);
    const tokens = await Promise.all([400, 500, 600].map((life) => tokenLiving(life, user, { claims: { gate } })));
    const answers = tokens.map(({ token }) => renew(socket, token));
    // The lookup of the first waits at the gate until all three have arrived.
    for (const _ of tokens) await ask(socket, 'open gate', gate);
    const [first, , newest] = tokens;
    const [firstAnswer, superseded, newestAnswer] = await Promise.all(answers);
    assertRenewed(firstAnswer, first.expiresAt);
    assert.deepEqual(superseded, { error: TOO_MANY });
    assertRenewed(newestAnswer, newest.expiresAt);
    assert.equal(await ask(socket, 'expires at'), Math.floor(newest.expiresAt));
  });

  suite.test('a token that was issued before the current one does not replace it', async (test) => {
    const socket = await connectGuest(test);
    const issued = Math.floor(now());
    const newer = await tokenLiving(300, '1', { issued });
    const older = await tokenLiving(900, '1', { issued: issued - 60 });
    assertRenewed(await renew(socket, newer.token), newer.expiresAt);
    assertRenewed(await renew(socket, older.token), newer.expiresAt);
    assert.equal(await ask(socket, 'expires at'), Math.floor(newer.expiresAt));
  });

  suite.test('a flood of renewals is refused', async (test) => {
    const socket = await connectAs(test, '1');
    const token = await userToken('1');
    for (let attempt = 1; attempt <= 20; attempt++) assert.ok('expires_at' in (await renew(socket, token)));
    assert.deepEqual(await renew(socket, token), { error: TOO_MANY });
    assert.deepEqual(await ask(socket, 'whoami'), ADA);
  });

  suite.test('a login counts in its own namespace only', async (test) => {
    const connection = test.connection({ at: 'open' });
    await connection.connect(connection.socket());
    const first = await connection.connect(connection.socket(newNamespace()));
    const second = await connection.connect(connection.socket(newNamespace()));
    assert.ok('expires_at' in (await renew(first, await userToken('1'))));
    assert.deepEqual(await ask(second, 'whoami'), GUEST);
    assert.ok('expires_at' in (await renew(second, await userToken('2'))));
    assert.deepEqual(await ask(first, 'whoami'), ADA);
    assert.deepEqual(await ask(second, 'whoami'), GRACE);
  });
});
