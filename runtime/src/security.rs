//! What is done against the known attacks on JSON Web Tokens, where it is tested, and what is left to the application.
//!
//! The order is that of [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725), the best current practice. The tests named
//! here are files of `runtime/tests` and `tests/tests` in the repository.
//!
//! # RFC 8725: practices
//!
//! | section | what is done | tested in |
//! |---|---|---|
//! | 3.1 Perform algorithm verification | `alg` must be one of the configured `algorithms`, before any key is looked for; each key is bound to the algorithms of its type, curve and own `alg`. `none` does not exist here, in any spelling. A public key is never an HMAC secret: the two are different kinds of keys, and an HS algorithm beside a public key is a [`ConfigError`](crate::ConfigError). | `attacks` |
//! | 3.2 Use appropriate algorithms | HS, RS and PS with SHA-256, 384 and 512, ES256, ES384 and EdDSA with Ed25519. The list is the application's; HS256 if the key is a secret and nothing is said. | `keys` |
//! | 3.3 Validate all cryptographic operations | One signature over header and payload; an error of the backend is a refusal. A token with five segments (JWE), `zip` or `enc` is refused. The examples of RFC 7515, 7520 and 8037 verify. | `attacks`, `properties`, `vectors` |
//! | 3.4 Validate cryptographic inputs | EC points are on their curve and Ed25519 keys have 32 bytes when they are loaded. | `keys` |
//! | 3.5 Ensure cryptographic keys have sufficient entropy | A secret is at least as long as the hash (RFC 7518 §3.2), an RSA key has 2048 bits at least; otherwise a `ConfigError` that says how to make a good one. `allow_weak_secret` is danger that shows in the code. | `keys` |
//! | 3.6 Avoid compression of encryption inputs | `zip` is refused. | `attacks` |
//! | 3.7 Use UTF-8 | Header and payload must be UTF-8, as a whole. | `attacks` |
//! | 3.8 Validate issuer and subject | `issuer` once set is required and compared exactly; with `oidc_issuer` it is set by itself. The subject is what the user lookup is for. | `attacks`, `connect`, `oidc` |
//! | 3.9 Use and validate audience | `audience` once set is required. As long as it is not set, a token that names audiences is refused: it was not made for this server (RFC 7519 §4.1.3). | `attacks` |
//! | 3.10 Do not trust received claims | `kid` is compared with names of loaded keys, and is nothing else: no path, no query. `jku`, `x5u`, `jwk` and `x5c` are never followed. A [`KeySource`](crate::KeySource) of the application sees unverified data, and its documentation says so. | `attacks`, `jwks_url`, `tenants` |
//! | 3.11 Use explicit typing | `typ` must be a text; it is not compared, because few issuers set it. Where one key signs several kinds of tokens, tell them apart by `audience`, or by a required claim. | `attacks` |
//! | 3.12 Use mutually exclusive validation rules | Each namespace has a middleware, and so keys, issuer, audience and claims type, of its own. | `namespaces` |
//!
//! # RFC 8725: threats
//!
//! | section | which practices answer it |
//! |---|---|
//! | 2.1 Weak signatures and insufficient signature validation | 3.1, 3.2, 3.3 |
//! | 2.2 Weak symmetric keys | 3.5 |
//! | 2.3 Incorrect composition of encryption and signature | no encryption is accepted (3.3) |
//! | 2.4 Plaintext leakage through analysis of ciphertext length | no encryption, no compression (3.6) |
//! | 2.5 Insecure use of elliptic curve encryption | no key agreement; points are checked (3.4) |
//! | 2.6 Multiplicity of JSON encodings | 3.7, and one spelling (below) |
//! | 2.7 Substitution attacks | 3.8, 3.9, 3.11 |
//! | 2.8 Cross-JWT confusion | 3.8, 3.9, 3.11, 3.12 |
//! | 2.9 Indirect attacks on the server | 3.10 |
//!
//! # Beyond it
//!
//! - **One spelling**: base64url without padding, white space or stray bits; no duplicate members in the header, no
//!   duplicate registered claims; registered claims of the right type. Any changed bit of a token is refused
//!   (`properties`), and whatever `jsonwebtoken::decode` refuses is refused here (`differential`, and the fuzz targets).
//! - **Bounded work**: a token longer than `max_token_bytes` is refused unread; the auth payload may have 64 members; a
//!   connection that was refused twenty times in a row is refused without a lookup, until a minute has passed; one
//!   renewal is under way on a socket at a time, and twenty in ten seconds are the most; the lookup and the keys have a
//!   time limit.
//! - **No oracle**: a client learns a code, and its own words for `denied`. Causes go to `tracing`. Tokens, secrets and
//!   keys go nowhere: no `Debug`, no log, no error.
//! - **Fail-closed guests**: a guest is a client that sent no token. A bad token never makes one.
//! - **Cookies** need `allowed_origins`: a browser sends them with the handshakes of foreign pages too.
//! - **JWKS URLs**: HTTPS only (but for loopback addresses), no redirects to another host, a limit for time and size,
//!   one request for all who wait, at most one in ten seconds for unknown keys, a day of outage.
//!
//! # What is left to the application
//!
//! - **TLS**: a token is as good as a password while it lives. Serve `https` and `wss`.
//! - **Where the browser keeps tokens**: in memory, or in an HttpOnly cookie; what scripts can read, injected scripts can.
//! - **Query strings** end up in logs of proxies and servers. Leave `query(…)` out of `token` if your clients do without.
//! - **Logs of socketioxide**: its feature `tracing` writes auth payloads at DEBUG. Filter with
//!   `RUST_LOG=debug,socketioxide=info,engineioxide=info`.
//! - **Message size**: socketioxide takes 64 MB before anybody is authenticated. Set `ws_max_message_size`.
//! - **Dynamic namespaces**: each path that a client asks for stays in memory, even if it is refused.
//! - **Connections without a namespace**: `connect_timeout` ends them, unless they joined a public one.
//! - **Revocation**: a token is valid until it expires. Keep them short, let clients renew, refuse a revoked user in the
//!   lookup, and end the open sockets with [`disconnect_user`](crate::disconnect_user).
//! - **A cookie and polling**: browsers send no `Origin` with a same-origin GET, so with `allowed_origins` a page of the
//!   same origin connects with `transports: ["websocket"]`.
