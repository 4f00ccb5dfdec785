import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

// What Chromium says of an answer that is not 200.
const REFUSED = { expectedErrors: [/the server responded with a status of (401|429)/] };

test('a guest logs in on the open socket', async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  await window.toast('Welcome, Maya.');
  assert.equal(await window.page.textContent('#me'), 'Maya');
  assert.equal(window.connections, 1);
  await window.shoot('logged-in');
});

test('scripts see neither token', async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  const [cookie, ...others] = await window.context.cookies();
  assert.deepEqual(others, []);
  assert.equal(cookie.httpOnly, true);
  assert.equal(cookie.sameSite, 'Strict');
  const seen = await window.page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]);
  assert.deepEqual(seen, ['', 0, 0]);
});

test('who has logged in stays so in a new window of the browser', async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  const other = await open({ beside: window });
  await other.isUser('Maya');
  assert.equal(other.connections, 1);
});

test('a logout reaches every window of the browser', async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  const other = await open({ beside: window });
  await other.isUser('Maya');
  await window.page.click('#logout');
  await window.isGuest();
  assert.match(await other.notice(), /You are logged out/);
  await other.isGuest();
  await other.page.reload();
  await other.isGuest();
  assert.deepEqual(await window.context.cookies(), []);
});

test("a logout leaves the user's other browsers logged in", async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  const elsewhere = await open();
  await elsewhere.logIn('Maya');
  const back = elsewhere.renewal();
  await window.page.click('#logout');
  await window.isGuest();
  await back;
  await elsewhere.isUser('Maya');
  await elsewhere.post('still here');
  await elsewhere.message('still here').waitFor();
});

test('a window follows another user that its browser logs in', async ({ open }) => {
  const window = await open();
  await window.logIn('Maya');
  const other = await open({ beside: window });
  await other.isUser('Maya');
  await window.page.click('#logout');
  await window.isGuest();
  await other.isGuest();
  await window.logIn('Jonas');
  await other.page.reload();
  await other.isUser('Jonas');
});

test('a wrong password and an unknown name are refused in the same words, and as slowly', REFUSED, async ({
  open,
  server,
}) => {
  const window = await open();
  await window.page.click('#open-login');
  await window.submitLogin('Maya', 'wrong');
  await window.page.getByText('Wrong name or password.').waitFor();
  await window.shoot('wrong-password');

  const known = await attempt(server, 'Maya');
  const unknown = await attempt(server, 'Nobody');
  assert.deepEqual([unknown.status, unknown.text], [known.status, known.text]);
  // A password that is not hashed is refused in a hundredth of the time.
  assert.ok(unknown.time > known.time / 3, `known: ${known.time} ms, unknown: ${unknown.time} ms`);
});

test('passwords cannot be tried without end', REFUSED, async ({ open, server }) => {
  const window = await open();
  for (let tries = 0; (await attempt(server, 'Maya')).status !== 429; tries += 1) {
    assert.ok(tries < 20, 'no limit');
  }
  await window.page.click('#open-login');
  await window.submitLogin('Maya', server.passwords.Maya);
  await window.page.getByText('Too many attempts.').waitFor();
  await window.shoot('too-many-attempts');
});

async function attempt(server, name) {
  const began = performance.now();
  const response = await server.logIn(name, 'wrong');
  return { status: response.status, text: await response.text(), time: performance.now() - began };
}
