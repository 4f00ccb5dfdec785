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

/** One browser and one server for the tests of a file. Returns what declares a test. */
export function suite(settings) {
  let browser;
  let server;

  before(async () => {
    server = await Server.start(settings);
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ARGUMENTS });
  });
  after(async () => {
    await browser?.close();
    await server?.remove();
  });

  /** `open` opens a window: in a browser profile of its own, or in that of another window. */
  return (name, body, { expectedErrors = [] } = {}) =>
    test(name, async () => {
      const contexts = new Set();
      const windows = [];
      const open = async ({ beside, ...options } = {}) => {
        const context = beside?.context ?? (await browser.newContext({ viewport: SIZES.desktop, reducedMotion: 'reduce', ...options }));
        contexts.add(context);
        const window = new Window(await context.newPage(), server);
        windows.push(window);
        await window.open();
        return window;
      };
      try {
        await body({ open, server });
        const errors = windows.flatMap((window) => window.errors);
        const unexpected = errors.filter((error) => !expectedErrors.some((expected) => expected.test(error)));
        assert.deepEqual(unexpected, [], 'errors in the console');
      } finally {
        for (const context of contexts) await context.close();
      }
    });
}
