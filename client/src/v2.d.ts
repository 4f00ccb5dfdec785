import type { KeptSocket, Options, SocketLike } from './index.js';

export * from './index.js';

export interface Options2 extends Options {
  /** The name in the query of the connection. Defaults to `auth_token`. */
  query?: string;
}

/**
 * Keeps a socket of socket.io-client 2 authenticated. The sockets of one manager share the token of their connection, so
 * give them the same `getToken`.
 */
export function keepAuthenticated(socket: SocketLike, options: Options2): KeptSocket;
