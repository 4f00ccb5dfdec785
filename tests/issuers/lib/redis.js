import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { within } from '../../interop/lib/wait.js';
import { freePort } from './server.js';

/** A Redis server on loopback that stores nothing. */
export class Redis {
  #child;

  /** Starts a server, which is stopped after the test. Resolves with `undefined` if Redis is not installed. */
  static async start(test) {
    const port = await freePort();
    const options = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--port', String(port)];
    const child = spawn('redis-server', options, { stdio: ['ignore', 'pipe', 'inherit'] });
    const failed = once(child, 'error').then(() => false);
    const ready = new Promise((resolve) => {
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('Ready to accept connections')) resolve(true);
      });
    });
    if (!(await within(Promise.race([ready, failed]), 'Redis to start'))) {
      assert.ok(!process.env.CI, 'redis-server is not installed, and CI must not skip these tests');
      return undefined;
    }

    const redis = new Redis();
    redis.#child = child;
    redis.url = `redis://127.0.0.1:${port}`;
    test.after(() => redis.#stop());
    return redis;
  }

  async #stop() {
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await within(exited, 'Redis to end');
  }
}
