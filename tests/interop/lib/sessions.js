import { randomUUID } from 'node:crypto';

import { ask } from './clients.js';

/** A new namespace, where guests may log in and tokens be renewed. */
export const newNamespace = () => `/sessions/${randomUUID()}`;

/** A new namespace where a guest must log in within two seconds. */
export const newImpatientNamespace = () => `/impatient/${randomUUID()}`;

/** Emits `authenticate` and resolves with the acknowledgement. */
export const renew = (socket, token) => ask(socket, 'authenticate', { token });

/** The acknowledgement of a renewal. */
export const renewedUntil = (expiresAt) => ({ expires_at: Math.floor(expiresAt) });

/** An error whose message is its code. */
export const coded = (code) => ({ code, message: code });
