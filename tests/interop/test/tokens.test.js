import assert from 'node:assert/strict';

import { ask } from '../lib/clients.js';
import { assertRefused, carriers, forEveryClient, server } from '../lib/matrix.js';
import { expiredToken, forgedToken, userToken } from '../lib/tokens.js';

const ADA = { logged_in: true, name: 'Ada' };

forEveryClient((suite) => {
  for (const { name, carry } of carriers(suite.client)) {
    for (const scheme of ['', 'Bearer ', 'bEARER ']) {
      suite.test(`accepted: ${name} = ${scheme}<token>`, async (test) => {
        const socket = await test.connect(carry(scheme + (await userToken('1'))));
        assert.deepEqual(await ask(socket, 'whoami'), ADA);
      });
    }

    const refused = {
      blabla: [() => 'blabla', 'token_malformed'],
      'three segments of nonsense': [() => 'a.b.c', 'token_malformed'],
      'another secret': [() => forgedToken('1'), 'token_signature_invalid'],
      'an expired token': [() => expiredToken('1'), 'token_expired'],
      'another algorithm': [() => userToken('1', { algorithm: 'HS384' }), 'token_algorithm_not_allowed'],
      'a token of 9000 bytes': [() => 'a'.repeat(9000), 'token_too_large'],
      'an unknown user': [() => userToken('99'), 'user_not_found'],
      'a denied user': [() => userToken('suspended'), 'user does not exist'],
      'a lookup that fails': [() => userToken('broken'), 'internal_error'],
      'a lookup that panics': [() => userToken('panics'), 'internal_error'],
      'an empty token': [() => '', 'token_missing'],
    };
    for (const [what, [token, message]] of Object.entries(refused)) {
      suite.test(`refused with ${message}: ${what} in ${name}`, async (test) => {
        await assertRefused(test.connect(carry(await token())), message);
      });
    }
  }

  suite.test('accepted: authorization = Bearer <token>', async (test) => {
    const socket = await test.connect({ headers: { authorization: `Bearer ${await userToken('1')}` } });
    assert.deepEqual(await ask(socket, 'whoami'), ADA);
  });

  suite.test('refused with token_missing: no token', async (test) => {
    await assertRefused(test.connect(), 'token_missing');
  });

  suite.test('the cause of internal_error is in the log', async (test) => {
    await assertRefused(test.connect(suite.carry(await userToken('broken'))), 'internal_error');
    await server.logged('the table of users is gone');
  });
});
