import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';

import { Client, MAJORS, Refusal, TRANSPORTS } from './clients.js';
import { startServer } from './server.js';
import { made, secrets } from './tokens.js';

export const server = await startServer(secrets);

after(async () => {
  const log = await server.stop();
  for (const token of made) {
    // The signature alone completes a token whose payload is known, so it is secret too.
    assert.ok(!log.includes(token.split('.')[2]), `the log shows a token:\n${log}`);
  }
});

/** Every major version of the client over every transport. */
export const CLIENTS = MAJORS.flatMap((major) =>
  Object.keys(TRANSPORTS).map((transport) => new Client(major, transport)),
);

/** Calls `suite` once for every client. */
export function forEveryClient(suite) {
  for (const client of CLIENTS) suite(new Suite(client));
}

/** As `forEveryClient`, for tests in which time must pass: they run concurrently. */
export function forEveryClientTogether(suite) {
  describe('together', { concurrency: 4 * CLIENTS.length }, () => forEveryClient(suite));
}

class Suite {
  constructor(client) {
    this.client = client;
    this.carry = usualCarrier(client).carry;
  }

  test(name, ...rest) {
    const body = rest.pop();
    const options = { timeout: 60_000, ...rest[0] };
    test(`${this.client.name}: ${name}`, options, (context) => body(new Case(this.client, context)));
  }
}

/** The connections of a test, which are closed at its end. */
class Case {
  constructor(client, context) {
    this.client = client;
    this.context = context;
  }

  connection(options, client = this.client) {
    const connection = client.connection(server.url, options);
    this.context.after(() => connection.close());
    return connection;
  }

  /** Connects to a namespace with the options that a carrier returned for a token. */
  connect({ at = 'users', namespace = '/', auth, ...given } = {}) {
    const connection = this.connection({ at, ...given });
    return connection.connect(connection.socket(namespace, auth));
  }
}

/** The places where a client can put its token. */
export function carriers(client) {
  const everywhere = [
    { name: 'query auth_token', carry: (token) => ({ query: { auth_token: token } }) },
    { name: 'header x-auth-token', carry: (token) => ({ headers: { 'x-auth-token': token } }) },
  ];
  const modern = [
    { name: 'auth.token', carry: (token) => ({ auth: { token } }) },
    { name: 'auth.auth_token', carry: (token) => ({ auth: { auth_token: token } }) },
  ];
  return client.isLegacy ? everywhere : [...everywhere, ...modern];
}

/** The place that most applications choose. */
export function usualCarrier(client) {
  const usual = client.isLegacy ? 'query auth_token' : 'auth.token';
  return carriers(client).find(({ name }) => name === usual);
}

export async function assertRefused(connecting, message) {
  await assert.rejects(connecting, (error) => {
    assert.ok(error instanceof Refusal, error);
    assert.equal(error.message, message);
    return true;
  });
}
