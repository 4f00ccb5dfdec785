// The life of one socket, for every version of socket.io-client. What differs is in the `wire`.

import { actionFor } from './actions.js';
import { forgetToken, requestToken } from './token.js';

/** A session that lasted this long was a success: the pauses begin anew. */
const STABLE_AFTER = 5000;

/** CONNECT is repeated this often, then the connection is opened anew. */
const REPEATS = 5;

export function keep(socket, options, wire) {
  const {
    getToken,
    event = 'authenticate',
    announceEvent = 'authenticated',
    timeout = 15_000,
    minDelay = 500,
    maxDelay = 30_000,
    actions = {},
  } = options;
  const timers = new Set();
  const page = new AbortController(); // removes the listeners of the page

  // Connections
  let attempts = 0;
  let notBefore = 0; // when the next CONNECT may be sent
  let connectedAt = Infinity;
  let identification; // names the one under way
  let cancelRetry;
  let cancelWatch;

  // Tokens
  let current = null; // of the session
  let refused; // the last token that the server wanted to be renewed
  let renewCode; // why the next token must be a new one
  let isOutdated = !wire.isShared; // the login has changed since `getToken` was called

  // Renewals
  let renewal; // names the one under way
  let renewals = 0;
  let renewNotBefore = 0;
  let renewAt = Infinity; // if the server's warning was lost, as in a computer that slept

  let ending; // why the server ends the session
  let isLoginAsked = false;

  const after = (delay, run) => {
    const cancel = () => {
      clearTimeout(timer);
      timers.delete(timer);
    };
    const timer = setTimeout(() => {
      cancel();
      run();
    }, delay);
    timers.add(timer);
    return cancel;
  };

  const sleep = (delay) => delay > 0 && new Promise((resolve) => after(delay, resolve));

  const pause = (count) => Math.min(maxDelay, minDelay * 2 ** count) * (0.5 + Math.random() / 2);

  const limited = (name, work) =>
    new Promise((resolve, reject) => {
      const cancel = after(timeout, () => reject(new Error(`${name} timed out`)));
      work.then(resolve, reject).finally(cancel);
    });

  /** Calls the application, later, so that an error of its own does not end up here. */
  const tell = (name, value) => queueMicrotask(() => options[name]?.(value));

  const nextToken = async () => {
    const code = renewCode;
    const request = { forceRefresh: !!code, code };
    const token = await limited('getToken', requestToken(getToken, request, refused, timeout));
    if (renewCode === code) renewCode = undefined;
    return token || null;
  };

  // Refusals

  const actionOf = (refusal) => actions[refusal.code] ?? actionFor(refusal);

  const decide = (refusal, token) => {
    const action = actionOf(refusal);
    if (action !== 'renew') return action;
    if (refused === token) return 'login'; // `getToken` has no other
    refused = token;
    renewCode = refusal.code;
    return action;
  };

  const askLogin = (refusal) => {
    if (!isLoginAsked) tell('onLoginRequired', refusal);
    isLoginAsked = true;
  };

  const follow = (action, refusal) => {
    if (/^re(new|try|connect)$/.test(action)) rejoin();
    else if (action === 'login') askLogin(refusal);
    else tell('onRefused', refusal);
  };

  /** After a refused connection, or the end of a session. */
  const handleRefusal = (refusal, token) => {
    cancelConnect();
    socket.disconnect(); // Else socket.io-client 2 and 3 connect it with the next connection.
    follow(isOutdated ? 'retry' : decide(refusal, token), refusal);
  };

  // Connections

  const cancelConnect = () => {
    cancelRetry?.();
    cancelWatch?.();
    cancelRetry = cancelWatch = undefined;
  };

  const connect = () => {
    cancelConnect();
    wire.connect();
  };

  const connectLater = () => {
    cancelConnect();
    const delay = pause(attempts);
    notBefore = Date.now() + delay;
    cancelRetry = after(delay, connect);
  };

  const rejoin = () => {
    socket.disconnect();
    connectLater();
  };

  /** socketioxide ignores a CONNECT while it says goodbye to the previous socket. One too many does no harm. */
  const watch = (send, repeats = 0) => {
    cancelWatch?.();
    cancelWatch = after(Math.min(maxDelay, 1000 * 2 ** repeats), () => {
      cancelWatch = undefined;
      if (!socket.active) return;
      if (repeats === REPEATS) return socket.io.engine.close();
      send();
      watch(send, repeats + 1);
    });
  };

  /** Sends a fresh token with a CONNECT. */
  const identify = async (others, send) => {
    const { engine } = socket.io;
    const id = (identification = {});
    const isOver = () => id !== identification || engine !== socket.io.engine || !socket.active;
    try {
      await sleep(notBefore - Date.now());
      if (isOver()) return;

      notBefore = Date.now() + pause(attempts++);
      isOutdated = false;
      const token = await nextToken();
      const rest = await others();
      if (isOver()) return;

      wire.sent = token;
      const sendToken = () => send({ ...rest, ...(token && { token }) });
      watch(sendToken);
      return sendToken();
    } catch (error) {
      if (isOver()) return;
      tell('onError', error);
      connectLater();
    }
  };

  // Sessions

  const accept = (session) => {
    const { logged_in = !!current, expires_in } = session ?? {};
    isLoginAsked = false;
    refused = ending = undefined;
    renewAt = Date.now() + (expires_in ?? Infinity) * 900;
    tell('onSession', { loggedIn: logged_in, expiresIn: expires_in });
  };

  const authenticate = (token) =>
    limited(
      event,
      new Promise((resolve, reject) => {
        socket.emit(event, { token }, (...answer) => {
          // With `ackTimeout` or `retries`, socket.io-client puts an error before the answer.
          const last = answer.pop();
          last instanceof Error ? reject(last) : resolve(last);
        });
      }),
    );

  /** Renews the session, or logs in. `isLogin`: after `refresh`. */
  const renew = async (isLogin) => {
    const id = (renewal = {});
    let delay = renewNotBefore - Date.now();
    if (delay <= 0) renewals = 0;

    for (;;) {
      await sleep(delay);
      if (id !== renewal) return;
      delay = pause(renewals++);
      renewNotBefore = Date.now() + delay;

      let token, answer;
      try {
        token = await nextToken();
        if (id !== renewal) return;
        answer = token && (await authenticate(token));
        if (id !== renewal) return;
      } catch (error) {
        if (id !== renewal) return;
        tell('onError', error);
        continue;
      }

      const refusal = answer?.error;
      const action = refusal && decide(refusal, token);
      if (action === 'renew' || action === 'retry') continue;
      renewal = undefined;
      if (refusal) return follow(action, refusal);
      if (token) {
        current = token;
        return accept(answer);
      }
      if (isLogin && current) rejoin(); // logged out
      return;
    }
  };

  const renewExpiring = () => {
    if (renewal) return;
    renewCode = 'token_expiring';
    renew();
  };

  const login = () => {
    isOutdated = false;
    renew(true);
  };

  const listeners = {
    connect() {
      cancelConnect();
      connectedAt = Date.now();
      current = wire.sent;
      accept();
      if (isOutdated) login();
    },

    disconnect(reason) {
      const refusal = ending;
      ending = renewal = undefined;
      cancelConnect();
      if (Date.now() - connectedAt > STABLE_AFTER) attempts = 0;
      connectedAt = Infinity;
      if (reason === 'io client disconnect') return;
      // Otherwise socket.io-client connects again.
      if (refusal) handleRefusal(refusal, current);
      else if (reason === 'io server disconnect') connectLater();
    },

    [wire.refusedEvent](error) {
      const refusal = wire.refusal(error);
      if (refusal) handleRefusal(refusal, wire.sent); // Otherwise socket.io-client tries again.
    },

    unauthorized(refusal) {
      if (!refusal?.code) return; // not of the crate
      if (!refusal.event) ending = refusal; // A disconnect follows.
      else if (actionOf(refusal) === 'login') askLogin(refusal);
    },

    token_expiring: renewExpiring,
    [announceEvent]: accept,
  };
  for (const name in listeners) socket.on(name, listeners[name]);

  const wake = () => {
    if (globalThis.document?.hidden) return;
    notBefore = 0;
    if (cancelRetry) connect();
    else if (socket.connected && Date.now() > renewAt) renewExpiring();
  };
  for (const name of ['online', 'visibilitychange']) globalThis.addEventListener?.(name, wake, page);

  wire.install(identify);
  if (socket.connected) login();

  return {
    refresh() {
      forgetToken(getToken);
      isLoginAsked = false;
      renewCode = refused = undefined;
      isOutdated = true;
      if (socket.connected) login();
      else if (!cancelWatch) connect(); // A CONNECT under way is answered first.
    },

    stop() {
      options = {};
      identification = renewal = undefined;
      page.abort();
      for (const timer of timers) clearTimeout(timer);
      for (const name in listeners) socket.off(name, listeners[name]);
      wire.remove();
    },
  };
}
