import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder =
  process.env.SCREENSHOTS ?? fileURLToPath(new URL('../../../target/browser', import.meta.url));

export const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

/** A window of the browser, with the actions of its user. */
export class Window {
  /** Unexpected messages of the console. */
  errors = [];
  /** The number of connections that the page has made. */
  connections = 0;

  constructor(page, server) {
    this.page = page;
    this.server = server;
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.errors.push(String(error)));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) this.errors.push(message.text());
    });
    page.on('websocket', () => (this.connections += 1));
  }

  get context() {
    return this.page.context();
  }

  async open() {
    await this.page.goto(this.server.url);
    await this.state('online');
  }

  /** Waits until the page is `online` or `reconnecting`. */
  state(state) {
    return this.page.locator(`body[data-state=${state}]`).waitFor();
  }

  async logIn(name, password = this.server.passwords[name]) {
    await this.page.click('#open-login');
    await this.submitLogin(name, password);
    await this.isUser(name);
  }

  async submitLogin(name, password) {
    await this.page.fill('#name', name);
    await this.page.fill('#password', password);
    await this.page.click('#login [type=submit]');
  }

  /** Waits until the list of people shows this user as the own one. */
  isUser(name) {
    return this.page.locator(`.person.me[data-name=${name}]`).waitFor({ state: 'attached' });
  }

  isGuest() {
    return this.page.locator('body[data-role=guest][data-state=online]').waitFor();
  }

  async post(text) {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  /** The message with this text. */
  message(text) {
    return this.page.locator('.message', { hasText: text });
  }

  /** Deletes a message as a moderator, and answers the question. */
  async deleteMessage(text) {
    await this.message(text).hover();
    await this.message(text).locator('.delete').click();
    await this.page.click('#delete [type=submit]');
  }

  person(name) {
    return this.page.locator(`.person[data-name=${name}]`);
  }

  /** Waits for it. */
  toast(text) {
    return this.page.locator('.toast', { hasText: text }).first().waitFor();
  }

  async notice() {
    await this.page.locator('#notice').waitFor();
    return this.page.textContent('#notice p');
  }

  /** The next response to a request for a fresh token. */
  renewal() {
    return this.page.waitForResponse((response) => response.url().endsWith('/token'));
  }

  /** Takes screenshots: desktop and phone, light and dark. */
  async shoot(state, sizes = Object.keys(SIZES)) {
    mkdirSync(folder, { recursive: true });
    for (const size of sizes) {
      await this.page.setViewportSize(SIZES[size]);
      for (const colorScheme of ['light', 'dark']) {
        await this.page.emulateMedia({ colorScheme });
        await this.page.screenshot({ path: join(folder, `${state}-${size}-${colorScheme}.png`) });
      }
    }
    await this.page.emulateMedia({ colorScheme: 'light' });
    await this.page.setViewportSize(SIZES.desktop);
  }
}
