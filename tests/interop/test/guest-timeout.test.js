import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { forEveryClientTogether } from '../lib/matrix.js';
import { coded, newImpatientNamespace, renew } from '../lib/sessions.js';
import { userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

forEveryClientTogether((suite) => {
  /** On a connection that is open and upgraded: the time runs from the CONNECT of the namespace. */
  async function connectTo(test, namespace, { auth, ...given } = {}) {
    const connection = test.connection({ at: 'open', ...given });
    const root = await connection.connect(connection.socket());
    return { root, socket: await connection.connect(connection.socket(namespace, auth)) };
  }

  suite.test('a guest who does not log in is told login_required, then disconnected', async (test) => {
    const { root, socket } = await connectTo(test, newImpatientNamespace());
    const disconnect = next(socket, 'disconnect');
    assert.deepEqual(await next(socket, 'unauthorized'), coded('login_required'));
    assert.equal(await disconnect, 'io server disconnect');
    assert.ok(!socket.connected);
    assert.equal(await ask(root, 'echo', 'still here'), 'still here');
  });

  suite.test('a guest who logs in in time stays', async (test) => {
    const namespace = newImpatientNamespace();
    const { socket } = await connectTo(test, namespace);
    assert.ok('expires_at' in (await renew(socket, await userToken('2'))));
    const { socket: cameLater } = await connectTo(test, namespace);
    await next(cameLater, 'disconnect');
    assert.deepEqual(await ask(socket, 'whoami'), { logged_in: true, name: 'Grace' });
  });

  suite.test('a guest whose login is refused does not stay', async (test) => {
    const { socket } = await connectTo(test, newImpatientNamespace());
    const disconnect = next(socket, 'disconnect');
    const unauthorized = next(socket, 'unauthorized');
    assert.deepEqual(await renew(socket, await userToken('99')), { error: coded('user_not_found') });
    assert.deepEqual(await unauthorized, coded('login_required'));
    assert.equal(await disconnect, 'io server disconnect');
  });

  suite.test('a user need not log in', async (test) => {
    const namespace = newImpatientNamespace();
    const { socket } = await connectTo(test, namespace, suite.carry(await userToken('1')));
    const { socket: guest } = await connectTo(test, namespace);
    await next(guest, 'disconnect');
    assert.deepEqual(await ask(socket, 'whoami'), { logged_in: true, name: 'Ada' });
  });
});
