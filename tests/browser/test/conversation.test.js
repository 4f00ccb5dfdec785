import assert from 'node:assert/strict';

import { io } from 'socket.io-client';

import { suite } from '../lib/suite.js';

const test = suite();

test('two windows see each other and their messages', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const priya = await open();
  await priya.logIn('Priya');
  await maya.person('Priya').waitFor();
  await priya.person('Maya').waitFor();

  await priya.post('Good morning! The hall is free from ten, the key is at the desk.');
  await maya.message('Good morning!').waitFor();
  await maya.post('Thank you. I bring the projector.');
  await priya.message('the projector').waitFor();
  await priya.page.fill('#text', 'Slides:\n1. what broke\n2. what we changed');
  await priya.page.press('#text', 'Shift+Enter');
  await priya.page.keyboard.type('3. questions');
  await priya.page.press('#text', 'Enter');
  await maya.message('3. questions').waitFor();
  await maya.shoot('conversation');

  await priya.page.close();
  await maya.person('Priya').waitFor({ state: 'detached' });
});

test('markup is text, and a long word does not break the page', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  const markup = `<img src=x onerror="document.title='harmed'"> & <b>bold</b>`;
  await maya.post(markup);
  const text = maya.message('bold').locator('.text');
  await text.waitFor();
  assert.equal(await text.textContent(), markup);
  await maya.post('a'.repeat(900));
  await maya.message('aaaa').waitFor();
  assert.equal(await maya.page.title(), 'Commons');
  for (const width of [1280, 390, 320]) {
    await maya.page.setViewportSize({ width, height: 800 });
    const room = await maya.page.evaluate(() => document.documentElement.scrollWidth);
    assert.equal(room, width, `scrolls sideways at a width of ${width}`);
  }
  await maya.shoot('markup');
});

test('a message that is too long is refused', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.post('x'.repeat(1001));
  await maya.toast('Write 1 to 1000 characters.');
  assert.equal(await maya.message('xxx').count(), 0);
  assert.equal((await maya.page.inputValue('#text')).length, 1001);
  await maya.shoot('too-long');
});

test('messages that come too fast are refused', async ({ open, server }) => {
  const guest = await open();
  const { token } = await (await server.logIn('Maya')).json();
  // The page waits for each answer; another client does not.
  const socket = io(server.url, { auth: { token } });
  try {
    const posts = Array.from({ length: 12 }, (_, copy) => socket.timeout(15_000).emitWithAck('post', `hurry ${copy}`));
    const [accepted, refused] = partition(await Promise.all(posts), (answer) => !answer?.error);
    assert.ok(accepted.length >= 5 && refused.length > 0, `${accepted.length} accepted, ${refused.length} refused`);
    for (const { error } of refused) {
      assert.deepEqual(error, { code: 'denied', message: 'That was quick. Wait a moment.', action: 'none' });
    }
    await guest.message('hurry').nth(accepted.length - 1).waitFor();
    assert.equal(await guest.message('hurry').count(), accepted.length);
  } finally {
    socket.disconnect();
  }
});

function partition(items, accepts) {
  return [items.filter(accepts), items.filter((item) => !accepts(item))];
}

test('a message that is sent twice is posted once', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.page.fill('#text', 'twice');
  await maya.page.evaluate(() => {
    document.querySelector('#composer').requestSubmit();
    document.querySelector('#composer').requestSubmit();
  });
  await maya.message('twice').waitFor();
  await maya.post('after it');
  await maya.message('after it').waitFor();
  assert.equal(await maya.message('twice').count(), 1);
});

test('a long message is not cut, and its characters are counted as the server does', async ({ open }) => {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.page.fill('#text', 'y'.repeat(1500));
  await maya.page.getByText('1500 of 1000 characters').waitFor();
  assert.equal((await maya.page.inputValue('#text')).length, 1500);
  await maya.shoot('length');

  const smileys = '\u{1F600}'.repeat(1000);
  await maya.page.fill('#text', smileys);
  await maya.page.getByText('1000 of 1000 characters').waitFor();
  await maya.page.press('#text', 'Enter');
  await maya.message(smileys).waitFor();
  assert.equal(await maya.page.textContent('#length'), '');
});

test('a reload keeps what was not sent', async ({ open }) => {
  const maya = await open();
  await maya.page.fill('#text', 'half a thought');
  await maya.page.reload();
  await maya.state('online');
  assert.equal(await maya.page.inputValue('#text'), 'half a thought');
  await maya.logIn('Maya');
  await maya.page.press('#text', 'Enter');
  await maya.message('half a thought').waitFor();
  await maya.page.reload();
  await maya.state('online');
  assert.equal(await maya.page.inputValue('#text'), '');
});
