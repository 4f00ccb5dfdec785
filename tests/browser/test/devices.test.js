import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

const PHONE = {
  userAgent: 'Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0',
};

/** Maya in a browser on a desktop and in one on a phone. */
async function twoDevicesOfMaya(open) {
  const phone = await open(PHONE);
  await phone.logIn('Maya');
  const desktop = await open();
  await desktop.logIn('Maya');
  return [desktop, phone];
}

const devices = ({ page }) => page.locator('.device');

const device = (window, name) => devices(window).filter({ hasText: name });

async function openDevices(window, count) {
  await window.page.click('#open-devices');
  await devices(window).nth(count - 1).waitFor();
  assert.equal(await devices(window).count(), count);
}

test('a user sees where they are logged in', async ({ open }) => {
  const [desktop, phone] = await twoDevicesOfMaya(open);
  await phone.page.close();
  await openDevices(desktop, 2);
  const own = device(desktop, 'Chrome on Linux');
  assert.equal(await own.locator('.badge').isVisible(), true);
  assert.equal(await own.locator('.end').isVisible(), false);
  assert.match(await own.locator('.since').textContent(), /^Logged in .*\d/);
  assert.equal(await own.locator('.state').textContent(), 'Connected now');

  const other = device(desktop, 'Firefox on Android');
  assert.equal(await other.locator('.badge').isVisible(), false);
  await other.getByText('Not connected now').waitFor();
  await desktop.shoot('devices');
  await desktop.page.keyboard.press('Escape');
  await desktop.page.click('#logout');
  await desktop.isGuest();
  assert.equal(await desktop.page.isVisible('#open-devices'), false);
});

test('a user logs one device out, which cannot come back', async ({ open }) => {
  const [desktop, phone] = await twoDevicesOfMaya(open);
  const second = await open({ beside: phone });
  await second.isUser('Maya');
  await openDevices(desktop, await countDevices(desktop));
  await device(desktop, 'Firefox on Android').filter({ hasText: /Connected now/ }).locator('.end').click();
  await desktop.page.getByText('Firefox on Android was logged out.').waitFor();

  for (const window of [phone, second]) {
    assert.match(await window.notice(), /This device was logged out\./);
    await window.isGuest();
  }
  await phone.shoot('device-ended');
  await phone.page.reload();
  await phone.isGuest();
  await desktop.page.keyboard.press('Escape');
  await desktop.post('still here');
  await desktop.message('still here').waitFor();
  assert.equal(desktop.connections, 1);
});

test('a user logs all other devices out', async ({ open }) => {
  const [desktop, phone] = await twoDevicesOfMaya(open);
  const beside = await open({ beside: desktop });
  await beside.isUser('Maya');
  await openDevices(desktop, await countDevices(desktop));
  await desktop.page.click('#end-others');
  await desktop.toast('All other devices were logged out.');
  await phone.isGuest();
  await phone.page.reload();
  await phone.isGuest();

  await openDevices(desktop, 1);
  assert.equal(await desktop.page.isVisible('#end-others'), false);
  assert.equal(desktop.connections, 1);
  assert.equal(beside.connections, 1);
  assert.equal(await beside.page.isVisible('#notice'), false);
});

test('the list follows devices that come and go', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Jonas');
  await openDevices(maya, 1);
  const phone = await open(PHONE);
  await phone.logIn('Jonas');
  await device(maya, 'Firefox on Android').getByText('Connected now', { exact: true }).waitFor();
  await phone.page.click('#logout');
  await device(maya, 'Firefox on Android').waitFor({ state: 'detached' });
});

test('a keyboard is enough to log a device out', async ({ open }) => {
  const phone = await open(PHONE);
  await phone.logIn('Priya');
  const { page } = await open();
  await page.locator('#open-login').focus();
  await page.keyboard.press('Enter');
  await page.keyboard.type('Priya');
  await page.keyboard.press('Tab');
  await page.keyboard.type(phone.server.passwords.Priya);
  await page.keyboard.press('Enter');
  await page.locator('.person.me').waitFor();
  await page.locator('#open-devices').focus();
  await page.keyboard.press('Enter');
  await page.locator('.device').nth(1).waitFor();
  // The first element that can have the focus is the button of the other device.
  await page.keyboard.press('Tab');
  for (let tabs = 0; !(await page.locator('.device .end:focus').count()); tabs += 1) {
    assert.ok(tabs < 6, 'the button is not reached');
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await page.locator('#devices [data-close]:focus').waitFor();
  await phone.isGuest();
  await page.keyboard.press('Enter');
  await page.locator('#devices').waitFor({ state: 'hidden' });
});

/** The number of devices that the server has for the user of a window. */
async function countDevices({ page }) {
  const { token } = await page.evaluate(async () => (await fetch('/token', { method: 'POST' })).json());
  const headers = { authorization: `Bearer ${token}` };
  const response = await page.evaluate(
    async (headers) => (await fetch('/devices', { headers })).json(),
    headers,
  );
  return response.length;
}
