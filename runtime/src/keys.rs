//! The keys that signatures are verified with, and where they come from.

#[cfg(feature = "aws_lc_rs")]
mod aws_lc;
mod backend;
mod fixed;
mod jwk;
mod key;
mod load;
mod pem;
#[cfg(feature = "jwks")]
mod remote;
mod secret;
mod set;
mod source;
mod verifier_keys;

pub(crate) use backend::install as install_backend;
pub(crate) use fixed::FixedKeys;
pub(crate) use key::SignedMessage;
use key::VerificationKey;
pub(crate) use load::{KeyConfig, KeyContext, LoadedKeys};
#[cfg(feature = "jwks")]
pub(crate) use remote::{HttpClient, RemoteConfig};
pub use secret::SecretEncoding;
pub(crate) use secret::SecretSettings;
pub use set::KeySet;
pub(crate) use source::{DynamicKeySource, Handshake};
pub use source::{KeyRequest, KeySource};
pub(crate) use verifier_keys::VerifierKeys;
