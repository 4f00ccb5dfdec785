// Compiled by types.test.js.

import { io, type Socket } from 'socket.io-client';

import { actionFor, keepAuthenticated, type Refusal, type Session } from 'socketioxide-jwt-auth-client';
import { keepAuthenticated as keepAuthenticated2 } from 'socketioxide-jwt-auth-client/v2';

const plain = io({ autoConnect: false });
const typed: Socket<{ message: (text: string) => void }, { post: (text: string) => void }> = plain;

const kept = keepAuthenticated(plain, {
  async getToken({ forceRefresh, code }) {
    const reason: string | undefined = code;
    return forceRefresh ? reason ?? 'a token' : null;
  },
  onSession({ loggedIn, expiresIn }: Session) {
    const known: boolean = loggedIn && expiresIn != null;
    console.log(known);
  },
  onLoginRequired: ({ code, message }: Refusal) => console.log(code, message),
  onRefused: ({ code }) => console.log(code),
  onError: ({ message }) => console.log(message),
  event: 'authenticate',
  announceEvent: 'authenticated',
  timeout: 1000,
  minDelay: 100,
  maxDelay: 1000,
  actions: { email_unverified: 'login' },
});
kept.refresh();
kept.stop();

keepAuthenticated(typed, { getToken: () => 'a token' });
keepAuthenticated2(plain, { getToken: () => null, query: 'token' });

const action: 'renew' | 'login' | 'retry' | 'reconnect' | 'none' = actionFor({ code: 'token_expired' });
console.log(action);

// @ts-expect-error `getToken` is needed
keepAuthenticated(plain, {});
// @ts-expect-error a token is a string
keepAuthenticated(plain, { getToken: () => 5 });
// @ts-expect-error an action has one of five names
keepAuthenticated(plain, { getToken: () => null, actions: { code: 'log in' } });
