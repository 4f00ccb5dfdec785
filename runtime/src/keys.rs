//! The keys that signatures are verified with, and where they come from.

mod config;
mod jwk;
mod key;
mod pem;
mod secret;
mod set;
mod source;

pub use config::SecretEncoding;
pub(crate) use config::{KeyConfig, SecretSettings};
pub(crate) use key::VerificationKey;
pub use set::KeySet;
pub use source::{KeyRequest, KeySource};
pub(crate) use source::{DynamicKeySource, Keys};
