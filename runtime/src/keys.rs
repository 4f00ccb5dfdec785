//! The keys that signatures are verified with, and where they come from.

mod backend;
mod config;
mod fixed;
mod jwk;
mod key;
mod pem;
#[cfg(feature = "aws_lc_rs")]
mod prepared;
#[cfg(feature = "jwks")]
mod remote;
mod secret;
mod set;
mod source;

pub(crate) use backend::install as install_backend;
pub(crate) use config::{KeyConfig, KeyContext, LoadedKeys};
pub(crate) use fixed::FixedKeys;
pub(crate) use key::SignedMessage;
use key::VerificationKey;
#[cfg(feature = "jwks")]
pub(crate) use remote::{HttpClient, RemoteConfig};
pub use secret::SecretEncoding;
pub(crate) use secret::SecretSettings;
pub use set::KeySet;
pub(crate) use source::{DynamicKeySource, Keys};
pub use source::{KeyRequest, KeySource};
