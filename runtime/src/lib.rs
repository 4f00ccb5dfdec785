#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

// The macro names this crate as its users do.
extern crate self as socketioxide_jwt_auth;

mod algorithm;
mod attempt;
mod authenticate;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod axum;
mod builder;
mod clock;
mod error;
mod events;
mod extract;
mod guard;
pub mod guide;
mod json;
mod keys;
mod log;
mod lookup;
mod metrics;
mod middleware;
mod origin;
mod policy;
mod rate_limit;
mod refusal;
mod registry;
mod renewal;
mod retry;
mod revocations;
mod scopes;
pub mod security;
mod session;
mod settings;
#[cfg(feature = "testing")]
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
pub mod testing;
mod token;
mod users;
mod verify;

#[doc(hidden)]
pub mod __private;

pub use algorithm::Algorithm;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub use axum::backchannel_logout;
pub use builder::JwtAuthBuilder;
pub use error::{Action, AuthError, ConfigError, ConfigErrorKind, CustomError, ErrorCode};
pub use events::{AuthEvent, AuthEventKind};
pub use extract::{AuthClaims, AuthUser, MaybeAuthUser, Reply, SocketAuth};
pub use keys::{KeyRequest, KeySet, KeySource, SecretEncoding};
pub use lookup::{
    FromLookupRequest, LookupContext, LookupOn, LookupRequest, LookupResult, UserLookup,
};
pub use middleware::JwtAuth;
pub use policy::{All, AnyOf, Not, Policy};
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use revocations::RedisRevocations;
pub use revocations::{
    Revocation, RevocationChange, RevocationChanges, RevocationError, RevocationNotifier,
    RevocationQuery, RevocationScope, RevocationStatus, RevocationStore, Revocations, RevokedEntry,
};
pub use scopes::{HasScope, Scope, Scopes};
pub use session::Expiry;
pub use settings::{OneOrMany, Setting};
pub use socketioxide_jwt_auth_macros::jwt_auth;
pub use token::{RawToken, TokenSource};
pub use users::{
    DisconnectError, IntoSessionKey, disconnect_others, disconnect_session,
    disconnect_session_because, disconnect_user, disconnect_user_because, refresh_user, user_room,
};
pub use verify::{Issuer, VerifiedToken, Verifier, VerifierBuilder};
