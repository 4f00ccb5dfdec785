import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { ask } from './clients.js';

/** A new namespace, where guests may log in and tokens be renewed. */
export const newNamespace = () => `/sessions/${randomUUID()}`;

/** A new namespace where a guest must log in within two seconds. */
export const newImpatientNamespace = () => `/impatient/${randomUUID()}`;

/** Emits `authenticate` and resolves with the acknowledgement. */
export const renew = (socket, token) => ask(socket, 'authenticate', { token });

/** Checks the acknowledgement of a renewal: when the token expires, and in how many whole seconds. */
export function assertRenewed({ expires_at, expires_in, ...rest }, expiresAt) {
  assert.deepEqual({ expires_at, ...rest }, { expires_at: Math.floor(expiresAt) });
  const left = expiresAt - Date.now() / 1000;
  // The answer was on its way for some time, and the part of a second is left out.
  assert.ok(Number.isInteger(expires_in) && expires_in >= left - 1 && expires_in < left + 10, `${expires_in} of ${left}`);
}

/** What the server says, and what the client should do, for each code that these tests meet. */
const REFUSALS = {
  forbidden: ['You may not do this.', 'none'],
  internal_error: ['Something went wrong. Try again later.', 'retry'],
  login_required: ['Log in first.', 'login'],
  subject_mismatch: ['Reconnect to change the user.', 'reconnect'],
  token_expired: ['Your login has expired.', 'renew'],
  token_malformed: ['Log in again.', 'login'],
  token_missing: ['Log in first.', 'login'],
  token_signature_invalid: ['Log in again.', 'login'],
  token_too_large: ['Log in again.', 'login'],
  too_many_attempts: ['Too many attempts. Try again later.', 'retry'],
  user_not_found: ['Log in again.', 'login'],
};

/** The refusal with a code. */
export function coded(code) {
  const [message, action] = REFUSALS[code];
  return { code, message, action };
}

/** The refusal with the application's words. */
export const denied = (message) => ({ code: 'denied', message, action: 'none' });
