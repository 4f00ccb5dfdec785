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
    onSession,
    onLoginRequired,
    onRefused,
    onError,
    event = 'authenticate',
    announceEvent = 'authenticated',
    timeout = 15_000,
    minDelay = 500,
    maxDelay = 30_000,
    actions = {},
  } = options;
  const timers = new Set();
  const cleanups = [];
  let isStopped = false;

  // Connections
  let attempts = 0;
  let notBefore = 0; // when the next CONNECT may be sent
  let connectedAt = Infinity;
  let identification = 0; // the number of the current one
  let isRepeat = false;
  let payload; // what the last CONNECT sent
  let cancelRetry;
  let cancelWatch;

  // Tokens
  let current = null; // of the session
  let refused; // the last token that the server wanted to be renewed
  let renewCode; // why the next token must be a new one
  let isOutdated = !wire.isShared; // the login has changed since `getToken` was called

  // Renewals
  let renewal = 0; // the number of the one under way
  let lastRenewal = 0;
  let renewals = 0;
  let renewNotBefore = 0;
  let renewAt = Infinity; // if the server's warning was lost, as in a computer that slept

  let ending; // why the server ends the session
  let isLoginAsked = false;

  const after = (delay, run) => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      run();
    }, delay);
    timers.add(timer);
    return () => {
      clearTimeout(timer);
      timers.delete(timer);
    };
  };
  const sleep = (delay) => delay > 0 && new Promise((resolve) => after(delay, resolve));
  const pause = (count) => Math.min(maxDelay, minDelay * 2 ** count) * (0.5 + Math.random() / 2);

  const limited = (name, work) =>
    new Promise((resolve, reject) => {
      const cancel = after(timeout, () => reject(new Error(`${name} has not answered in time`)));
      work.then(resolve, reject).finally(cancel);
    });

  // Called later, so that an error of the application's does not end up here.
  const tell = (callback, value) => queueMicrotask(() => isStopped || callback?.(value));

  const on = (target, add, remove, name, listener) => {
    target?.[add](name, listener);
    cleanups.push(() => target?.[remove](name, listener));
  };
  const onSocket = (name, listener) => on(socket, 'on', 'off', name, listener);

  const nextToken = async () => {
    const request = { forceRefresh: !!renewCode, code: renewCode };
    const token = await limited('getToken', requestToken(getToken, request, refused, timeout));
    if (renewCode === request.code) renewCode = undefined;
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
    if (!isLoginAsked) tell(onLoginRequired, refusal);
    isLoginAsked = true;
  };

  const giveUp = (action, refusal) => (action === 'login' ? askLogin(refusal) : tell(onRefused, refusal));

  const isFinal = (action) => !/^re/.test(action); // neither renew, retry nor reconnect

  /** After a refused connection, or the end of a session. */
  const handleRefusal = (refusal, token) => {
    const action = isOutdated ? 'retry' : decide(refusal, token);
    if (!isFinal(action)) return connectLater();
    socket.disconnect(); // else it would come back with the connection
    giveUp(action, refusal);
  };

  // Connections

  const cancelConnect = () => {
    cancelRetry?.();
    cancelWatch?.();
    cancelRetry = cancelWatch = undefined;
  };

  const connect = () => {
    cancelConnect();
    if (!socket.connected) wire.connect();
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
  const watch = (repeats) => {
    cancelWatch?.();
    cancelWatch = after(Math.min(maxDelay, 1000 * 2 ** repeats), () => {
      cancelWatch = undefined;
      if (!socket.active) return;
      if (repeats === REPEATS) return socket.io.engine.close();
      isRepeat = true;
      socket.connect();
      isRepeat = false;
      watch(repeats + 1);
    });
  };

  /** Sends a fresh token with a CONNECT. */
  const identify = async (others, send) => {
    if (isRepeat) return send(payload);
    const { engine } = socket.io;
    const id = ++identification;
    const isOver = () => isStopped || id !== identification || engine !== socket.io.engine || !socket.active;
    try {
      await sleep(notBefore - Date.now());
      if (isOver()) return;

      notBefore = Date.now() + pause(attempts++);
      isOutdated = false;
      const token = await nextToken();
      const rest = await others();
      if (isOver()) return;

      wire.sent = token;
      payload = { ...rest, ...(token && { token }) };
      watch(0);
      return send(payload);
    } catch (error) {
      if (isOver()) return;
      tell(onError, error);
      connectLater();
    }
  };

  // Sessions

  const accept = (session) => {
    const { logged_in = !!current, expires_in } = session ?? {};
    isLoginAsked = false;
    refused = ending = undefined;
    renewAt = expires_in == null ? Infinity : Date.now() + expires_in * 900;
    tell(onSession, { loggedIn: logged_in, expiresIn: expires_in ?? undefined });
  };

  const authenticate = (token) =>
    limited(
      event,
      new Promise((resolve, reject) => {
        // With `ackTimeout` or `retries`, socket.io-client puts an error before the answer.
        socket.emit(event, { token }, (...answer) => {
          const last = answer.pop();
          last instanceof Error ? reject(last) : resolve(last);
        });
      }),
    );

  /** Renews the session, or logs in. `isLogin`: after `refresh`. */
  const renew = async (isLogin) => {
    const id = (renewal = ++lastRenewal);
    const isOver = () => isStopped || id !== renewal;

    let delay = renewNotBefore - Date.now();
    if (delay <= 0) renewals = 0;
    for (;;) {
      await sleep(delay);
      if (isOver()) return;
      delay = pause(renewals++);
      renewNotBefore = Date.now() + delay;

      let refusal, token;
      try {
        token = await nextToken();
        if (isOver()) return;
        const answer = token && (await authenticate(token));
        if (isOver()) return;
        refusal = answer?.error;
        if (!refusal) {
          renewal = 0;
          if (token) {
            current = token;
            accept(answer);
          } else if (isLogin && current) rejoin(); // logged out
          return;
        }
      } catch (error) {
        if (isOver()) return;
        tell(onError, error);
        continue;
      }

      const action = decide(refusal, token);
      if (action === 'renew' || action === 'retry') continue;
      renewal = 0;
      return action === 'reconnect' ? rejoin() : giveUp(action, refusal);
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

  onSocket('connect', () => {
    cancelConnect();
    connectedAt = Date.now();
    current = wire.sent;
    accept();
    if (isOutdated) login();
  });

  onSocket('disconnect', (reason) => {
    const refusal = ending;
    ending = undefined;
    renewal = 0;
    cancelConnect();
    if (Date.now() - connectedAt > STABLE_AFTER) attempts = 0;
    connectedAt = Infinity;
    if (reason === 'io client disconnect') return;
    // Otherwise socket.io-client connects again.
    if (refusal) handleRefusal(refusal, current);
    else if (reason === 'io server disconnect') connectLater();
  });

  onSocket(wire.refusedEvent, (error) => {
    const refusal = wire.refusal(error);
    if (!refusal) return; // The connection failed, and socket.io-client tries again.
    cancelConnect();
    handleRefusal(refusal, wire.sent);
  });

  onSocket('unauthorized', (refusal) => {
    if (!refusal?.code) return; // not of the crate
    if (!refusal.event) ending = refusal; // A disconnect follows.
    else if (actionOf(refusal) === 'login') askLogin(refusal);
  });
  onSocket('token_expiring', renewExpiring);
  onSocket(announceEvent, accept);

  const wake = () => {
    if (globalThis.document?.hidden) return;
    notBefore = 0;
    if (cancelRetry) connect();
    else if (socket.connected && Date.now() > renewAt) renewExpiring();
  };
  for (const [target, name] of [
    [globalThis.window, 'online'],
    [globalThis.document, 'visibilitychange'],
  ]) {
    on(target, 'addEventListener', 'removeEventListener', name, wake);
  }

  cleanups.push(wire.install(identify));
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
      isStopped = true;
      for (const timer of timers) clearTimeout(timer);
      for (const cleanup of cleanups) cleanup();
    },
  };
}
