import assert from 'node:assert/strict';

import axe from 'axe-core';

import { suite } from '../lib/suite.js';

const test = suite();

/** Checks contrast, names, roles and other rules of WCAG. */
async function assertAccessible({ page }, what) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => window.axe.run());
    const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
    assert.deepEqual(found, [], `${what}, ${colorScheme}`);
  }
}

// axe inserts markup, which the content security policy of the page does not allow.
const options = { bypassCSP: true };

test('the page in its states', async ({ open }) => {
  const jonas = await open(options);
  await assertAccessible(jonas, 'an empty room');
  await jonas.page.click('#open-login');
  await assertAccessible(jonas, 'the login');
  await jonas.page.keyboard.press('Escape');
  await jonas.logIn('Jonas');
  await jonas.post('Hello');
  await jonas.message('Hello').waitFor();
  const maya = await open(options);
  await maya.logIn('Maya');
  await jonas.person('Maya').waitFor();
  await assertAccessible(jonas, 'a conversation');
  await jonas.person('Maya').locator('.eject').click();
  await assertAccessible(jonas, 'the question before a user is disconnected');
  await jonas.page.fill('#reason', 'Because.');
  await jonas.page.click('#eject [value=suspend]');
  await maya.notice();
  await maya.isGuest();
  await assertAccessible(maya, 'the notice');
  await jonas.page.locator('.suspension').waitFor();
  await assertAccessible(jonas, 'the suspensions');
  const other = await open(options);
  await other.logIn('Jonas');
  await jonas.page.click('#open-devices');
  await jonas.page.locator('.device').nth(1).waitFor();
  await assertAccessible(jonas, 'the devices');
});

test('the page on a phone', async ({ open }) => {
  const jonas = await open({ ...options, viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await jonas.logIn('Jonas');
  await assertAccessible(jonas, 'the room');
  await jonas.page.tap('#people-button');
  await assertAccessible(jonas, 'the people');
});

test('a keyboard is enough', async ({ open }) => {
  const { page, server } = await open();
  await page.locator('#open-login').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Priya');
  await page.keyboard.press('Tab');
  await page.keyboard.type(server.passwords.Priya);
  await page.keyboard.press('Enter');
  await page.locator('.person.me').waitFor();
  await page.keyboard.type('by keyboard');
  await page.keyboard.press('Enter');
  await page.locator('.message', { hasText: 'by keyboard' }).waitFor();
});
