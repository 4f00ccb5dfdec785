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
  await jonas.page.getByText('Maya: to be deleted').waitFor();
  await jonas.shoot('delete-dialog');
  await jonas.page.click('#delete [data-close]');
  await message.waitFor();
  await jonas.deleteMessage('to be deleted');
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
    () => guest.page.goBack(),
  ]) {
    await guest.page.tap('#people-button');
    await guest.page.locator('#people').waitFor();
    await close();
    await guest.page.locator('#people').waitFor({ state: 'hidden' });
  }
  assert.equal(guest.connections, 1);
});

test('Tab passes one button of the messages, and the arrow keys reach the others', async ({ open }) => {
  const jonas = await open();
  await jonas.logIn('Jonas');
  for (const text of ['first', 'second', 'third']) {
    await jonas.post(`the ${text} one`);
    await jonas.message(`the ${text} one`).waitFor();
  }
  const { page } = jonas;
  const focused = (text) => jonas.message(text).locator('.delete:focus').waitFor();
  await page.locator('#scroller').focus();
  await page.keyboard.press('Tab');
  await focused('the third one');
  await page.keyboard.press('ArrowUp');
  await focused('the second one');
  await page.keyboard.press('Tab');
  await page.locator('#text:focus').waitFor();
  await page.keyboard.press('Shift+Tab');
  await focused('the second one');
  await page.keyboard.press('ArrowDown');
  await focused('the third one');
  await page.keyboard.press('Enter');
  await page.locator('#delete[open]').waitFor();
});

for (const width of [1280, 390]) {
  test(`the newest message stays in view when a moderator logs in, ${width} px`, async ({ open }) => {
    const jonas = await open({ viewport: { width, height: 800 } });
    await jonas.logIn('Jonas');
    // The buttons of a moderator make the text narrower, so that it has more lines.
    for (const name of ['first', 'second', 'last']) {
      await jonas.post(`${name} ${width} ${'words '.repeat(155)}`);
      await jonas.message(`${name} ${width}`).waitFor();
    }
    await jonas.page.click('#logout');
    await jonas.isGuest();
    await jonas.page.waitForFunction(isAtEnd);
    await jonas.logIn('Jonas');
    await jonas.page.waitForFunction(isAtEnd);
  });
}

function isAtEnd() {
  const { scrollHeight, scrollTop, clientHeight } = document.querySelector('#scroller');
  return scrollHeight > clientHeight && scrollHeight - scrollTop - clientHeight < 1;
}
