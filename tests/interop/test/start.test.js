import assert from 'node:assert/strict';
import { test } from 'node:test';

import { failToStart, startServer } from '../lib/server.js';
import { secrets } from '../lib/tokens.js';

test('the server does not start without a secret, and names the missing variable', async () => {
  const { code, log } = await failToStart({ accounts: secrets.accounts });
  assert.notEqual(code, 0);
  assert.match(log, /INTEROP_SECRET/);
});

test('the server does not start with a weak secret, and names its variable', async () => {
  const { code, log } = await failToStart({ ...secrets, accounts: 'weak' });
  assert.notEqual(code, 0);
  assert.match(log, /INTEROP_OTHER_SECRET/);
  assert.doesNotMatch(log, /"weak"/);
});

test('the server ends when its stdin is closed', async () => {
  const server = await startServer(secrets);
  await server.stop();
});
