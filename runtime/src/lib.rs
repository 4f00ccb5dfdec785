// In Markdown the first definition of a link counts: these replace the URLs that the README has for other sites.
//! [guide]: crate::guide
//! [jwt_auth]: macro@crate::jwt_auth
//! [security]: crate::security
#![doc = include_str!("../README.md")]
//! # Guides
//!
//! | to | read |
//! |---|---|
//! | write the first server, choose features | [Getting started](guide::getting_started) |
//! | choose where tokens are looked for, and what is demanded of them | [Tokens](guide::tokens) |
//! | load keys, rotate them, trust several issuers | [Keys](guide::keys), [Providers](guide::providers) |
//! | let clients renew and log in, admit guests | [Sessions](guide::sessions) |
//! | end a device, a user or a token | [Logout and revocation](guide::logout) |
//! | understand a refusal | [Errors](guide::errors), [Logs](guide::logs) |
//! | decide who may do what | [Authorisation](guide::authorisation) |
//! | have the same user in HTTP routes | [HTTP](guide::http) |
//! | write tests, or a client | [Testing](guide::testing), [Clients](guide::clients) |
//! | go live, on one node or several | [Deploying](guide::deploying), [Clusters](guide::clusters) |
//! | hold more sockets with the same memory | [Tuning](guide::tuning) |
//! | come from Node.js | [Migrating](guide::migrating) |
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
mod compact_handshake;
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
mod time_limit;
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
pub use compact_handshake::{CompactHandshake, CompactHandshakeLayer};
pub use error::{Action, AuthError, ConfigError, ConfigErrorKind, CustomError, ErrorCode};
pub use events::{AuthEvent, AuthEventKind};
pub use extract::{AuthClaims, AuthUser, MaybeAuthUser, Reply, SocketAuth};
pub use keys::{KeyRequest, KeySet, KeySource, SecretEncoding};
pub use lookup::{
    FromLookupRequest, LookupContext, LookupOn, LookupRequest, LookupResult, UserLookup,
};
pub use middleware::JwtAuth;
pub use policy::{All, AnyOf, Not, Policy};
/// The version of reqwest whose `Client` [`http_client`](JwtAuthBuilder::http_client) takes.
#[cfg(feature = "jwks")]
#[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
pub use reqwest;
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
