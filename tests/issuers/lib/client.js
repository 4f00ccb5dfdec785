import assert from 'node:assert/strict';

import { Manager } from 'socket.io-client';

import { next, within } from '../../interop/lib/wait.js';

/** The server refused a socket. */
export class Refusal extends Error {
  name = 'Refusal';

  constructor(code, log) {
    super(`${code}; the server's log:\n${log}`);
    this.code = code;
  }
}

/**
 * Connects with a token, and resolves with a socket once the server has told who its user is: `socket.session` is
 * `{ user, issuer }`. Rejects with a `Refusal`.
 */
export async function connect(test, server, token, namespace = '/') {
  server.sent(token);
  const manager = new Manager(server.url, { transports: ['websocket'], reconnection: false, autoConnect: false });
  test.after(() => manager._close());

  const socket = manager.socket(namespace, { auth: { token } });
  const session = new Promise((resolve, reject) => {
    socket.once('session', resolve);
    socket.once('connect_error', (error) => {
      // An error of the connection is not an answer of the server.
      reject(error.type === 'TransportError' ? error : new Refusal(error.message, server.log));
    });
  });
  manager.open();
  socket.connect();
  socket.session = await within(session, `an answer from ${namespace}`);
  return socket;
}

/** Asserts that a token is accepted, and as which user of which issuer. */
export async function assertAccepted(test, server, token, user, issuer) {
  const socket = await connect(test, server, token);
  assert.deepEqual(socket.session, { user, issuer });
  return socket;
}

export async function assertRefused(test, server, token, code) {
  await assert.rejects(connect(test, server, token), (error) => {
    assert.ok(error instanceof Refusal, error);
    assert.equal(error.code, code, error.message);
    return true;
  });
}

/** Connects again and again until `isWanted` returns true for the code of a refusal, or for `undefined`. */
export async function connectUntil(test, server, token, isWanted) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const code = await connect(test, server, token).then(
      () => undefined,
      (error) => {
        if (!(error instanceof Refusal)) throw error;
        return error.code;
      },
    );
    if (isWanted(code)) return;
    assert.ok(Date.now() < deadline, `still ${code ?? 'accepted'}; the server's log:\n${server.log}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Emits an event and resolves with the acknowledgement. */
export function ask(socket, event, ...values) {
  return within(new Promise((resolve) => socket.emit(event, ...values, resolve)), `the acknowledgement of ${event}`);
}

/** Sends a new token over an open socket, and resolves with the acknowledgement. */
export function renew(server, socket, token) {
  server.sent(token);
  return ask(socket, 'authenticate', { token });
}

/** Asserts that a renewal succeeded, and that it holds until the token expires. */
export async function assertRenewed(server, socket, token) {
  const answer = await renew(server, socket, token);
  assert.equal(answer.expires_at, claimsOf(token).exp, `${JSON.stringify(answer)}; the server's log:\n${server.log}`);
}

export async function assertNotRenewed(server, socket, token, code) {
  const answer = await renew(server, socket, token);
  assert.equal(answer.error?.code, code, `${JSON.stringify(answer)}; the server's log:\n${server.log}`);
}

/** Resolves with what the client is told when its session ends. */
export async function ended(socket) {
  const told = next(socket, 'unauthorized');
  const reason = next(socket, 'disconnect');
  return { code: (await told).code, reason: await reason };
}

export const headerOf = (token) => segmentOf(token, 0);

export const claimsOf = (token) => segmentOf(token, 1);

const segmentOf = (token, index) => JSON.parse(Buffer.from(token.split('.')[index], 'base64url'));

/** The token with other claims, under the signature of the old ones. */
export function tampered(token, claims) {
  const [header, , signature] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...claimsOf(token), ...claims })).toString('base64url');
  return [header, payload, signature].join('.');
}
