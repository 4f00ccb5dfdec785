// In a file of its own, because a server accepts few logins in a minute.
import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';
import { suspend, suspension } from '../lib/suspension.js';

const test = suite();

const RESTARTED = { expectedErrors: [/net::ERR_CONNECTION_REFUSED/, /net::ERR_EMPTY_RESPONSE/, /WebSocket/] };

test('a suspension survives a restart of the server', RESTARTED, async ({ open, server }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const priya = await open();
  await priya.logIn('Priya');
  await suspend(priya, 'Maya', 'For good.');
  await server.stop();
  await priya.state('reconnecting');
  await server.start();
  await priya.state('online');
  await suspension(priya, 'Maya').waitFor();
  assert.equal((await server.logIn('Maya')).status, 403);
  await suspension(priya, 'Maya').locator('.lift').click();
  await suspension(priya, 'Maya').waitFor({ state: 'detached' });
  assert.equal((await server.logIn('Maya')).status, 200);
});
