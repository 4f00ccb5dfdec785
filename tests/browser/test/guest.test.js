import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

test('a guest opens the page of an empty room', async ({ open }) => {
  const guest = await open();
  await guest.page.getByText('No messages yet').waitFor();
  await guest.page.getByText('1 guest is reading').waitFor();
  assert.equal(await guest.page.textContent('#nobody'), 'Nobody is logged in.');
  await guest.shoot('empty');
});

test('a guest reads new messages and earlier ones', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.post('before the guest');
  await maya.message('before the guest').waitFor();

  const guest = await open();
  await guest.message('before the guest').waitFor();
  await maya.post('while the guest reads');
  await guest.message('while the guest reads').waitFor();
  await guest.person('Maya').waitFor();
  assert.equal(await guest.page.textContent('#guests'), '1 guest is reading');
  await guest.shoot('guest');
});

test("a guest's message is refused, and sent after the login", async ({ open }) => {
  const guest = await open();
  await guest.post('from a guest');
  await guest.page.getByText('Log in, and your message is sent.').waitFor();
  await guest.shoot('guest-refused');
  assert.equal(await guest.message('from a guest').count(), 0);

  await guest.submitLogin('Jonas', guest.server.passwords.Jonas);
  await guest.message('from a guest').waitFor();
  assert.equal(await guest.message('from a guest').locator('.author').textContent(), 'Jonas');
  assert.equal(await guest.page.inputValue('#text'), '');
});

test('a page that closes is not worth a warning', async ({ open, server }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const guest = await open();
  await open();
  await maya.page.getByText('2 guests are reading').waitFor();
  await guest.page.close();
  await maya.page.getByText('1 guest is reading').waitFor();
  assert.doesNotMatch(server.output, /WARN/);
});
