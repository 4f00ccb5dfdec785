import { suite } from '../lib/suite.js';

const test = suite();

async function post(open, text) {
  const maya = await open();
  await maya.logIn('Maya');
  await maya.post(text);
  await maya.message(text).waitFor();
  return maya;
}

/** Changes the page as with the browser's developer tools. */
const pretend = (window) =>
  window.page.evaluate(() => {
    document.body.dataset.role = 'admin';
    for (const button of document.querySelectorAll('.eject')) button.hidden = false;
  });

test('a user who is not a moderator is refused, whatever the page shows', async ({ open }) => {
  const maya = await post(open, 'safe from Maya');
  await pretend(maya);
  await maya.deleteMessage('safe from Maya');
  await maya.page.getByText('Only moderators may do that.').waitFor();
  await maya.shoot('forbidden');
  await maya.page.reload();
  await maya.message('safe from Maya').waitFor();
});

test('a guest is refused, whatever the page shows', async ({ open }) => {
  await post(open, 'safe from guests');
  const guest = await open();
  await pretend(guest);
  await guest.deleteMessage('safe from guests');
  await guest.page.getByText('Log in to do that.').waitFor();
});

test('a moderator does not disconnect an admin', async ({ open }) => {
  const priya = await open();
  await priya.logIn('Priya');
  const jonas = await open();
  await jonas.logIn('Jonas');
  await pretend(jonas);
  await jonas.person('Priya').locator('.eject').click();
  await jonas.page.fill('#reason', 'Because.');
  await jonas.page.click('#eject [value=disconnect_user]');
  await jonas.page.getByText('You may not do this to this user.').waitFor();
  await priya.post('still here');
  await priya.message('still here').waitFor();
});
