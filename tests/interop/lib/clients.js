import { createRequire } from 'node:module';

import { next, within } from './wait.js';

const require = createRequire(import.meta.url);

export const TRANSPORTS = {
  polling: ['polling'],
  websocket: ['websocket'],
  upgraded: ['polling', 'websocket'],
};

export const MAJORS = [1, 2, 3, 4];

/** One major version of socket.io-client over one transport. */
export class Client {
  constructor(major, transport) {
    this.major = major;
    this.transport = transport;
    this.io = require(`client${major}`);
    this.version = require(`client${major}/package.json`).version;
  }

  get name() {
    const over = this.transport === 'upgraded' ? 'polling upgraded to websocket' : this.transport;
    return `client ${this.version} over ${over}`;
  }

  /** Protocol 4: every connection joins `/` first, and there is no auth payload. */
  get isLegacy() {
    return this.major < 3;
  }

  options({ at, query, headers }) {
    return {
      path: `/${at}`,
      transports: TRANSPORTS[this.transport],
      query,
      extraHeaders: headers,
      reconnection: false,
      autoConnect: false,
      forceNew: true,
    };
  }

  /** A connection that is not open yet. `at` chooses one of the Socket.IO servers of the test server. */
  connection(url, options) {
    return new Connection(this, new this.io.Manager(url, this.options(options)));
  }
}

/** One connection of a client, for sockets in any number of namespaces. */
export class Connection {
  #upgraded;

  constructor(client, manager) {
    this.client = client;
    this.manager = manager;
  }

  /** A socket that is not connected yet. */
  socket(namespace = '/', auth = undefined) {
    return this.manager.socket(namespace, auth === undefined ? {} : { auth });
  }

  /**
   * Connects a socket and waits until the server's connect handler has added its events: an event that arrives before
   * that is dropped by socketioxide. Rejects with a `Refusal` when the socket is refused.
   */
  async connect(socket) {
    const session = next(socket, 'session');
    session.catch(() => {});
    await this.join(socket);
    socket.session = await session;
    return socket;
  }

  /** As `connect`, but does not wait for the connect handler, which may also refuse the socket. */
  async join(socket) {
    // A root socket of protocol 4 is connected by the opening of the connection, so it must be listening by then. All
    // others connect once the connection is upgraded.
    if (!(this.client.isLegacy && socket.nsp === '/')) await this.#open();
    const outcome = this.outcome(socket);
    outcome.catch(() => {});
    const sentAway = next(socket, 'disconnect');
    socket.connect();
    // A client that is disconnected from `/`, its only namespace, closes the connection during the upgrade.
    await Promise.race([this.#open(), sentAway]);
    return outcome;
  }

  async #open() {
    this.#upgraded ??= this.#start();
    await this.#upgraded;
    const expected = TRANSPORTS[this.client.transport].at(-1);
    const { name } = this.manager.engine.transport;
    if (name !== expected) throw new Error(`the transport is ${name}, not ${expected}`);
  }

  async #start() {
    const { manager } = this;
    const opened = within(
      new Promise((resolve, reject) => {
        manager.once('open', resolve);
        manager.once(this.client.isLegacy ? 'connect_error' : 'error', reject);
      }),
      'the connection to open',
    );
    manager.open();
    const upgraded = this.client.transport === 'upgraded' && next(manager.engine, 'upgrade');
    await Promise.all([opened, upgraded]);
  }

  /** Resolves when the server connects the socket, and rejects with a `Refusal` when it refuses. */
  outcome(socket, limit) {
    const refusal = this.client.isLegacy ? 'error' : 'connect_error';
    const answer = new Promise((resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.once(refusal, (error) => reject(new Refusal(error)));
      // The connection failed; this is not an answer of the server.
      if (this.client.isLegacy) socket.once('connect_error', reject);
    });
    return within(answer, `an answer from ${socket.nsp}`, limit);
  }

  /** Sends a packet that the API of the client cannot send. */
  sendPacket(packet) {
    const { manager } = this;
    (manager._packet ?? manager.packet).call(manager, packet);
  }

  close() {
    this.manager.disconnect();
  }
}

/** The server refused a socket. */
export class Refusal extends Error {
  constructor(error) {
    super(error.message);
    this.name = 'Refusal';
    this.received = error;
  }
}

/** Emits an event and resolves with the acknowledgement. */
export function ask(socket, event, ...values) {
  return within(new Promise((resolve) => socket.emit(event, ...values, resolve)), `the acknowledgement of ${event}`);
}
