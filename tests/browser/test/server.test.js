import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test as nodeTest } from 'node:test';

import { Server, nodeModules } from '../lib/server.js';
import { suite } from '../lib/suite.js';

const test = suite();

const GONE = { expectedErrors: [/net::ERR_CONNECTION_REFUSED/, /net::ERR_EMPTY_RESPONSE/, /WebSocket/] };

test('a page reconnects after a restart of the server, as the same user', GONE, async ({ open, server }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const jonas = await open();
  await jonas.logIn('Jonas');
  await maya.post('before the restart');
  await jonas.message('before the restart').waitFor();

  await server.stop();
  await maya.state('reconnecting');
  await maya.post('in vain');
  await maya.toast('Not connected.');
  await maya.shoot('reconnecting');

  await server.start();
  await maya.state('online');
  await maya.isUser('Maya');
  await maya.person('Jonas').waitFor();
  assert.equal(await maya.page.inputValue('#text'), 'in vain');
  await maya.page.press('#text', 'Enter');
  await jonas.message('in vain').waitFor();
  assert.deepEqual(await maya.page.locator('.text').allTextContents(), ['before the restart', 'in vain']);
});

const OFFLINE = { expectedErrors: [/net::ERR_INTERNET_DISCONNECTED/] };

test('a message that was deleted while a page was away is gone', OFFLINE, async ({ open }) => {
  const jonas = await open();
  await jonas.logIn('Jonas');
  await jonas.post('deleted meanwhile');
  await jonas.message('deleted meanwhile').waitFor();
  const guest = await open();
  await guest.message('deleted meanwhile').waitFor();

  await guest.context.setOffline(true);
  await guest.state('reconnecting');
  await jonas.deleteMessage('deleted meanwhile');
  await jonas.message('deleted meanwhile').waitFor({ state: 'detached' });
  await guest.context.setOffline(false);
  await guest.state('online');
  await guest.message('deleted meanwhile').waitFor({ state: 'detached' });
});

const CDN = 'https://cdn.socket.io/4.8.3/socket.io.min.js';

nodeTest('where the client library is not installed, the page is sent to its CDN', async () => {
  const server = await Server.start({ NODE_MODULES: '/nowhere' });
  try {
    const response = await fetch(`${server.url}/client/socket.io.min.js`, { redirect: 'manual' });
    assert.equal(response.status, 307);
    assert.equal(response.headers.get('location'), CDN);
  } finally {
    await server.remove();
  }
});

const PLAYED = {
  expectedErrors: [
    /Failed to find a valid digest/,
    /socket.io-client could not be loaded/,
    // A mocked page has no address, so Chromium denies it access to loopback over WebSocket: it stays with polling.
    /ERR_BLOCKED_BY_LOCAL_NETWORK_ACCESS_CHECKS/,
  ],
};

test('the page takes the client library from its CDN, but no other file', PLAYED, async ({ open, server }) => {
  const guest = await open();
  const library = await readFile(join(nodeModules, 'socket.io-client/dist/socket.io.min.js'), 'utf8');
  // Redirects of the browser cannot be mocked, so the page names their target here.
  await guest.page.route(`${server.url}/`, async (route) => {
    const response = await route.fetch();
    const body = (await response.text()).replace('client/socket.io.min.js', CDN);
    await route.fulfill({ response, body });
  });
  let answers = 0;
  const serve = (body) =>
    guest.page.route(CDN, async (route) => {
      await route.fulfill({ body, contentType: 'text/javascript', headers: { 'access-control-allow-origin': '*' } });
      answers += 1;
    });
  await serve(library);
  await guest.open();
  assert.equal(answers, 1);

  await serve(`${library} `);
  await guest.page.reload();
  assert.equal(answers, 2);
  assert.equal(await guest.page.evaluate(() => 'io' in window), false);
  await guest.page.getByText('A part of the page is missing').waitFor();
  await guest.shoot('broken');
});

nodeTest('without JWT_SECRET one is made, with a warning, and kept', async () => {
  const server = await Server.start();
  try {
    const file = join(server.folder, '.env');
    const secret = await readFile(file, 'utf8');
    assert.match(secret, /^JWT_SECRET=[0-9a-f]{64}\n$/);
    assert.equal(((await stat(file)).mode & 0o777).toString(8), '600');
    assert.match(server.output, /Warning: JWT_SECRET is not set/);
    assert.deepEqual(Object.keys(server.passwords), ['Maya', 'Jonas', 'Priya']);
    await server.stop();
    await server.start();
    assert.equal(await readFile(file, 'utf8'), secret);
    assert.doesNotMatch(server.output, /passwords/);
  } finally {
    await server.remove();
  }
});

nodeTest('with JWT_SECRET nothing is made', async () => {
  const server = await Server.start({ JWT_SECRET: 'a secret of thirty-two bytes or more' });
  try {
    assert.doesNotMatch(server.output, /Warning/);
    await assert.rejects(readFile(join(server.folder, '.env')), { code: 'ENOENT' });
  } finally {
    await server.remove();
  }
});

nodeTest('every answer has the headers that protect it', async () => {
  const server = await Server.start();
  try {
    for (const path of ['/', '/app.js', '/none', '/socket.io/?EIO=4&transport=polling']) {
      const { headers } = await fetch(server.url + path);
      assert.match(headers.get('content-security-policy'), /^default-src 'none'; script-src 'self' https:\/\/cdn/, path);
      assert.equal(headers.get('x-content-type-options'), 'nosniff', path);
      assert.equal(headers.get('referrer-policy'), 'no-referrer', path);
    }
  } finally {
    await server.remove();
  }
});
