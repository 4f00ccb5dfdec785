import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { chromium } from 'playwright-core';

import { Server } from './server.js';
import { SIZES, Window } from './window.js';

const ARGUMENTS = [
  '--headless',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Chromium's sandbox does not work for root.
  ...(process.getuid() === 0 ? ['--no-sandbox'] : []),
];

/**
 * One browser and one server for the tests of a file. Returns the function that declares a test: `test(name, body)`, or
 * `test(name, { expectedErrors }, body)` where the console may show errors.
 */
export function suite(settings) {
  let browser;
  let server;

  before(async () => {
    server = await Server.start(settings);
    const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
    browser = await chromium.launch({ executablePath, args: ARGUMENTS });
  });
  after(async () => {
    await browser?.close();
    await server?.remove();
  });

  return (name, ...rest) => {
    const body = rest.pop();
    const [{ expectedErrors = [] } = {}] = rest;
    test(name, async () => {
      const windows = new Windows(browser, server);
      try {
        await body({ open: (options) => windows.open(options), server });
        assert.deepEqual(windows.errors(expectedErrors), [], 'errors in the console');
      } finally {
        await windows.close();
      }
    });
  };
}

/** The windows of one test. */
class Windows {
  #browser;
  #server;
  #contexts = new Set();
  #windows = [];

  constructor(browser, server) {
    this.#browser = browser;
    this.#server = server;
  }

  /** Opens a window in a new browser profile with Playwright's options, or in the profile of another window. */
  async open({ beside, ...options } = {}) {
    const defaults = { viewport: SIZES.desktop, reducedMotion: 'reduce' };
    const context = beside?.context ?? (await this.#browser.newContext({ ...defaults, ...options }));
    this.#contexts.add(context);
    const window = new Window(await context.newPage(), this.#server);
    this.#windows.push(window);
    await window.open();
    return window;
  }

  errors(expected) {
    const errors = this.#windows.flatMap((window) => window.errors);
    return errors.filter((error) => !expected.some((pattern) => pattern.test(error)));
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }
}
