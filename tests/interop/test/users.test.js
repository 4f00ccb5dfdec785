import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { CLIENTS, forEveryClient, usualCarrier } from '../lib/matrix.js';
import { coded, denied, newNamespace, renew } from '../lib/sessions.js';
import { newUser, userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

const DISCONNECTED = 'io server disconnect';

/** Connects a socket of a user with any client. */
async function connectAs(test, user, { client = test.client, at = 'sessions', namespace = '/' } = {}) {
  const { auth, ...given } = usualCarrier(client).carry(await userToken(user));
  const connection = test.connection({ at, ...given }, client);
  return connection.connect(connection.socket(namespace, auth));
}

const nextOfEach = (sockets, event) => Promise.all(sockets.map((socket) => next(socket, event)));

forEveryClient((suite) => {
  const ofEveryClient = (test, user) => Promise.all(CLIENTS.map((client) => connectAs(test, user, { client })));

  suite.test('disconnect_user reaches all clients of a user, and no other user', async (test) => {
    const user = newUser();
    const socket = await connectAs(test, user);
    const sockets = [socket, ...(await ofEveryClient(test, user))];
    const [other, guest] = [await connectAs(test, newUser()), await test.connect({ at: 'sessions' })];
    const disconnected = nextOfEach(sockets, 'disconnect');
    socket.emit('log out everywhere');
    assert.deepEqual(await disconnected, sockets.map(() => DISCONNECTED));
    assert.ok((await ask(other, 'whoami')).logged_in);
    assert.ok(!(await ask(guest, 'whoami')).logged_in);
  });

  suite.test('disconnect_user_because tells every client of a user the reason', async (test) => {
    const user = newUser();
    const sockets = await ofEveryClient(test, user);
    const moderator = await connectAs(test, '1');
    const told = nextOfEach(sockets, 'unauthorized');
    const disconnected = nextOfEach(sockets, 'disconnect');
    assert.equal(await ask(moderator, 'remove user', user), true);
    assert.deepEqual(await told, sockets.map(() => (denied('removed by a moderator'))));
    assert.deepEqual(await disconnected, sockets.map(() => DISCONNECTED));
    assert.ok(moderator.connected);
  });

  suite.test('disconnect_user reaches every namespace of a connection, and leaves the others open', async (test) => {
    const user = newUser();
    const { auth, ...given } = suite.carry(await userToken(user));
    const connection = test.connection({ at: 'open', ...given });
    const root = await connection.connect(connection.socket());
    const first = await connection.connect(connection.socket(newNamespace(), auth));
    const second = await connection.connect(connection.socket(newNamespace(), auth));
    const disconnected = nextOfEach([first, second], 'disconnect');
    first.emit('log out everywhere');
    assert.deepEqual(await disconnected, [DISCONNECTED, DISCONNECTED]);
    assert.equal(await ask(root, 'echo', 'still here'), 'still here');
  });

  suite.test('a guest who logs in becomes one of the clients of the user', async (test) => {
    const user = newUser();
    const [socket, guest] = [await connectAs(test, user), await test.connect({ at: 'sessions' })];
    assert.ok('expires_at' in (await renew(guest, await userToken(user))));
    const disconnected = next(guest, 'disconnect');
    socket.emit('log out everywhere');
    assert.equal(await disconnected, DISCONNECTED);
  });

  suite.test('a user whose token was renewed can still be reached', async (test) => {
    const user = newUser();
    const [writer, reader] = [await connectAs(test, '1'), await connectAs(test, user)];
    assert.ok('expires_at' in (await renew(reader, await userToken(user))));
    const letters = [];
    reader.on('letter', (letter) => letters.push(letter));
    writer.emit('write to user', user, 'hello');
    assert.equal(await next(reader, 'letter'), 'hello');
    await ask(reader, 'whoami');
    assert.deepEqual(letters, ['hello'], 'once');
  });

  suite.test('a letter to a user reaches all clients of that user', async (test) => {
    const user = newUser();
    const sockets = await ofEveryClient(test, user);
    const letters = nextOfEach(sockets, 'letter');
    sockets[0].emit('write to user', user, 'hello');
    assert.deepEqual(await letters, sockets.map(() => 'hello'));
  });

  suite.test('a guest cannot log a user out', async (test) => {
    const guest = await test.connect({ at: 'sessions' });
    const unauthorized = next(guest, 'unauthorized');
    guest.emit('log out everywhere');
    assert.deepEqual(await unauthorized, { ...coded('login_required'), event: 'log out everywhere' });
  });
});
