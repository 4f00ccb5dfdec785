import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { assertRefused, forEveryClient } from '../lib/matrix.js';
import { coded } from '../lib/sessions.js';
import { expiredToken, forgedToken, userToken } from '../lib/tokens.js';
import { next } from '../lib/wait.js';

const GUEST = { logged_in: false, name: null };
const LOGIN_REQUIRED = coded('login_required');

forEveryClient((suite) => {
  const connect = (test, given) => test.connect({ at: 'guests', ...given });

  suite.test('a connection without a token is a guest', async (test) => {
    const socket = await connect(test);
    assert.deepEqual(socket.session, GUEST);
    assert.deepEqual(await ask(socket, 'whoami'), GUEST);
  });

  suite.test('a connection with an empty token is a guest', async (test) => {
    const socket = await connect(test, suite.carry(''));
    assert.deepEqual(socket.session, GUEST);
  });

  suite.test('a connection with a token is a user where guests are allowed', async (test) => {
    const socket = await connect(test, suite.carry(await userToken('2')));
    assert.deepEqual(socket.session, { logged_in: true, name: 'Grace' });
  });

  const refused = {
    blabla: [() => 'blabla', 'token_malformed'],
    'another secret': [() => forgedToken('1'), 'token_signature_invalid'],
    'an expired token': [() => expiredToken('1'), 'token_expired'],
    'an unknown user': [() => userToken('99'), 'user_not_found'],
    'a denied user': [() => userToken('suspended'), 'user does not exist'],
    'a lookup that fails': [() => userToken('broken'), 'internal_error'],
  };
  for (const [what, [token, message]] of Object.entries(refused)) {
    suite.test(`refused with ${message} where guests are allowed: ${what}`, async (test) => {
      await assertRefused(connect(test, suite.carry(await token())), message);
    });
  }

  for (const event of ['post', 'subject', 'close shop']) {
    suite.test(`a guest's event ${event} is refused in its acknowledgement`, async (test) => {
      const socket = await connect(test);
      assert.deepEqual(await ask(socket, event, 'text'), { error: LOGIN_REQUIRED });
    });

    suite.test(`a guest's event ${event} without an acknowledgement is refused by unauthorized`, async (test) => {
      const socket = await connect(test);
      const unauthorized = next(socket, 'unauthorized');
      socket.emit(event, 'text');
      assert.deepEqual(await unauthorized, { ...LOGIN_REQUIRED, event });
    });
  }

  suite.test('a guest stays connected after a refused event', async (test) => {
    const socket = await connect(test);
    const unauthorized = next(socket, 'unauthorized');
    socket.emit('post', 'text');
    await unauthorized;
    assert.deepEqual(await ask(socket, 'whoami'), GUEST);
    assert.ok(socket.connected);
  });

  suite.test("a guest's binary event is refused in its acknowledgement", async (test) => {
    const socket = await connect(test);
    assert.deepEqual(await ask(socket, 'upload', Buffer.from([0, 255])), { error: LOGIN_REQUIRED });
  });

  suite.test("a guest's binary event without an acknowledgement is refused by unauthorized", async (test) => {
    const socket = await connect(test);
    const unauthorized = next(socket, 'unauthorized');
    socket.emit('upload', Buffer.from([0, 255]));
    assert.deepEqual(await unauthorized, { ...LOGIN_REQUIRED, event: 'upload' });
  });
});
