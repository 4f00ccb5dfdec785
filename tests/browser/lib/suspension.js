/** Suspends a user, as a moderator. */
export async function suspend(moderator, name, reason) {
  await moderator.person(name).locator('.eject').click();
  await moderator.page.fill('#reason', reason);
  await moderator.page.click('#eject [value=suspend]');
  await moderator.toast(`${name} was suspended.`);
}

/** The suspension of a user in the list of a moderator. */
export const suspension = ({ page }, name) => page.locator(`.suspension[data-name=${name}]`);
