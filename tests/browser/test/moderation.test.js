import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

async function post(open, text) {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.post(text);
  await maya.message(text).waitFor();
  return maya;
}

test('a moderator deletes a message', async ({ open }) => {
  const maya = await post(open, 'to be deleted');
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

test('a moderator disconnects a user, who sees why in every window', async ({ open }) => {
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
  await jonas.page.click('#eject [type=submit]');
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

/** As somebody would who changes the page in the browser's tools. */
const pretend = (window) =>
  window.page.evaluate(() => {
    document.body.dataset.role = 'admin';
    for (const button of document.querySelectorAll('.eject')) button.hidden = false;
  });

test('a user who is no moderator is refused, whatever the page shows', async ({ open }) => {
  const maya = await post(open, 'safe from Maya');
  await pretend(maya);
  await maya.message('safe from Maya').hover();
  await maya.message('safe from Maya').locator('.delete').click();
  await maya.toast('Only moderators may do that.');
  await maya.shoot('forbidden');
  await maya.page.reload();
  await maya.message('safe from Maya').waitFor();
});

test('a guest is refused, whatever the page shows', async ({ open }) => {
  await post(open, 'safe from guests');
  const guest = await open();
  await pretend(guest);
  await guest.message('safe from guests').hover();
  await guest.message('safe from guests').locator('.delete').click();
  await guest.toast('Log in to do that.');
});

test('a moderator does not disconnect an admin', async ({ open }) => {
  const priya = await open();
  await priya.logIn('Priya');
  const jonas = await open();
  await jonas.logIn('Jonas');
  await pretend(jonas);
  await jonas.person('Priya').locator('.eject').click();
  await jonas.page.fill('#reason', 'Because.');
  await jonas.page.click('#eject [type=submit]');
  await jonas.page.getByText('You cannot disconnect this user.').waitFor();
  await priya.post('still here');
  await priya.message('still here').waitFor();
});
