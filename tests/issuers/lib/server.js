import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { within } from '../../interop/lib/wait.js';

/** A port that is free now, for a server whose address must be known before it starts. */
export async function freePort() {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address();
  listener.close();
  await once(listener, 'close');
  return port;
}

const binary =
  process.env.ISSUERS_SERVER ?? fileURLToPath(new URL('../../../target/debug/issuers-server', import.meta.url));

/** A server of this crate on loopback, for the tokens of one test. */
export class Server {
  #child;
  #exited;
  #log = '';
  #tokens = new Set();

  /** Starts a server whose settings are named after the builder's methods. It is stopped after the test. */
  static async start(test, settings) {
    const server = new Server();
    test.after(() => server.#stop());
    await server.#start(settings);
    return server;
  }

  async #start(settings) {
    // Only this environment, so that variables of the shell have no effect.
    this.#child = spawn(binary, [JSON.stringify(settings)], { env: {}, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.#log += text));
    this.#exited = once(this.#child, 'exit');
    const line = once(createInterface({ input: this.#child.stdout }), 'line');
    const failed = this.#exited.then(() => Promise.reject(new Error(`the server did not start:\n${this.#log}`)));
    failed.catch(() => {});
    const [text] = await within(Promise.race([line, failed]), 'the server to start');
    this.url = text.match(/^listening on (http:\/\/127\.0\.0\.1:\d+)$/)[1];
  }

  /** The log, which tells why a token was refused. */
  get log() {
    return this.#log;
  }

  /** Waits until the log matches. */
  async logged(pattern) {
    const found = async () => {
      while (!pattern.test(this.#log)) await once(this.#child.stderr, 'data');
    };
    await within(found(), `the log to match ${pattern}`);
  }

  /** Remembers a token that is sent, to look for it in the log. */
  sent(token) {
    this.#tokens.add(String(token));
  }

  async #stop() {
    // The server ends when its stdin does.
    this.#child.stdin.end();
    await within(this.#exited, 'the server to end').catch((error) => {
      this.#child.kill('SIGKILL');
      throw error;
    });
    for (const token of this.#tokens) {
      const signature = token.split('.')[2];
      if (signature) assert.ok(!this.#log.includes(signature), `the log shows a token:\n${this.#log}`);
    }
  }
}
