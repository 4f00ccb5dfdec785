/** What a client should do about a refusal. */
export type Action = 'renew' | 'login' | 'retry' | 'reconnect' | 'none';

/** A refusal by the server. */
export interface Refusal {
  /** The stable name of the reason, such as `token_expired`. */
  code: string;
  /**
   * A sentence for people. A refused connection has none: its `code` is all that the server sends, and that of
   * `AuthError::denied` is the application's sentence.
   */
  message?: string;
  /** What the server recommends. A refused connection has none. */
  action?: Action;
  /** Data of the application. */
  data?: unknown;
  /** The event that was refused, if it was one of an open socket. */
  event?: string;
}

/** Whose session it is, and how long it lasts. */
export interface Session {
  /** Whether the server knows a user. */
  loggedIn: boolean;
  /**
   * Seconds until the token expires; `null` if it does not expire. Known after a renewal, and after a connection if the
   * server has `announce_event`; `undefined` otherwise.
   */
  expiresIn?: number | null;
}

/** Why a token is needed. */
export interface TokenRequest {
  /** Whether a token that is stored will not do, because the server has refused it or it expires soon. */
  forceRefresh: boolean;
  /** `token_expiring`, or the code of the refusal. */
  code?: string;
}

export interface Options {
  /**
   * Returns a token, or `null` for a guest. An error means that it should be tried again later. One call at a time runs
   * for each function: sockets that have the same `getToken` share its calls.
   */
  getToken: (request: TokenRequest) => string | null | Promise<string | null>;
  /** Called at each connection, login and renewal. */
  onSession?: (session: Session) => void;
  /** Called when only a person can help. It is called once, until there is a session or `refresh` is called. */
  onLoginRequired?: (refusal: Refusal) => void;
  /** Called when the server refuses for good. Nothing is tried until `refresh` or `socket.connect()` is called. */
  onRefused?: (refusal: Refusal) => void;
  /** Called when `getToken` fails, or the server does not answer. It is tried again. */
  onError?: (error: Error) => void;
  /** The `authenticate_event` of the server. Defaults to `authenticate`. */
  event?: string;
  /** The `announce_event` of the server. Defaults to `authenticated`. */
  announceEvent?: string;
  /** Milliseconds that `getToken`, and the answer to a renewal, may take. Defaults to 15,000. */
  timeout?: number;
  /** Milliseconds of the first pause, of which a random part is waited, at least half. Defaults to 500. */
  minDelay?: number;
  /** Milliseconds of the longest pause. Defaults to 30,000. */
  maxDelay?: number;
  /** What to do about codes of the application. */
  actions?: Record<string, Action>;
}

export interface KeptSocket {
  /**
   * Call it after a login, a logout or a switch of the user: it asks `getToken`, and makes the session the one of its
   * token. A socket that was refused is connected.
   */
  refresh(): void;
  /** Removes every listener and timer. The socket stays as it is. */
  stop(): void;
}

/** The part of a `Socket` of socket.io-client that types need. */
export interface SocketLike {
  connected: boolean;
  connect(): unknown;
  disconnect(): unknown;
}

/** Keeps a socket authenticated, from now until `stop` is called. Call it before the socket connects. */
export function keepAuthenticated(socket: SocketLike, options: Options): KeptSocket;

/** Returns what to do about a refusal, such as the `error` of an acknowledgement. */
export function actionFor(refusal: { code?: string; action?: string }): Action;
