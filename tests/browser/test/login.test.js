import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

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

test('a user stays logged in in a new window of the browser', async ({ open }) => {
  const [, other] = await twoWindowsOfMaya(open);
  assert.equal(other.connections, 1);
});

test('a login reaches every window of the browser, on its open socket', async ({ open }) => {
  const window = await open();
  const other = await open({ beside: window });
  await window.logIn('Maya');
  await other.isUser('Maya');
  assert.equal(await other.page.textContent('#me'), 'Maya');
  assert.equal(other.connections, 1);
});

test('a logout reaches every window of the browser', async ({ open }) => {
  const [window, other] = await twoWindowsOfMaya(open);
  await window.page.click('#logout');
  await window.isGuest();
  assert.match(await other.notice(), /This device was logged out/);
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
  await window.page.click('#logout');
  await window.isGuest();
  await elsewhere.post('still here');
  await elsewhere.message('still here').waitFor();
  assert.equal(elsewhere.connections, 1);
});

test('a window follows another user that its browser logs in', async ({ open }) => {
  const [window, other] = await twoWindowsOfMaya(open);
  await window.page.click('#logout');
  await window.isGuest();
  await other.isGuest();
  await window.logIn('Jonas');
  await other.page.reload();
  await other.isUser('Jonas');
});

async function twoWindowsOfMaya(open) {
  const window = await open();
  await window.logIn('Maya');
  const other = await open({ beside: window });
  await other.isUser('Maya');
  return [window, other];
}
