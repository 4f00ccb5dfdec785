import { randomBytes } from 'node:crypto';

import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { bearer, jwt } from 'better-auth/plugins';

import { Listener } from './listener.js';

export const AUDIENCE = 'https://chat.example';

/** `better-auth` with its plugin `jwt` on loopback. */
export class BetterAuth {
  #listener = new Listener();
  #auth;

  /** Starts it with options of the plugin, which signs with EdDSA by default. It is stopped after the test. */
  static async start(test, { jwks = {}, ...options } = {}) {
    const betterAuth = new BetterAuth();
    await betterAuth.#start({ jwks, jwt: { audience: AUDIENCE, ...options } });
    test.after(() => betterAuth.#listener.stop());
    return betterAuth;
  }

  async #start(options) {
    let handle;
    const baseURL = await this.#listener.start((request, response) => handle(request, response));
    this.#auth = betterAuth({
      baseURL,
      secret: randomBytes(32).toString('base64'),
      database: memoryAdapter({ user: [], session: [], account: [], verification: [], jwks: [] }),
      emailAndPassword: { enabled: true },
      logger: { level: 'error' },
      plugins: [jwt(options), bearer()],
      rateLimit: { enabled: false },
      telemetry: { enabled: false },
    });
    handle = toNodeHandler(this.#auth);
  }

  /** The `iss` of its tokens. */
  get url() {
    return this.#listener.url;
  }

  get jwksUrl() {
    return `${this.url}/api/auth/jwks`;
  }

  /** The settings of a server that accepts its tokens. */
  settings(algorithms = ['EdDSA'], others = {}) {
    return { jwks_url: this.jwksUrl, algorithms, issuer: this.url, audience: AUDIENCE, ...others };
  }

  /** Registers a user, and returns its id and its session. */
  async signUp(name) {
    const email = `${name}.${randomBytes(4).toString('hex')}@example.com`;
    const { user, token } = await this.#fetch('sign-up/email', {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: this.url },
      body: JSON.stringify({ name, email, password: randomBytes(16).toString('hex') }),
    });
    return { id: user.id, session: token };
  }

  /** The JWT of a user's session, as the user's browser fetches it. */
  async token({ session }) {
    const { token } = await this.#fetch('token', { headers: { authorization: `Bearer ${session}` } });
    return token;
  }

  /** A JWT of any content, as the application's own server code can sign it. */
  async sign(payload) {
    const { token } = await this.#auth.api.signJWT({ body: { payload } });
    return token;
  }

  async keys() {
    return (await this.#fetch('jwks')).keys;
  }

  async #fetch(path, options) {
    const response = await fetch(`${this.url}/api/auth/${path}`, options);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}
