import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

// The message of Chromium for a response whose status is not 200.
const REFUSED = { expectedErrors: [/the server responded with a status of (401|429)/] };

test('a wrong password and an unknown name are refused with the same message, and equally slowly', REFUSED, async ({
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

test('a click beside the login keeps the password', async ({ open }) => {
  const { page } = await open();
  await page.click('#open-login');
  await page.fill('#password', 'half typed');
  await page.mouse.click(5, 5);
  assert.equal(await page.isVisible('#login'), true);
  assert.equal(await page.inputValue('#password'), 'half typed');
  await page.keyboard.press('Escape');
  await page.locator('#login').waitFor({ state: 'hidden' });
});

test('the number of password attempts is limited', REFUSED, async ({ open }) => {
  const window = await open();
  const refusal = window.page.getByText('Too many attempts.');
  await window.page.click('#open-login');
  // Attempts come back with time, so how many it takes depends on the machine.
  for (let tries = 0; !(await refusal.isVisible()); tries += 1) {
    assert.ok(tries < 30, 'no limit');
    await window.submitLogin('Maya', 'wrong');
    await window.page.locator('#login .error:not(:empty)').waitFor();
  }
  await window.shoot('too-many-attempts');
});

async function attempt(server, name) {
  const began = performance.now();
  const response = await server.logIn(name, 'wrong');
  return { status: response.status, text: await response.text(), time: performance.now() - began };
}
