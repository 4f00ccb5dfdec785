import { EventEmitter } from 'node:events';

const accept = (_, socket) => socket.accept();

/**
 * A connection to a server that a test scripts, as socket.io-client 4 shows it: `server(payload, socket)` is called for
 * every CONNECT, and `answer(payload, socket)` for every `authenticate` event, whose result is its acknowledgement.
 */
export class FakeManager extends EventEmitter {
  sockets = new Set();
  engine;
  isReconnecting = false;
  isReachable = true;
  reconnectionDelay = 1000;
  /** How long a connection takes to open; a packet that is sent meanwhile waits. */
  openingDelay = 0;
  opened = 0;

  constructor({ server = accept, answer = () => ({ expires_at: null, expires_in: null }) } = {}) {
    super();
    Object.assign(this, { server, answer });
  }

  get isOpen() {
    return this.engine?.isOpen ?? false;
  }

  open() {
    if (this.engine && !this.engine.isClosed) return;
    if (!this.isReachable) return this.#reconnect();
    this.opened++;
    const engine = { isOpen: false, isClosed: false, close: () => this.lose('forced close') };
    this.engine = engine;
    const open = () => {
      if (engine.isClosed) return;
      engine.isOpen = true;
      for (const socket of this.sockets) if (socket.active) socket.onopen();
    };
    this.openingDelay ? setTimeout(open, this.openingDelay) : open();
  }

  /** The connection is lost, and the manager tries to open a new one. */
  lose(reason = 'transport close') {
    if (!this.isOpen) return;
    this.close();
    for (const socket of this.sockets) if (socket.active) socket.onclose(reason);
    this.#reconnect();
  }

  close() {
    if (this.engine) Object.assign(this.engine, { isOpen: false, isClosed: true });
  }

  #reconnect() {
    if (this.isReconnecting) return;
    this.isReconnecting = true;
    setTimeout(() => {
      this.isReconnecting = false;
      if ([...this.sockets].some((socket) => socket.active)) this.open();
    }, this.reconnectionDelay);
  }
}

export class FakeSocket extends EventEmitter {
  connected = false;
  active = false;
  auth = {};

  /** When each CONNECT was sent, with what. */
  connects = [];
  /** When each `authenticate` was sent, with what. */
  renewals = [];

  constructor(io) {
    super();
    this.io = io;
    io.sockets.add(this);
  }

  connect() {
    if (this.connected) return;
    this.active = true;
    if (this.io.isOpen) this.onopen();
    else if (!this.io.isReconnecting) this.io.open();
  }

  onopen() {
    const send = (payload) => {
      if (this.io.engine.isClosed) return;
      this.connects.push({ at: Date.now(), ...payload });
      this.io.server(payload, this);
    };
    typeof this.auth === 'function' ? this.auth(send) : send(this.auth);
  }

  disconnect() {
    const wasConnected = this.connected;
    this.#leave();
    if (wasConnected) this.onclose('io client disconnect');
  }

  #leave() {
    this.active = false;
    if (![...this.io.sockets].some((socket) => socket.active)) this.io.close();
  }

  onclose(reason) {
    this.connected = false;
    super.emit('disconnect', reason);
  }

  emit(event, payload, callback) {
    if (event !== 'authenticate') throw new Error(`${event} was emitted`);
    this.renewals.push({ at: Date.now(), ...payload });
    Promise.resolve(this.io.answer(payload, this)).then((answer) => answer !== undefined && callback?.(answer));
  }

  // What the server does.

  accept() {
    if (this.connected || !this.active) return;
    this.connected = true;
    super.emit('connect');
  }

  refuse(code) {
    this.#leave();
    super.emit('connect_error', Object.assign(new Error(code), { data: undefined }));
  }

  receive(event, value) {
    super.emit(event, value);
  }

  /** Ends the session. */
  end(code, action) {
    if (code) this.receive('unauthorized', { code, message: code, action });
    this.#leave();
    this.onclose('io server disconnect');
  }
}
