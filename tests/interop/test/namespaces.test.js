import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { assertRefused, forEveryClient, server } from '../lib/matrix.js';
import { coded } from '../lib/sessions.js';
import { accountToken, userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

forEveryClient((suite) => {
  const { client } = suite;

  /** A connection that has joined an open `/`, and the `auth` of its other sockets. */
  async function openConnection(test, given) {
    const { auth, ...options } = given;
    const connection = test.connection({ at: 'open', ...options });
    await connection.connect(connection.socket());
    return { connection, auth };
  }

  suite.test('two namespaces with different secrets, claims and users at once', async (test) => {
    const [token, account_token] = [await userToken('1'), await accountToken(42)];
    const connection = test.connection({ at: 'open', query: client.isLegacy ? { auth_token: token, account_token } : {} });
    await connection.connect(connection.socket());
    const users = await connection.connect(connection.socket('/users', { token }));
    const accounts = await connection.connect(connection.socket('/accounts', { token: account_token }));
    assert.deepEqual(users.session, { logged_in: true, name: 'Ada' });
    assert.equal(accounts.session, 42);
    assert.deepEqual(await ask(users, 'whoami'), { logged_in: true, name: 'Ada' });
    assert.equal(await ask(accounts, 'account number'), 42);
    assert.deepEqual(await ask(accounts, 'whoami'), { error: coded('internal_error') });
  });

  suite.test("another namespace's token is refused with token_signature_invalid", async (test) => {
    const token = await userToken('1');
    const { connection } = await openConnection(test, { query: { account_token: token } });
    await assertRefused(connection.connect(connection.socket('/accounts')), 'token_signature_invalid');
    const { connection: other, auth } = await openConnection(test, suite.carry(await accountToken(42)));
    await assertRefused(other.connect(other.socket('/users', auth)), 'token_signature_invalid');
  });

  suite.test('claims of another shape are refused with token_claims_invalid', async (test) => {
    const token = await accountToken('forty-two');
    const { connection } = await openConnection(test, { query: { account_token: token } });
    await assertRefused(connection.connect(connection.socket('/accounts')), 'token_claims_invalid');
  });

  suite.test('a refused namespace does not affect the others of its connection', async (test) => {
    const { connection, auth } = await openConnection(test, suite.carry('blabla'));
    await assertRefused(connection.connect(connection.socket('/users', auth)), 'token_malformed');
    await assertRefused(connection.connect(connection.socket('/guests', auth)), 'token_malformed');
    const root = connection.socket();
    assert.equal(await ask(root, 'echo', 'still here'), 'still here');
  });

  suite.test('a dynamic namespace admits a client with a token', async (test) => {
    const { connection, auth } = await openConnection(test, suite.carry(await userToken('2')));
    const blue = await connection.connect(connection.socket('/tenants/blue', auth));
    const red = await connection.connect(connection.socket('/tenants/red', auth));
    assert.deepEqual(await ask(blue, 'whoami'), { logged_in: true, name: 'Grace' });
    assert.deepEqual(await ask(red, 'whoami'), { logged_in: true, name: 'Grace' });
  });

  suite.test('a dynamic namespace refuses a client without a token', async (test) => {
    const { connection } = await openConnection(test, {});
    await assertRefused(connection.connect(connection.socket('/tenants/blue')), 'token_missing');
  });

  suite.test('guests are admitted to one namespace of a connection and not to another', async (test) => {
    const { connection } = await openConnection(test, {});
    const guests = await connection.connect(connection.socket('/guests'));
    await assertRefused(connection.connect(connection.socket('/users')), 'token_missing');
    assert.deepEqual(await ask(guests, 'whoami'), { logged_in: false, name: null });
  });

  if (client.isLegacy) {
    suite.test('a refused / does not affect the namespaces of its connection', async (test) => {
      const connection = test.connection({ at: 'users' });
      await assertRefused(connection.connect(connection.socket()), 'token_missing');
      const guests = await connection.connect(connection.socket('/guests'));
      assert.deepEqual(guests.session, { logged_in: false, name: null });
    });

    // socketioxide takes the query that these clients append for a part of the namespace's path, and its answer to that
    // path is not the client's namespace. The query of the connection is the way: `manager.socket(path)`.
    suite.test('io(namespace, { query }) asks for a namespace that does not exist', async (test) => {
      const query = { auth_token: await userToken('1') };
      const socket = client.io(`${server.url}/users`, client.options({ at: 'open', query }));
      test.context.after(() => socket.io.disconnect());
      const refusal = new Promise((resolve) => {
        socket.io.on('packet', (packet) => packet.nsp.startsWith('/users') && resolve(packet));
      });
      socket.connect();
      const packet = await refusal;
      assert.equal(packet.nsp, `/users?auth_token=${query.auth_token}`);
      assert.equal(packet.data.message, 'Invalid namespace');
    });
  }

  if (client.major === 2) {
    suite.test('the refusal of / is an error event of every socket of the connection', async (test) => {
      const connection = test.connection({ at: 'users' });
      const guests = connection.socket('/guests');
      const error = next(guests, 'error');
      const session = next(guests, 'session');
      guests.connect();
      await assertRefused(connection.join(connection.socket()), 'token_missing');
      assert.equal((await error).message, 'token_missing');
      assert.deepEqual(await session, { logged_in: false, name: null });
    });
  }
});
