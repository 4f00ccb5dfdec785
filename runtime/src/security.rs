//! How this crate answers the known attacks on JSON Web Tokens, which tests check it, and what the
//! application must do.
//!
//! The sections are those of [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725), the best current
//! practice. The tests named here are files and folders of `runtime/tests` and `tests/tests` in the
//! repository.
//!
//! # RFC 8725: practices
//!
//! | section | what is done | tested in |
//! |---|---|---|
//! | 3.1 Perform algorithm verification | `alg` must be one of the configured `algorithms`, before a key is chosen; each key is bound to the algorithms of its type, its curve and its `alg`. `none` is refused in any spelling. A public key is never an HMAC secret: the two are different kinds of keys, and an HS algorithm beside a public key is a [`ConfigError`](crate::ConfigError). | `attacks` |
//! | 3.2 Use appropriate algorithms | HS, RS and PS with SHA-256, 384 and 512, ES256, ES384, ES512 and EdDSA with Ed25519. The application sets the list. Defaults to HS256 if the key is a secret. | `keys` |
//! | 3.3 Validate all cryptographic operations | The signature covers header and payload; an error of the cryptography library refuses the token. A token with five segments (JWE), `zip` or `enc` is refused. The examples of RFC 7515, 7520 and 8037 verify. | `attacks`, `properties`, `vectors` |
//! | 3.4 Validate cryptographic inputs | When a key is loaded, an EC point must be on its curve and have its length, and an Ed25519 key must have 32 bytes. | `keys` |
//! | 3.5 Ensure cryptographic keys have sufficient entropy | A secret must be at least as long as the hash (RFC 7518 §3.2), an RSA key must have at least 2048 bits; otherwise a `ConfigError` says how to make a good one. `allow_weak_secret` accepts any secret that is not empty. | `keys` |
//! | 3.6 Avoid compression of encryption inputs | `zip` is refused. | `attacks` |
//! | 3.7 Use UTF-8 | The whole header and the whole payload must be UTF-8. | `attacks` |
//! | 3.8 Validate issuer and subject | If `issuer` is set, the token's `iss` must be there and be exactly one of its values; `oidc_issuer` sets `issuer` too. The user lookup validates the subject. | `attacks`, `connect`, `oidc` |
//! | 3.9 Use and validate audience | If `audience` is set, the token's `aud` must be there and name one of its values. If it is not set, a token that names audiences is refused, because none of them is known to be this server (RFC 7519 §4.1.3). | `attacks` |
//! | 3.10 Do not trust received claims | `kid` is only compared with the ids of loaded keys; it is never part of a path or a query. `jku`, `x5u`, `jwk` and `x5c` are never followed. A [`KeySource`](crate::KeySource) of the application sees unverified data, and its documentation says so. | `attacks`, `jwks_url`, `tenants` |
//! | 3.11 Use explicit typing | A token that names another kind of JWT is refused with `token_claims_invalid`: by a `typ` of `logout+jwt`, `dpop+jwt`, `secevent+jwt` or `token-introspection+jwt` (in any case, with or without `application/`), by the `events` member of a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4), or by an `events` object with a URI as a name, which a security event token has (RFC 8417 §2.2). A token needs no `typ`, because few issuers set it. Where one key signs several kinds of tokens, distinguish them by `audience`, or by a required claim. | `attacks` |
//! | 3.12 Use mutually exclusive validation rules | Each namespace has its own middleware, with its own keys, issuer, audience and claims type. | `namespaces` |
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
//! # Beyond RFC 8725
//!
//! - **One spelling** of header and payload: base64url without padding, white space or unused bits;
//!   no duplicate members in the header, no duplicate registered claims; registered claims of the
//!   right type. A token is refused if any of its bits is changed (`properties`), and if
//!   `jsonwebtoken::decode` refuses it (`differential`, and the fuzz targets).
//! - **Two signatures with ECDSA**: who has a token with ES256, ES384 or ES512 can compute a second
//!   one that is valid too (`s` replaced by the order of the curve less `s`), because issuers make
//!   either. The text of a token is therefore no identity: a denylist of texts, or of their hashes,
//!   lets the other one in. Denylists go by `jti` (`attacks`).
//! - **A cache that knows good signatures only**: `token_cache` is off by default. It has the
//!   SHA-256 hash of a whole token together with the set of keys that verified it, so nothing of a
//!   token can be changed, a second ECDSA signature is verified itself, a token of one tenant is
//!   none of another, and every change of the keys makes it useless. All other checks are made each
//!   time; what is refused is not remembered, so that a flood of bad tokens pushes no good one out
//!   (`keys`).
//! - **JSON with a limit**: claims, headers, auth payloads and JWKs may be nested 64 levels deep,
//!   the outermost object included, and are refused beyond, so that a stack of 256 KiB does not
//!   overflow in a debug build, with `serde_json::Value` as the type of the claims either.
//!   Registered claims, headers and JWK Sets are read by a scanner that does not recurse, and
//!   whatever the application's own claims type reads, skips or ignores, the registered claims are
//!   checked (`depth`).
//! - **`serde_json`'s features**: this crate switches none on that changes how JSON is read
//!   (`raw_value`, `arbitrary_precision`, `unbounded_depth`), but Cargo unifies features over a
//!   whole program, and the feature `json` of axum has `raw_value` on. A `serde_json::Value` then
//!   reads an object whose first member is `$serde_json::private::RawValue` as another JSON text,
//!   with a depth of its own at every level. Tokens, auth payloads and JWK Sets in which a member's
//!   name begins with `$serde_json::private::`, at any depth and in any spelling, are refused
//!   (`tests/features` runs with both features on).
//! - **Bounded work**: a token longer than `max_token_bytes` is refused unread; the auth payload
//!   may have 64 members; the lookup and the keys have a time limit. The other limits belong to the
//!   Engine.IO connection, whose id all of its sockets share, because a client can open and leave
//!   thousands of namespaces at will: after twenty refusals it is refused with `too_many_attempts`
//!   and without a lookup, until a minute has passed without one; attempts under way count as
//!   refusals; a user that logs in makes them forgotten, a guest does not. One renewal runs on a
//!   socket at a time, and a connection has twenty in ten seconds (`limits`).
//! - **The wall clock decides** when a session ends: every extractor compares it with `exp` plus
//!   leeway, because a timer stands still while the machine is suspended, and may be late. Timers
//!   look at it every second at least, so that a socket which sends nothing is disconnected as
//!   well. The age of a fetched JWK Set counts by both clocks.
//! - **Revocations fail closed**: with `revocations`, a token that passes every other check is looked
//!   up in the store. If the store fails, panics or does not answer in time, the token is refused.
//!   `iat` has whole seconds and is rounded differently by issuers, so times are compared rounded up:
//!   a token that was issued before the time of a revocation is always covered, and so is one without
//!   `iat`. An entry lasts ten minutes longer than the last token that it concerns, which is why
//!   `leeway` may be at most five minutes then. A store that is full refuses to revoke, and forgets
//!   nothing (`revocations`). A socket is registered before its store is asked, so a revocation at
//!   any moment of an attempt refuses it or ends its socket. In Redis the keys are hashes; messages
//!   that get lost are made up for by asking about every open socket again. An open socket stays
//!   while the store does not answer (`sessions`, `users`).
//! - **A logout means attempts too**: it ends the sessions that exist, and refuses every
//!   connection, login and renewal that began before it, with `session_ended`, on every node: while
//!   the lookup runs, and while later connect middlewares do (`concurrent_logout`, `cluster`). The
//!   order of attempts and logouts is kept by a counter, not by time.
//! - **Logouts by the identity provider**: the route of `backchannel_logout` (feature `axum`)
//!   verifies a logout token with the keys and the rules of its issuer's other tokens, requires
//!   `iss` and `aud`, and accepts each `jti` once on a node, for five minutes at most. A token that
//!   is refused uses no `jti` up. A logout token never logs in, and a token that logs in never logs
//!   out, because only one of them has the `events` member. If access tokens have another audience
//!   than the client id, the client id is given to the route alone
//!   ([`BackchannelLogout::audience`](crate::axum::BackchannelLogout::audience)), so an ID token does
//!   not log in (`backchannel_logout`). Used ids are not shared by nodes: a
//!   [`RevocationStore`](crate::RevocationStore) is only asked, never written to. A copy of a logout
//!   token works once more on each other node, for five minutes. It ends sessions of the same `sid`,
//!   which the provider has ended; without a `sid`, those of the `sub`, also if they began meanwhile.
//!   Only the provider and the server have the token, so use HTTPS between them.
//! - **Panics of the application** (the lookup, its extractors, `user_key`, a policy, a key source,
//!   `Deserialize`, `Serialize` and `Display` of its types) are `internal_error` to the client,
//!   which is refused. The log names the function, but does not repeat the panic's message
//!   (`panics`). A socket whose disconnect handler panicked is removed from its namespace when its
//!   session ends, because socketioxide 0.18.9 would keep it there, with all broadcasts, for as long
//!   as its connection lasts (`disconnect_handlers`). With `panic = "abort"` every panic ends the
//!   process.
//! - **No details to clients**: a client gets a code, and the application's message for `denied`.
//!   Causes go to `tracing`. `Debug`, logs and errors never contain a token, a secret or a key. If
//!   the name of a namespace or an event looks like a token, it is not logged.
//! - **Guests without a token only**: a client with a bad token never becomes a guest, nor does a
//!   client that sends anything like a token in one of the token sources.
//! - **The same user after a renewal**: a renewal must have the same `iss`, `sub` and `user_key`,
//!   or it is refused with `subject_mismatch`.
//! - **Cookies** require `allowed_origins`, because a browser sends them with the handshakes of
//!   foreign pages too. A token from a cookie counts only if the handshake names an allowed `Origin`
//!   or, without one, says `Sec-Fetch-Site: same-origin`. A handshake that names another origin is
//!   refused whatever token it has (`token_sources`).
//! - **JWKS URLs**: HTTPS only (except for loopback addresses, and with `allow_insecure_http`), no
//!   redirects to another host or from `https` to `http`, a limit for time and size, one request at
//!   a time whose result all waiting connections share, and at most one request in ten seconds
//!   because of tokens that no key verifies. If the issuer is down, the fetched keys are used for a
//!   day.
//! - **Files of keys** that `reload_keys` reads again have the rules of the start. Once its time is
//!   over, a key that is no longer in its file verifies no token, unless the new file is refused or
//!   cannot be read; an ERROR in the log says so (`keys`).
//!
//! # HTTP routes
//!
//! A route that takes [`HttpUser`](crate::axum::HttpUser) or
//! [`HttpClaims`](crate::axum::HttpClaims) (feature `axum`) checks a request as the middleware checks
//! a connection. The tests are in `http`.
//!
//! | what | for a request | tested in |
//! |---|---|---|
//! | origin | An `Origin` that is not in `allowed_origins` is refused, with any token and without one, if that list is set. | `token_sources` |
//! | token | The first source that is present decides. The auth payload does not exist, and a body is not a source. | `token_sources` |
//! | cookies | A token in a cookie counts only with an allowed `Origin` or, without one, with `Sec-Fetch-Site: same-origin`. The rule is the same for every method: browsers send no `Origin` with a same-origin GET or HEAD, and one with each other method, so a form or a script of another site is refused. So are a link on another site (`cross-site`), an address that a person types (`none`), and a browser that sends neither header: a cookie is for requests by scripts of the page, not for the page itself. | `token_sources` |
//! | signature and claims | As for a connection. | `refusals` |
//! | user | The lookup runs within `lookup_timeout`, once for each request. `HttpClaims` does not run it: a user who is blocked keeps what its token allows. A policy is asked by each extractor. | `lookups`, `refusals` |
//! | revocations | The store is asked after the lookup, and refuses if it does not answer. `HttpClaims` asks with the `sub` as the key of the user. | `revocations` |
//! | guests | A request with a bad token is refused, also where the user is optional. | `guests` |
//! | refusals | A status, `WWW-Authenticate` and the JSON that a socket gets. The detail and the cause go to the log, without the token. | `refusals` |
//!
//! Not checked, because a request is not a connection:
//!
//! - **How often**: the limits of refusals and renewals count attempts of one connection. A client may
//!   send any number of requests with bad tokens. Put a layer that limits the rate by address before
//!   the routes, and a stricter one before a login with a password.
//! - **What happens later**: the check is made when the handler begins. Nothing ends a response that
//!   goes on after its token has expired or its user was logged out: not a stream, and not a
//!   WebSocket of your own.
//! - **Logouts**: `disconnect_user` and its like end sockets. Requests with a token that is still valid
//!   are refused by a lookup that knows better, or by `revocations`.
//! - **CORS**: the crate sends no `Access-Control-Allow-Origin`, and an allowed origin only means that
//!   its requests are not refused. Other pages can send what needs no preflight, so an API must not
//!   rely on CORS against forged requests; the rule for cookies above does that.
//! - **Bodies**: their size and their content are axum's (`DefaultBodyLimit`) and the handler's.
//!
//! # What the application must do
//!
//! - **TLS**: until it expires, a stolen token is worth as much as a password. Serve `https` and
//!   `wss`.
//! - **Tokens in the browser**: keep them in memory, or in an HttpOnly cookie. An injected script
//!   can read everything else that scripts can read.
//! - **Query strings** appear in logs of proxies and servers. Leave `query(…)` out of `token` if
//!   your clients do not use it.
//! - **Logs of socketioxide**: its feature `tracing` logs auth payloads at DEBUG. Filter with
//!   `RUST_LOG=debug,socketioxide=info,engineioxide=info`.
//! - **`serde_json::Value` in events**: in a program with `serde_json`'s feature `raw_value` (see
//!   above), an event of 5 KB can overflow the stack of a handler that takes
//!   `Data<serde_json::Value>`, which ends the process. This crate does not see the event. Use your
//!   own types in handlers, or make sure with `cargo tree -e features -i serde_json` that the
//!   feature is off.
//! - **Message size**: socketioxide accepts 64 MB from a client that is not authenticated. Set
//!   `ws_max_message_size`.
//! - **Dynamic namespaces**: each path that a client asks for stays in memory, even if it is
//!   refused.
//! - **Clients that do not read**: a session ends in time even if its client reads slowly, and
//!   handlers that take the user are no longer called for it. But socketioxide 0.18.9 cannot
//!   disconnect a socket whose channel is full. This crate tries again each millisecond for three
//!   seconds, and then at least every 50 ms. The socket leaves all rooms at once, but it still gets
//!   what is sent to the whole namespace until it is disconnected. A WebSocket client that never
//!   reads is not disconnected by the ping timeout either (engineioxide 0.17.9): it keeps its
//!   connection, the memory of what waits for it and its sockets in other namespaces, until its TCP
//!   connection ends. With the feature `axum`, `HangUpListener` hangs up on it three seconds after
//!   the end (`deaf_clients`).
//! - **Disconnect handlers that take long**: socketioxide removes a socket after its disconnect
//!   handler. Until then its client, whose session has ended, still gets what is sent to the
//!   namespace and to rooms of the application, which the handler sees. Do slow work in a task, and
//!   do not keep the socket in it.
//! - **Connections without a namespace**: `connect_timeout` ends them, unless they joined a public
//!   one.
//! - **Revocation**: a token is valid until it expires. Issue tokens with a short lifetime, let
//!   clients renew them, and refuse a revoked user in the lookup. To refuse tokens before they
//!   expire, give the middleware a [store of revocations](crate::RevocationStore) and put a `jti`, a
//!   `sid` and an `iat` into your tokens. Set the store's `max_token_life` to the longest life of a
//!   token. Give a Redis for revocations persistence (`appendonly yes`) and no eviction
//!   (`maxmemory-policy noeviction`), and do not expose it: who can write to it can end sessions,
//!   and bring revoked tokens back.
//! - **Cookies and polling**: browsers send no `Origin` with a same-origin GET, but
//!   `Sec-Fetch-Site`, if the page is loaded with HTTPS or from the local host. Any other page of the
//!   server's own origin must connect with `transports: ["websocket"]` if its token is in a cookie.
