//! For servers with [`axum`](https://docs.rs/axum) (feature `axum`): the user of an HTTP request,
//! refusals as HTTP responses, logouts at the identity provider, and a listener that hangs up on
//! clients that do not read.
//!
//! ```
//! use axum::{Router, routing::get};
//! use axum_core::extract::FromRef;
//! use socketioxide::extract::State;
//! use socketioxide_jwt_auth::{JwtAuth, axum::HttpUser, jwt_auth};
//!
//! #[derive(serde::Deserialize)]
//! struct Claims { sub: String }
//! struct User { name: String }
//! #[derive(Clone)]
//! struct Db;
//!
//! #[jwt_auth(secret_env = "JWT_SECRET")]
//! async fn authenticate(claims: Claims, db: State<Db>) -> Option<User> {
//!     Some(User { name: claims.sub })
//! }
//!
//! #[derive(Clone)]
//! struct App { auth: JwtAuth<authenticate>, db: Db }
//!
//! // `#[derive(FromRef)]` of axum's feature `macros` writes these two.
//! impl FromRef<App> for JwtAuth<authenticate> {
//!     fn from_ref(app: &App) -> Self { app.auth.clone() }
//! }
//! impl FromRef<App> for Db {
//!     fn from_ref(app: &App) -> Self { app.db.clone() }
//! }
//!
//! async fn profile(user: HttpUser<authenticate>) -> String {
//!     format!("Hello, {}!", user.name)
//! }
//!
//! fn routes(app: App) -> Router {
//!     Router::new().route("/profile", get(profile)).with_state(app)
//! }
//! ```
//!
//! - The lookup takes `State` of socketioxide, also for HTTP requests. A handler of a route takes
//!   axum's own, which has the same name: import one of them as another, such as
//!   `use axum::extract::State as RouteState`.
//! - A route that sends something to sockets needs the `SocketIo` in the router's state. Sockets of a
//!   user are in [`user_room`](crate::user_room).
//! - axum takes the body last: `HttpUser` comes before `Json`.
//! - A test signs its tokens with a `TestIssuer` (feature `testing`), and sends them as
//!   `Authorization: Bearer …`.
//!
//! # Tokens of your own
//!
//! This crate verifies tokens and issues none. A server that does, in a route for logins, can use
//! `jsonwebtoken` with the same secret. `exp` is required unless `required_claims` says otherwise;
//! `jti`, `sid` and `iat` let tokens be [revoked](crate::Revocation).
//!
//! ```toml
//! jsonwebtoken = { version = "11", default-features = false, features = ["aws_lc_rs"] }
//! ```
//!
//! ```no_run
//! use std::time::{Duration, SystemTime};
//!
//! use jsonwebtoken::{EncodingKey, Header, encode};
//! use socketioxide_jwt_auth::AuthError;
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Claims { sub: String, exp: u64 }
//!
//! /// Returns a token for a user whose password was checked.
//! fn token_for(user: u64, secret: &str) -> Result<String, AuthError> {
//!     let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_err(AuthError::internal)?;
//!     let exp = (now + Duration::from_secs(600)).as_secs();
//!     let claims = Claims { sub: user.to_string(), exp };
//!     // HS256, which is the default for a secret here, too.
//!     let key = EncodingKey::from_secret(secret.as_bytes());
//!     encode(&Header::default(), &claims, &key).map_err(AuthError::internal)
//! }
//! ```
//!
//! The example `chat` of the repository has the rest: passwords, refresh tokens, logouts.
//!
//! # Refusals
//!
//! An [`AuthError`](crate::AuthError) is a response, so handlers can return one. Its body is the JSON
//! that a client gets over a socket: `{"code", "message", "action"}` and, if there is some, `"data"`.
//! The detail and the cause never leave the server; a cause is logged at ERROR.
//!
//! | code | status | `WWW-Authenticate` ([RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3)) |
//! |---|---|---|
//! | `token_missing` | 401 | `Bearer` |
//! | `login_required` | 401 | `Bearer` |
//! | `token_malformed` | 401 | `Bearer error="invalid_token", error_description="token_malformed"` |
//! | `token_too_large` | 401 | `Bearer error="invalid_token", error_description="token_too_large"` |
//! | `token_signature_invalid` | 401 | `Bearer error="invalid_token", error_description="token_signature_invalid"` |
//! | `token_algorithm_not_allowed` | 401 | `Bearer error="invalid_token", error_description="token_algorithm_not_allowed"` |
//! | `token_key_unknown` | 401 | `Bearer error="invalid_token", error_description="token_key_unknown"` |
//! | `token_expired` | 401 | `Bearer error="invalid_token", error_description="token_expired"` |
//! | `token_not_yet_valid` | 401 | `Bearer error="invalid_token", error_description="token_not_yet_valid"` |
//! | `token_issuer_invalid` | 401 | `Bearer error="invalid_token", error_description="token_issuer_invalid"` |
//! | `token_audience_invalid` | 401 | `Bearer error="invalid_token", error_description="token_audience_invalid"` |
//! | `token_claim_missing` | 401 | `Bearer error="invalid_token", error_description="token_claim_missing"` |
//! | `token_claims_invalid` | 401 | `Bearer error="invalid_token", error_description="token_claims_invalid"` |
//! | `token_revoked` | 401 | `Bearer error="invalid_token", error_description="token_revoked"` |
//! | `user_not_found` | 401 | `Bearer error="invalid_token", error_description="user_not_found"` |
//! | `subject_mismatch` | 401 | `Bearer error="invalid_token", error_description="subject_mismatch"` |
//! | `session_ended` | 401 | `Bearer error="invalid_token", error_description="session_ended"` |
//! | `forbidden` | 403 | `Bearer error="insufficient_scope"` |
//! | `denied` | 403 | – |
//! | `origin_not_allowed` | 403 | – |
//! | `too_many_attempts` | 429 | – |
//! | `keys_unavailable` | 503 | – |
//! | `revocations_unavailable` | 503 | – |
//! | `lookup_timeout` | 503 | – |
//! | `internal_error` | 500 | – |
//!
//! A code of the application ([`AuthError::custom`](crate::AuthError::custom)) has the status of its
//! action: 401 with `Bearer` for `login`, 401 with `Bearer error="invalid_token"` for `renew`, 503
//! for `retry`, and 403 for the others.

mod authenticate;
mod backchannel_logout;
mod context;
pub(crate) mod hang_up;
mod http_claims;
mod http_user;
pub(crate) mod issuer_rooms;
mod logout_request;
mod response;
mod socket_extractors;
mod used_ids;

pub use backchannel_logout::{BackchannelLogout, backchannel_logout};
pub use context::{AnyRouter, FromHttpRequest, FromRouterState, Http, HttpRouter, RouterState};
pub use hang_up::{HangUp, HangUpLayer, HangUpListener, HangUpService, HangUpStream};
pub use http_claims::HttpClaims;
pub use http_user::HttpUser;
