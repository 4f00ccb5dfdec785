import { after } from 'node:test';

import { Client } from '../../../tests/interop/lib/clients.js';
import { startServer } from '../../../tests/interop/lib/server.js';
import { made, secrets } from '../../../tests/interop/lib/tokens.js';
import { within } from '../../../tests/interop/lib/wait.js';

/** Sockets of one version of socket.io-client, over one transport. */
export const CLIENTS = [2, 3, 4].flatMap((major) =>
  ['websocket', 'polling'].map((transport) => new Client(major, transport)),
);

export const server = await startServer(secrets);

after(async () => {
  const log = await server.stop();
  for (const token of made) {
    if (log.includes(token.split('.')[2])) throw new Error(`the log shows a token:\n${log}`);
  }
});

const entries = { 2: '../../src/v2.js', 3: '../../src/index.js', 4: '../../src/index.js' };

/** A manager of the client that connects again. */
export function newManager(test, client, { url = server.url, at = 'open', ...options } = {}) {
  const manager = new client.io.Manager(url, {
    path: `/${at}`,
    transports: [client.transport],
    autoConnect: false,
    reconnectionDelay: 100,
    reconnectionDelayMax: 300,
    ...options,
  });
  test.after(() => (manager._close ?? manager.close).call(manager));
  return manager;
}

/** A socket that is kept authenticated, and all that happens to it. */
export class RealKept {
  #log = [];
  #waiting = [];
  requests = [];

  static async start(test, client, namespace, getToken, given = {}) {
    const { manager = newManager(test, client), source, ...options } = given;
    const { keepAuthenticated } = await import(entries[client.major]);
    const kept = new RealKept();
    kept.getToken = (request) => {
      kept.requests.push(request);
      return getToken(request, kept.requests.length);
    };
    kept.socket = manager.socket(namespace);
    kept.auth = keepAuthenticated(kept.socket, {
      getToken: source ?? kept.getToken,
      onSession: ({ loggedIn }) => kept.#add(loggedIn ? 'user' : 'guest'),
      onLoginRequired: ({ code }) => kept.#add(`login ${code}`),
      onRefused: ({ code }) => kept.#add(`refused ${code}`),
      onError: ({ message }) => kept.#add(`error ${message}`),
      minDelay: 50,
      maxDelay: 1000,
      ...options,
    });
    test.after(() => kept.auth.stop());
    kept.socket.connect();
    return kept;
  }

  #add(event) {
    this.#log.push(event);
    for (const waiting of this.#waiting) waiting();
  }

  get events() {
    return this.#log;
  }

  /** Resolves with the next event. */
  async next() {
    if (!this.#log.length) {
      await within(new Promise((resolve) => this.#waiting.push(resolve)), 'something to happen to the session');
    }
    return this.#log.shift();
  }

  async expect(...events) {
    for (const expected of events) {
      const event = await this.next();
      if (event !== expected) throw new Error(`${event}, not ${expected}; then ${this.#log}`);
    }
  }

  /** Asks the server who the socket is. */
  async whoami() {
    return within(
      new Promise((resolve) => {
        // socketioxide drops an event that arrives before the connect handler has run.
        const ask = () => this.socket.emit('whoami', (answer) => (clearInterval(timer), resolve(answer.name)));
        const timer = setInterval(ask, 200);
        ask();
      }),
      'the answer of whoami',
    );
  }
}
