import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const TOKEN_SECONDS = 3;
// The leeway of the server for an expired token.
const LEEWAY_SECONDS = 2;

const test = suite({ TOKEN_SECONDS: String(TOKEN_SECONDS) });

test('tokens are renewed on the open socket, before they expire', async ({ open }) => {
  const maya = await open();
  const token = maya.page.waitForResponse((response) => response.url().endsWith('/login'));
  await maya.logIn('Maya');
  const expired = (await (await token).json()).expires_in + LEEWAY_SECONDS;
  assert.equal(expired, TOKEN_SECONDS + LEEWAY_SECONDS);

  const began = performance.now();
  while (performance.now() - began < (expired + 1) * 1000) {
    const answer = await (await maya.renewal()).json();
    assert.equal(answer.user.name, 'Maya');
  }
  await maya.post('long after the first token');
  await maya.message('long after the first token').waitFor();
  assert.equal(maya.connections, 1);
  assert.equal(await maya.page.isVisible('#notice'), false);
});

const FAILED = {
  expectedErrors: [
    /net::ERR_FAILED/,
    // A connection that the page closes during its upgrade to WebSocket.
    /status of 400/,
  ],
};

test('after a failed renewal the page connects again', FAILED, async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.page.route('**/token', (route) => route.abort());
  await maya.state('reconnecting');
  await maya.page.unroute('**/token');
  await maya.state('online');
  await maya.isUser('Maya');
  assert.equal(await maya.page.isVisible('#notice'), false);
  await maya.post('back again');
  await maya.message('back again').waitFor();
});

test('a login as another user in another window changes the user', async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  const other = await open({ beside: window });
  await other.isUser('Maya');
  // The cookie of another login, as an older window receives it.
  await other.page.evaluate(
    (credentials) =>
      fetch('/login', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(credentials),
      }),
    { name: 'Jonas', password: other.server.passwords.Jonas },
  );
  await window.isUser('Jonas');
  await other.isUser('Jonas');
});
