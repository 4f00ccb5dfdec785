import { keepAuthenticated } from '../../src/index.js';

import { Clock } from './clock.js';
import { FakeManager, FakeSocket } from './fake.js';

/** A kept socket on a fake connection, and all that happens to it. */
export class Kept {
  log = [];
  /** The requests that `getToken` got, with their times. */
  requests = [];

  constructor(test, { server, answer, getToken, clock = new Clock(test), manager, ...options } = {}) {
    this.clock = clock;
    this.manager = manager ?? new FakeManager({ server, answer });
    this.socket = new FakeSocket(this.manager);
    this.getToken = (request) => {
      this.requests.push({ at: Date.now(), ...request });
      return getToken ? getToken(request, this.requests.length) : `token ${this.requests.length}`;
    };
    this.auth = keepAuthenticated(this.socket, {
      getToken: options.sharedToken ?? this.getToken,
      onSession: (session) => this.log.push(['session', session]),
      onLoginRequired: ({ code }) => this.log.push(['login', code]),
      onRefused: ({ code }) => this.log.push(['refused', code]),
      onError: ({ message }) => this.log.push(['error', message]),
      ...options,
    });
    test.after(() => this.auth.stop());
  }

  static async connected(test, options) {
    const kept = new Kept(test, options);
    kept.socket.connect();
    await kept.clock.settle();
    return kept;
  }

  /** The names of what has happened, in order. */
  get events() {
    return this.log.map(([name, value]) => (typeof value === 'string' ? `${name} ${value}` : name));
  }
}
