import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

test('a moderator deletes a message', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.post('to be deleted');
  await maya.message('to be deleted').waitFor();
  const jonas = await open();
  await jonas.logIn('Jonas');
  const message = jonas.message('to be deleted');
  await message.hover();
  await jonas.shoot('moderator');
  await message.hover();
  await message.locator('.delete').click();
  await maya.message('to be deleted').waitFor({ state: 'detached' });

  const guest = await open();
  await guest.person('Maya').waitFor();
  assert.equal(await guest.message('to be deleted').count(), 0);
});

test('a moderator disconnects a user, who sees the reason in every window', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const second = await open({ beside: maya });
  await second.isUser('Maya');
  const elsewhere = await open();
  await elsewhere.logIn('Maya');

  const jonas = await open();
  await jonas.logIn('Jonas');
  assert.equal(await jonas.person('Jonas').locator('.eject').isVisible(), false);
  await jonas.person('Maya').locator('.eject').click();
  await jonas.page.fill('#reason', 'Please keep to the topic.');
  await jonas.shoot('disconnect-dialog');
  await jonas.page.click('#eject [value=disconnect_user]');
  await jonas.toast('Maya was disconnected.');
  await jonas.person('Maya').waitFor({ state: 'detached' });

  for (const window of [maya, second, elsewhere]) {
    assert.match(await window.notice(), /Jonas disconnected you: Please keep to the topic\./);
    await window.isGuest();
  }
  await maya.shoot('disconnected');
  await maya.page.reload();
  await maya.isGuest();
  await maya.logIn('Maya');
});

test('on a phone the list of people opens on demand', async ({ open }) => {
  const jonas = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await jonas.logIn('Jonas');
  assert.equal(await jonas.page.isVisible('#people'), false);
  await jonas.page.tap('#people-button');
  await jonas.person('Jonas').waitFor();
  await jonas.shoot('people', ['phone']);
});

test('on a phone the list closes', async ({ open }) => {
  const guest = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  for (const close of [
    () => guest.page.tap('#people-close'),
    () => guest.page.keyboard.press('Escape'),
    () => guest.page.touchscreen.tap(20, 400),
  ]) {
    await guest.page.tap('#people-button');
    await guest.page.locator('#people').waitFor();
    await close();
    await guest.page.locator('#people').waitFor({ state: 'hidden' });
  }
});
