import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { forEveryClient, server } from '../lib/matrix.js';
import { coded } from '../lib/sessions.js';
import { userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

const BYTES = [0, 1, 127, 128, 255];
const FORBIDDEN = coded('forbidden');
const LOGIN_REQUIRED = coded('login_required');
const INTERNAL_ERROR = coded('internal_error');

forEveryClient((suite) => {
  const connectAs = async (test, sub, given) => test.connect({ ...given, ...suite.carry(await userToken(sub)) });

  suite.test('the connect handler gets the user', async (test) => {
    const socket = await connectAs(test, '1');
    assert.deepEqual(socket.session, { logged_in: true, name: 'Ada' });
  });

  suite.test('a connect handler that requires a user gets the user', async (test) => {
    const socket = await connectAs(test, '2', { at: 'members' });
    assert.deepEqual(socket.session, { logged_in: true, name: 'Grace' });
  });

  suite.test('an event handler gets the user', async (test) => {
    const socket = await connectAs(test, '1');
    const posted = next(socket, 'posted');
    assert.equal(await ask(socket, 'post', 'hello'), 'hello');
    assert.deepEqual(await posted, { by: 'Ada', text: 'hello' });
  });

  suite.test('an event handler gets the claims', async (test) => {
    const socket = await connectAs(test, '2');
    assert.equal(await ask(socket, 'subject'), '2');
  });

  suite.test('an event handler gets the user and a binary payload', async (test) => {
    const socket = await connectAs(test, '1');
    assert.deepEqual(await ask(socket, 'upload', Buffer.from(BYTES)), { by: 'Ada', bytes: BYTES });
  });

  // engineioxide 0.17.9 (`Permit::emit_many`) leaves out the packet type that these clients expect before the base64.
  const skip = suite.client.isLegacy && suite.client.transport === 'polling' && 'engineioxide cannot send it';
  suite.test('an acknowledgement may be binary', { skip }, async (test) => {
    const socket = await connectAs(test, '1');
    assert.deepEqual([...Buffer.from(await ask(socket, 'download'))], BYTES);
  });

  suite.test('a handler that asks for a foreign user type is internal_error', async (test) => {
    const socket = await connectAs(test, '1');
    assert.deepEqual(await ask(socket, 'account number'), { error: INTERNAL_ERROR });
    await server.logged('another user type');
  });

  /** A connect handler runs after the client was told that it is connected. */
  async function assertSentAway(connection, socket, reason) {
    const unauthorized = next(socket, 'unauthorized');
    const disconnect = next(socket, 'disconnect');
    await connection.join(socket);
    assert.deepEqual(await unauthorized, reason);
    assert.equal(await disconnect, 'io server disconnect');
    assert.ok(!socket.connected);
  }

  suite.test('a connect handler that requires a user disconnects a guest from /', async (test) => {
    const connection = test.connection({ at: 'members' });
    await assertSentAway(connection, connection.socket(), LOGIN_REQUIRED);
  });

  suite.test('a connect handler that requires a user disconnects a guest from its namespace only', async (test) => {
    const connection = test.connection({ at: 'open' });
    const root = await connection.connect(connection.socket());
    await assertSentAway(connection, connection.socket('/members'), LOGIN_REQUIRED);
    assert.equal(await ask(root, 'echo', 'still here'), 'still here');
  });

  suite.test('a connect handler with a policy disconnects users that it denies', async (test) => {
    const { auth, ...given } = suite.carry(await userToken('2'));
    const connection = test.connection({ at: 'open', ...given });
    await connection.connect(connection.socket());
    await assertSentAway(connection, connection.socket('/admins', auth), FORBIDDEN);
  });

  suite.test('a disconnect handler gets the user', async (test) => {
    const namespace = `/tenants/${suite.client.major}-${suite.client.transport}`;
    const inTenant = { at: 'open', namespace };
    const stays = await connectAs(test, '2', inTenant);
    const leaves = await connectAs(test, '1', inTenant);
    const left = next(stays, 'left');
    leaves.disconnect();
    assert.equal(await left, 'Ada');
  });
});
