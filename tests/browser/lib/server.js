import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { within } from '../../interop/lib/wait.js';

const binary =
  process.env.CHAT_SERVER ?? fileURLToPath(new URL('../../../target/debug/chat', import.meta.url));

export const nodeModules = fileURLToPath(new URL('../node_modules', import.meta.url));

/** The chat on a free port of the loopback interface, with a new database. */
export class Server {
  #child;
  #address = '127.0.0.1:0';
  #settings;
  url;
  folder;
  passwords = {};
  output;

  static async start(settings = {}) {
    const server = new Server();
    server.#settings = settings;
    server.folder = await mkdtemp(join(tmpdir(), 'chat-'));
    await server.start();
    return server;
  }

  /** Starts the server. After a stop it has the same address and database again. */
  async start() {
    // Only this environment, so that variables of the shell have no effect.
    const env = {
      CHAT_ADDR: this.#address,
      CHAT_DATA: this.folder,
      NODE_MODULES: nodeModules,
      ...this.#settings,
    };
    this.#child = spawn(binary, [], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.output = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text) => (this.output += text));
    const failed = once(this.#child, 'exit').then(() => {
      throw new Error(`the server ended:\n${this.output}`);
    });
    failed.catch(() => {});
    await within(Promise.race([this.#listening(), failed]), 'the server to start');
  }

  async #listening() {
    for await (const line of createInterface({ input: this.#child.stdout })) {
      this.output += `${line}\n`;
      const [, name, password] = line.match(/^ {2}(\w+) +(\w+) +\w+$/) ?? [];
      if (name) this.passwords[name] = password;
      this.url = line.match(/^The chat is open: (http:\S+)$/)?.[1];
      if (this.url) break;
    }
    this.#address = new URL(this.url).host;
  }

  /** The response to a login outside of a page. */
  logIn(name, password = this.passwords[name]) {
    return fetch(`${this.url}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name, password }),
    });
  }

  async stop() {
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await within(ended, 'the server to end');
  }

  async remove() {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await this.stop();
    await rm(this.folder, { recursive: true });
  }
}
