#![doc = include_str!("../../README.md")]

// The macro names this crate as its users do.
extern crate self as socketioxide_jwt_auth;

mod attempts;
mod builder;
mod config;
mod error;
mod extract;
mod keys;
mod lookup;
mod middleware;
mod origin;
mod policy;
mod refusal;
mod session;
mod token;
mod verify;

#[doc(hidden)]
pub mod __private;

pub use builder::JwtAuthBuilder;
pub use config::{ConfigError, OneOrMany, Setting};
pub use error::{Action, AuthError};
pub use extract::{AuthClaims, AuthUser, MaybeAuthUser, SocketAuth};
pub use keys::{KeyRequest, KeySet, KeySource, SecretEncoding};
pub use lookup::{LookupOn, LookupRequest, LookupResult, UserLookup};
pub use middleware::JwtAuth;
pub use policy::Policy;
pub use socketioxide_jwt_auth_macros::jwt_auth;
pub use token::{RawToken, TokenSource};
pub use verify::{VerifiedToken, Verifier, VerifierBuilder};
