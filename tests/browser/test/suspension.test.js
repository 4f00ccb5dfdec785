import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';
import { suspend, suspension } from '../lib/suspension.js';

const test = suite();

// The message of Chromium for a response whose status is not 200.
const REFUSED = { expectedErrors: [/the server responded with a status of 40[13]/] };

/**
 * Waits until tokens that are issued now are accepted: the `iat` of a token has whole seconds, so one of the second in
 * which its user was suspended, or of the next, is refused. To ask the server would use up the logins of a minute.
 */
async function untilNewTokensCount(suspendedAt) {
  const refusedUntil = (Math.ceil(suspendedAt / 1000) + 1) * 1000;
  await new Promise((resolve) => setTimeout(resolve, refusedUntil - Date.now()));
}

/** The code with which the server answers a request with this token, or the status. */
async function askWith(server, token) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}/devices`, { headers });
  return response.ok ? response.status : (await response.json()).code;
}

test('a suspended user is out in every window, until the suspension is lifted', REFUSED, async ({ open, server }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const elsewhere = await open();
  await elsewhere.logIn('Maya');
  const { token } = await (await server.logIn('Maya')).json();
  assert.equal(await askWith(server, token), 200);

  const jonas = await open();
  await jonas.logIn('Jonas');
  assert.equal(await jonas.page.isVisible('#suspended'), false);
  await suspend(jonas, 'Maya', 'Advertising, again.');
  const suspendedAt = Date.now();
  await jonas.person('Maya').waitFor({ state: 'detached' });
  for (const window of [maya, elsewhere]) {
    assert.match(await window.notice(), /Jonas suspended you: Advertising, again\./);
    await window.isGuest();
  }
  await suspension(jonas, 'Maya').getByText('Advertising, again.').waitFor();
  await jonas.shoot('suspended');
  assert.equal(await askWith(server, token), 'token_revoked');

  await maya.page.reload();
  await maya.isGuest();
  await maya.page.click('#open-login');
  await maya.submitLogin('Maya', server.passwords.Maya);
  await maya.page.getByText('Your account is suspended: Advertising, again.').waitFor();
  await maya.shoot('login-while-suspended');

  await suspension(jonas, 'Maya').locator('.lift').click();
  await jonas.toast('Maya may log in again.');
  await suspension(jonas, 'Maya').waitFor({ state: 'detached' });
  // The suspension is over, but the token from before stays refused.
  assert.equal(await askWith(server, token), 'token_revoked');
  await untilNewTokensCount(suspendedAt);
  await maya.page.click('#login [type=submit]');
  await maya.isUser('Maya');
  await maya.post('I am sorry');
  await jonas.message('I am sorry').waitFor();
});

test('every moderator sees who is suspended, and others do not', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const jonas = await open();
  await jonas.logIn('Jonas');
  const priya = await open();
  await priya.logIn('Priya');
  await suspend(priya, 'Jonas', 'A test.');
  await jonas.isGuest();
  assert.equal(await maya.page.locator('.suspension').count(), 0);
  assert.equal(await jonas.page.locator('.suspension').count(), 0);
  await priya.page.reload();
  await suspension(priya, 'Jonas').waitFor();
  await suspension(priya, 'Jonas').locator('.lift').click();
  await suspension(priya, 'Jonas').waitFor({ state: 'detached' });
});

