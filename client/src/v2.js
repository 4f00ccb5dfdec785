// For socket.io-client 2, where the token is in the query of the connection, which all sockets of a manager share.

import { keep } from './keeper.js';

export { actionFor } from './actions.js';

const connections = new WeakMap();

/** The connection of a manager, which opens once its kept sockets have their token. */
class Connection {
  /** The token of the connection that is open, or of the next one. */
  sent = null;
  /** The token of the open connection. */
  opened;
  /** Kept sockets, with the function that gets their token. */
  identifiers = new Map();
  /** Whether the token has been fetched, and the connection has not been opened since. */
  isIdentified = false;

  #manager;
  #name;
  #original;
  #query;
  #isOpening = false;
  #waiting = [];

  constructor(manager, name) {
    const { open, connect, uri, opts } = manager;
    const [address, query] = uri.split('?');
    this.#manager = manager;
    this.#name = name;
    this.#original = { open, connect, uri, query: opts.query };
    this.#query = Object.fromEntries(new URLSearchParams(query ?? opts.query));
    manager.uri = address; // A query in the URL would replace the one of the options.
    manager.open = manager.connect = (done) => this.#open(done);
  }

  remove(socket) {
    this.identifiers.delete(socket);
    if (this.identifiers.size) return;
    const { query, ...original } = this.#original;
    Object.assign(this.#manager, original);
    this.#manager.opts.query = query;
    connections.delete(this.#manager);
  }

  #open(done) {
    const manager = this.#manager;
    if (done) this.#waiting.push(done);
    if (this.#isOpening || /open/.test(manager.readyState)) return manager;

    this.#isOpening = true;
    manager.skipReconnect = false;
    this.#identify().then((isReady) => {
      this.#isOpening = false;
      const waiting = this.#waiting.splice(0);
      const finish = (error) => waiting.forEach((done) => done(error));
      if (!isReady || manager.skipReconnect) return finish(new Error('there is no token for this connection'));

      this.opened = this.sent;
      manager.opts.query = { ...this.#query, ...(this.sent && { [this.#name]: this.sent }) };
      this.#original.open.call(manager, waiting.length ? finish : undefined);
    });
    return manager;
  }

  async #identify() {
    const isReady = this.isIdentified || (await this.#identifyAll());
    this.isIdentified = false;

    // The end of the previous connection would end the new one.
    const { engine } = this.#manager;
    if (engine?.readyState === 'closing') await new Promise((resolve) => engine.once('close', resolve));
    return isReady;
  }

  async #identifyAll() {
    const active = [...this.identifiers].filter(([socket]) => socket.active);
    const sent = await Promise.all(active.map(([, identify]) => identify()));
    return sent.every(Boolean);
  }
}

export function keepAuthenticated(socket, { query = 'auth_token', ...options }) {
  const manager = socket.io;
  const known = connections.get(manager);
  const connection = known ?? new Connection(manager, query);
  connections.set(manager, connection);
  Object.defineProperty(socket, 'active', { get: () => !!socket.subs, configurable: true });

  const wire = {
    isShared: true,
    get sent() {
      return connection.sent;
    },
    set sent(token) {
      connection.sent = token;
    },

    refusedEvent: 'error',
    // An error of the connection is an `Error`.
    refusal: (error) => !(error instanceof Error) && { code: error.message ?? error, ...error.data },

    connect() {
      if (socket.connected) return;
      socket.subEvents(); // makes it active
      connection.identifiers.get(socket)(() => {
        connection.isIdentified = true;
        const isOpen = manager.readyState === 'open';
        // `/` is connected by the opening only.
        if (isOpen && (socket.nsp === '/' || connection.sent !== connection.opened)) manager.close();
        socket.connect();
        if (manager.readyState === 'open') connection.isIdentified = false;
      });
    },

    install(identify) {
      const connectAgain = () => manager.readyState === 'open' && socket.connect();
      connection.identifiers.set(socket, (send = connectAgain) => identify(() => {}, () => (send(), true)));
    },

    remove() {
      connection.remove(socket);
      delete socket.active;
    },
  };

  const kept = keep(socket, options, wire);
  if (!known && manager.readyState !== 'closed') {
    manager.close(); // It is opened without a token.
    socket.connect();
  }
  return kept;
}
