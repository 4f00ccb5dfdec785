import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { assertRefused, forEveryClientTogether } from '../lib/matrix.js';
import { assertRenewed, coded, newNamespace, renew } from '../lib/sessions.js';
import { newUser, now, tokenLiving, userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

/** In seconds: long enough to connect on a busy machine. */
const LIFE = 3;

const TOLD_AT_EXPIRY = [
  ['unauthorized', coded('token_expired')],
  ['disconnect', 'io server disconnect'],
];

/** Resolves with the events at the end of a session, in order, and their time. */
async function end(socket) {
  const told = [];
  for (const event of ['unauthorized', 'disconnect']) socket.on(event, (value) => told.push([event, value]));
  await next(socket, 'unauthorized');
  const at = now();
  if (told.length === 1) await next(socket, 'disconnect');
  return { told, at };
}

forEveryClientTogether((suite) => {
  const connectWith = (test, token, given = { at: 'open', namespace: newNamespace() }) =>
    test.connect({ ...given, ...suite.carry(token) });

  const places = { '/': () => ({ at: 'sessions' }), 'a namespace': () => ({ at: 'open', namespace: newNamespace() }) };
  for (const [where, given] of Object.entries(places)) {
    suite.test(`a session that expires in ${where} is told token_expired, then disconnected`, async (test) => {
      const { token, expiresAt } = await tokenLiving(LIFE, '1');
      const socket = await connectWith(test, token, given());
      assert.deepEqual(await ask(socket, 'whoami'), { logged_in: true, name: 'Ada' });
      const { told, at } = await end(socket);
      assert.deepEqual(told, TOLD_AT_EXPIRY);
      assert.ok(at >= expiresAt, `told ${expiresAt - at} s too early`);
      assert.ok(!socket.connected);
    });

    suite.test(`token_expiring comes before the end in ${where}`, async (test) => {
      const { token, expiresAt } = await tokenLiving(LIFE, '1');
      const socket = await connectWith(test, token, given());
      const ending = end(socket);
      const { expires_at, expires_in } = await next(socket, 'token_expiring');
      assert.ok(now() < expiresAt);
      assert.equal(expires_at, Math.floor(expiresAt));
      assert.ok([0, 1].includes(expires_in), `expires in ${expires_in} s`);
      assert.deepEqual(await ask(socket, 'whoami'), { logged_in: true, name: 'Ada' });
      assert.deepEqual((await ending).told, TOLD_AT_EXPIRY);
    });
  }

  suite.test('the other namespaces of a connection stay when one expires', async (test) => {
    const { auth, ...given } = suite.carry((await tokenLiving(LIFE, '1')).token);
    const connection = test.connection({ at: 'open', ...given });
    const root = await connection.connect(connection.socket());
    await end(await connection.connect(connection.socket(newNamespace(), auth)));
    assert.equal(await ask(root, 'echo', 'still here'), 'still here');
  });

  suite.test('after its expiry only the disconnect handler sees the user of a session', async (test) => {
    const place = { at: 'open', namespace: newNamespace() };
    const [stays, name] = [await test.connect(place), newUser()];
    const expires = await connectWith(test, (await tokenLiving(LIFE, name)).token, place);
    const left = next(stays, 'left');
    await end(expires);
    assert.deepEqual(await left, { name, alive: false });

    const leaves = await connectWith(test, await userToken(name), place);
    const leftByItself = next(stays, 'left');
    leaves.disconnect();
    assert.deepEqual(await leftByItself, { name, alive: true });
  });

  suite.test('an expired token does not connect again', async (test) => {
    const { token } = await tokenLiving(LIFE, '1');
    await end(await connectWith(test, token));
    await assertRefused(connectWith(test, token), 'token_expired');
  });

  suite.test('a session that was renewed on token_expiring outlives its first token', async (test) => {
    const { token } = await tokenLiving(LIFE, '1');
    const renewed = await connectWith(test, token);
    const expires = await connectWith(test, token);
    const ending = end(expires);
    await next(renewed, 'token_expiring');
    const { token: following, expiresAt } = await tokenLiving(300, '1');
    assertRenewed(await renew(renewed, following), expiresAt);
    await ending;
    assert.deepEqual(await ask(renewed, 'whoami'), { logged_in: true, name: 'Ada' });
  });

  suite.test('a renewed session is warned of its new end, and ends then', async (test) => {
    const socket = await connectWith(test, await userToken('1'));
    const { token, expiresAt } = await tokenLiving(LIFE, '1');
    const ending = end(socket);
    const expiring = next(socket, 'token_expiring');
    assertRenewed(await renew(socket, token), expiresAt);
    assert.equal((await expiring).expires_at, Math.floor(expiresAt));
    assert.deepEqual((await ending).told, TOLD_AT_EXPIRY);
  });

  suite.test('a guest who logged in is disconnected when the token expires', async (test) => {
    const socket = await test.connect({ at: 'open', namespace: newNamespace() });
    const ending = end(socket);
    const { token, expiresAt } = await tokenLiving(LIFE, '2');
    assertRenewed(await renew(socket, token), expiresAt);
    assert.deepEqual((await ending).told, TOLD_AT_EXPIRY);
  });

  suite.test('a refused renewal does not delay the end', async (test) => {
    const socket = await connectWith(test, (await tokenLiving(LIFE, '1')).token);
    const ending = end(socket);
    assert.deepEqual(await renew(socket, await userToken('99')), { error: coded('user_not_found') });
    assert.deepEqual((await ending).told, TOLD_AT_EXPIRY);
  });
});
