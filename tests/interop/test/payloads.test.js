import assert from 'node:assert/strict';

import { Refusal, ask } from '../lib/clients.js';
import { assertRefused, forEveryClient, server } from '../lib/matrix.js';
import { forgedToken, userToken } from '../lib/tokens.js';
import { next, within } from '../lib/wait.js';

const ADA = { logged_in: true, name: 'Ada' };
const GUEST = { logged_in: false, name: null };
const CONNECT = 0;

const NO_STRINGS = { number: 5, object: { token: 'x' }, array: ['x'], boolean: true };

forEveryClient((suite) => {
  const { client } = suite;

  for (const [kind, value] of Object.entries(NO_STRINGS)) {
    suite.test(`refused with token_malformed: ${kind} as query auth_token`, async (test) => {
      await assertRefused(test.connect({ query: { auth_token: value } }), 'token_malformed');
    });
  }

  // A browser that is logged out sends them: the client writes `null` and `undefined` as strings into a query.
  for (const nothing of [null, 'null', 'undefined']) {
    suite.test(`no token: ${nothing} (${typeof nothing}) as query auth_token`, async (test) => {
      const given = { query: { auth_token: nothing } };
      await assertRefused(test.connect(given), 'token_missing');
      assert.deepEqual((await test.connect({ at: 'guests', ...given })).session, GUEST);
    });
  }

  suite.test('a good header decides before a bad query', async (test) => {
    const given = { headers: { 'x-auth-token': await userToken('1') }, query: { auth_token: 'blabla' } };
    assert.deepEqual((await test.connect(given)).session, ADA);
  });

  suite.test('a bad header decides before a good query', async (test) => {
    const given = { headers: { 'x-auth-token': 'blabla' }, query: { auth_token: await userToken('1') } };
    await assertRefused(test.connect(given), 'token_malformed');
  });

  suite.test('authorization decides before x-auth-token', async (test) => {
    const headers = { authorization: `Bearer ${await userToken('1')}`, 'x-auth-token': await userToken('2') };
    assert.deepEqual((await test.connect({ headers })).session, ADA);
  });

  suite.test('another scheme than Bearer leaves the decision to the next source', async (test) => {
    const headers = { authorization: 'Basic YTpi', 'x-auth-token': await userToken('1') };
    assert.deepEqual((await test.connect({ headers })).session, ADA);
  });

  const again = {
    "another user's token": () => userToken('2'),
    'a forged token': () => forgedToken('1'),
    'no token': () => undefined,
  };
  for (const [what, token] of Object.entries(again)) {
    suite.test(`a second CONNECT with ${what} changes nothing`, async (test) => {
      const { auth, ...given } = suite.carry(await userToken('1'));
      const connection = test.connection({ at: 'users', ...given });
      const socket = connection.socket('/', auth);
      await connection.connect(socket);
      let sessions = 1;
      let refusals = 0;
      socket.on('session', () => sessions++);
      socket.on(client.isLegacy ? 'error' : 'connect_error', () => refusals++);
      socket.on('disconnect', () => refusals++);
      connection.sendPacket({ type: CONNECT, nsp: '/', ...(client.isLegacy ? {} : { data: { token: await token() } }) });
      // A CONNECT is answered concurrently with events: a few events give it time.
      for (let turn = 0; turn < 5; turn++) assert.deepEqual(await ask(socket, 'whoami'), ADA);
      assert.deepEqual({ sessions, refusals }, { sessions: 1, refusals: 0 });
    });
    // Without an auth payload, all second CONNECTs are equal.
    if (client.isLegacy) break;
  }

  if (client.transport === 'upgraded') {
    suite.test('accepted while the upgrade is under way', async (test) => {
      const { auth, ...given } = suite.carry(await userToken('1'));
      const socket = client.io(server.url, { ...client.options({ at: 'users', ...given }), auth });
      test.context.after(() => socket.io.disconnect());
      const session = next(socket, 'session');
      socket.connect();
      const upgraded = next(socket.io.engine, 'upgrade');
      assert.deepEqual(await session, ADA);
      assert.deepEqual(await ask(socket, 'whoami'), ADA);
      await upgraded;
      assert.deepEqual(await ask(socket, 'whoami'), ADA);
    });

    suite.test('refused while the upgrade is under way', async (test) => {
      const { auth, ...given } = suite.carry('blabla');
      const socket = client.io(server.url, { ...client.options({ at: 'users', ...given }), auth });
      test.context.after(() => socket.io.disconnect());
      const error = next(socket, client.isLegacy ? 'error' : 'connect_error');
      socket.connect();
      assert.equal((await error).message, 'token_malformed');
    });
  }

  if (!client.isLegacy) withAuthPayload(suite);
});

/** Auth payloads, which protocol 4 does not have. */
function withAuthPayload(suite) {
  for (const key of ['token', 'auth_token']) {
    for (const [kind, value] of Object.entries({ ...NO_STRINGS, binary: Buffer.from('x') })) {
      for (const at of ['users', 'guests']) {
        suite.test(`refused with token_malformed: ${kind} as auth.${key} at /${at}`, async (test) => {
          await assertRefused(test.connect({ at, auth: { [key]: value } }), 'token_malformed');
        });
      }
    }
  }

  for (const nothing of [null, 'null', 'Bearer undefined']) {
    suite.test(`no token: ${nothing} (${typeof nothing}) as auth.token`, async (test) => {
      const auth = { token: nothing };
      await assertRefused(test.connect({ auth }), 'token_missing');
      assert.deepEqual((await test.connect({ at: 'guests', auth })).session, GUEST);
      const headers = { 'x-auth-token': await userToken('1') };
      assert.deepEqual((await test.connect({ auth, headers })).session, ADA);
    });
  }

  for (const [kind, auth] of Object.entries({ string: 'text', array: [['token', 'x']], boolean: true })) {
    suite.test(`refused with token_malformed: an auth payload that is not an object: ${kind}`, async (test) => {
      const headers = { 'x-auth-token': await userToken('1') };
      await assertRefused(test.connect({ auth }), 'token_malformed');
      await assertRefused(test.connect({ auth, headers }), 'token_malformed');
      await assertRefused(test.connect({ at: 'guests', auth }), 'token_malformed');
    });
  }

  // The digits after a CONNECT are the number of an acknowledgement, so the server receives no payload.
  suite.test('an auth payload that is a number counts as absent', async (test) => {
    await assertRefused(test.connect({ auth: 5 }), 'token_missing');
    assert.deepEqual((await test.connect({ at: 'guests', auth: 5 })).session, GUEST);
    const headers = { 'x-auth-token': await userToken('1') };
    assert.deepEqual((await test.connect({ auth: 5, headers })).session, ADA);
  });

  suite.test('auth may be a function', async (test) => {
    const token = await userToken('1');
    assert.deepEqual((await test.connect({ auth: (give) => give({ token }) })).session, ADA);
  });

  suite.test('a good auth.token decides before every bad source', async (test) => {
    const given = {
      auth: { token: await userToken('1'), auth_token: 'blabla' },
      headers: { authorization: 'Bearer blabla', 'x-auth-token': 'blabla' },
      query: { auth_token: 'blabla' },
    };
    assert.deepEqual((await test.connect(given)).session, ADA);
  });

  suite.test('a bad auth.token decides before every good source', async (test) => {
    const token = await userToken('1');
    const given = {
      auth: { token: 'blabla', auth_token: token },
      headers: { authorization: `Bearer ${token}`, 'x-auth-token': token },
      query: { auth_token: token },
    };
    await assertRefused(test.connect(given), 'token_malformed');
  });

  suite.test('an empty auth.token leaves the decision to the next source', async (test) => {
    const given = { auth: { token: '' }, headers: { 'x-auth-token': await userToken('1') } };
    assert.deepEqual((await test.connect(given)).session, ADA);
  });

  suite.test('a refused socket is let in with another token on the same connection', async (test) => {
    const connection = test.connection({ at: 'open' });
    await connection.connect(connection.socket());
    const { id } = connection.manager.engine;
    const socket = connection.socket('/users', { token: 'blabla' });
    await assertRefused(connection.connect(socket), 'token_malformed');
    socket.auth = { token: await userToken('1') };
    const session = next(socket, 'session');
    await within(connectUntilAnswered(connection, socket), 'an answer to the second CONNECT');
    assert.deepEqual(await session, ADA);
    assert.equal(connection.manager.engine.id, id);
  });
}

/** socketioxide may ignore a CONNECT that arrives immediately after its `connect_error`. */
async function connectUntilAnswered(connection, socket) {
  for (;;) {
    const answer = connection.outcome(socket, 500);
    socket.connect();
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Refusal) throw error;
      socket.disconnect();
    }
  }
}
