import { randomBytes } from 'node:crypto';

import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

import { Listener } from './listener.js';

/** The resource server's name, which is the `aud` of access tokens. */
export const AUDIENCE = 'https://chat.example';

/** Every asymmetric algorithm of the provider. */
export const ALGORITHMS = [
  'RS256', 'RS384', 'RS512',
  'PS256', 'PS384', 'PS512',
  'ES256', 'ES384', 'ES512',
  'EdDSA', 'Ed25519',
];

const ROBOT = { client_id: 'robot', client_secret: 'secret of the robot' };
const WEB = {
  client_id: 'web',
  client_secret: 'secret of the web application',
  redirect_uri: 'https://web.example/callback',
};

/** A private key for the provider. */
export async function newKey(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: randomBytes(8).toString('hex') };
}

/** `oidc-provider` on loopback. */
export class OidcProvider {
  #listener = new Listener();
  #logouts = [];
  /** How often its keys were fetched. */
  keyRequests = 0;

  /** Starts the provider with the given keys. The first signs. It is stopped after the test. */
  static async start(test, keys, options = {}) {
    const provider = new OidcProvider();
    await provider.#start(keys, options);
    test.after(() => provider.stop());
    return provider;
  }

  /** Stops the provider and starts it with other keys, under the same URL. */
  async restart(keys, options = {}) {
    await this.stop();
    await this.#start(keys, options);
  }

  stop() {
    return this.#listener.stop();
  }

  get url() {
    return this.#listener.url;
  }

  /** The settings of a server that accepts the provider's access tokens. */
  settings(algorithms, others = {}) {
    return { oidc_issuer: this.url, algorithms, audience: AUDIENCE, ...others };
  }

  /**
   * `logoutUri` is where the application's server hears of logouts, and `logoutBySession` whether it asks for the `sid`
   * there and in id tokens.
   */
  async #start(keys, { lifetime = 300, audience = AUDIENCE, encryption, logoutUri, logoutBySession = false } = {}) {
    let handle;
    await this.#listener.start((request, response) => {
      if (request.url === '/jwks') this.keyRequests += 1;
      if (request.url.startsWith('/interaction/')) return this.#logIn(provider, request, response);
      return handle(request, response);
    });
    const { alg } = keys[0];
    const jwt = { sign: { alg, kid: keys[0].kid }, encrypt: encryption };
    const provider = new Provider(this.url, {
      jwks: { keys },
      enabledJWA: { idTokenSigningAlgValues: ALGORITHMS },
      clients: [
        { ...ROBOT, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] },
        {
          ...{ client_id: WEB.client_id, client_secret: WEB.client_secret },
          grant_types: ['authorization_code'],
          redirect_uris: [WEB.redirect_uri],
          ...(logoutUri && {
            backchannel_logout_uri: logoutUri,
            backchannel_logout_session_required: logoutBySession,
          }),
        },
      ],
      clientDefaults: { id_token_signed_response_alg: alg },
      cookies: { keys: [randomBytes(32).toString('hex')] },
      ttl: {
        AccessToken: lifetime, AuthorizationCode: 60, ClientCredentials: lifetime, Grant: 600,
        IdToken: lifetime, Interaction: 60, Session: 600,
      },
      findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
      interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
      loadExistingGrant: (context) => grantAll(provider, context),
      pkce: { required: () => false },
      // The default refuses loopback addresses, by its own dispatcher.
      fetch: (url, options) => {
        delete options.dispatcher;
        return fetch(url, options);
      },
      features: {
        backchannelLogout: { enabled: true },
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: () => ({ scope: 'chat', audience, accessTokenFormat: 'jwt', jwt }),
          useGrantedResource: () => true,
        },
      },
    });
    provider.on('backchannel.success', () => this.#logouts.push('accepted'));
    provider.on('backchannel.error', (_, error) => this.#logouts.push(error.message));
    handle = provider.callback();
  }

  /** The user that the application names is logged in, without a password. */
  async #logIn(provider, request, response) {
    const { params } = await provider.interactionDetails(request, response);
    await provider.interactionFinished(request, response, { login: { accountId: params.login_hint } });
  }

  /** An access token of a program, by the grant `client_credentials`. */
  async programToken() {
    const { access_token } = await this.#token(ROBOT, {
      grant_type: 'client_credentials', resource: AUDIENCE, scope: 'chat',
    });
    return access_token;
  }

  /** The tokens of a user. */
  async userTokens(user, resource = AUDIENCE) {
    return (await this.logIn(user, resource)).tokens;
  }

  /**
   * Logs a user in by the grant `authorization_code`: what a browser and an application's server do. `jar` holds the
   * session at the provider.
   */
  async logIn(user, resource = AUDIENCE) {
    const jar = new CookieJar();
    const query = new URLSearchParams({
      client_id: WEB.client_id,
      redirect_uri: WEB.redirect_uri,
      response_type: 'code',
      scope: 'openid chat',
      login_hint: user,
      ...(resource && { resource }),
    });
    let location = `${this.url}/auth?${query}`;
    while (!location.startsWith(WEB.redirect_uri)) {
      const response = await fetch(location, { redirect: 'manual', headers: { cookie: jar.header() } });
      jar.add(response);
      if (!response.headers.has('location')) throw new Error(await response.text());
      location = new URL(response.headers.get('location'), this.url).href;
    }
    const code = new URL(location).searchParams.get('code');
    if (!code) throw new Error(location);
    const redirect_uri = WEB.redirect_uri;
    return { jar, tokens: await this.#token(WEB, { grant_type: 'authorization_code', code, redirect_uri }) };
  }

  /** Logs a session out, as its user does in the browser. Resolves with what its applications answered. */
  async logOut({ jar, tokens }) {
    this.#logouts = [];
    const query = new URLSearchParams({ id_token_hint: tokens.id_token });
    const asked = await fetch(`${this.url}/session/end?${query}`, { headers: { cookie: jar.header() } });
    jar.add(asked);
    const [, xsrf] = (await asked.text()).match(/name="xsrf" value="([^"]+)"/);
    const confirmed = await fetch(`${this.url}/session/end/confirm`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: jar.header() },
      body: new URLSearchParams({ xsrf, logout: 'yes' }),
    });
    if (confirmed.status >= 400) throw new Error(await confirmed.text());
    return this.#logouts;
  }

  async #token({ client_id, client_secret }, body) {
    const credentials = [client_id, client_secret].map((text) => encodeURIComponent(text)).join(':');
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` },
      body: new URLSearchParams(body),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  }
}

/** Lets the application have everything that it asks for. */
async function grantAll(provider, { oidc }) {
  const grant = new provider.Grant({ accountId: oidc.session.accountId, clientId: oidc.client.clientId });
  grant.addOIDCScope('openid');
  grant.addResourceScope(AUDIENCE, 'chat');
  await grant.save();
  return grant;
}

/** The cookies of a browser, as far as a login at one host needs them. */
class CookieJar {
  #cookies = new Map();

  add(response) {
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = cookie.match(/^([^=]+)=([^;]*)/);
      this.#cookies.set(name, value);
    }
  }

  header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
