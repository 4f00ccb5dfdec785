import assert from 'node:assert/strict';

import { suite } from '../lib/suite.js';

const test = suite();

// The message of Chromium for a response whose status is not 200.
const REFUSED = { expectedErrors: [/the server responded with a status of 40[13]/] };

async function suspend(moderator, name, reason) {
  await moderator.person(name).locator('.eject').click();
  await moderator.page.fill('#reason', reason);
  await moderator.page.click('#eject [value=suspend]');
  await moderator.toast(`${name} was suspended.`);
}

const suspension = ({ page }, name) => page.locator(`.suspension[data-name=${name}]`);

/**
 * Waits until tokens that are issued now are accepted. The `iat` of a token has whole seconds, so one of the second in
 * which its user was suspended is refused.
 */
async function untilNewTokensCount(server, name) {
  let answer;
  do {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const { token } = await (await server.logIn(name)).json();
    answer = await askWith(server, token);
  } while (answer === 'token_revoked');
  assert.equal(answer, 200);
}

/** The code with which the server answers a request with this token, or the status. */
async function askWith(server, token) {
  const headers = { authorization: `Bearer ${token}` };
  const response = await fetch(`${server.url}/devices`, { headers });
  return response.ok ? response.status : (await response.json()).error.code;
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
  await untilNewTokensCount(server, 'Maya');
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

const RESTARTED = { expectedErrors: [/net::ERR_CONNECTION_REFUSED/, /net::ERR_EMPTY_RESPONSE/, /WebSocket/] };

test('a suspension survives a restart of the server', RESTARTED, async ({ open, server }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const priya = await open();
  await priya.logIn('Priya');
  await suspend(priya, 'Maya', 'For good.');
  await server.stop();
  await priya.state('reconnecting');
  await server.start();
  await priya.state('online');
  await suspension(priya, 'Maya').waitFor();
  assert.equal((await server.logIn('Maya')).status, 403);
  await suspension(priya, 'Maya').locator('.lift').click();
  await suspension(priya, 'Maya').waitFor({ state: 'detached' });
  assert.equal((await server.logIn('Maya')).status, 200);
});
