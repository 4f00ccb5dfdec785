//! The keys that signatures are verified with, and where they come from.

#[cfg(feature = "aws_lc_rs")]
mod aws_lc;
mod backend;
mod der;
mod files;
mod fixed;
mod jwk;
mod key;
mod load;
mod pem;
mod problem;
mod reload;
#[cfg(feature = "jwks")]
mod remote;
mod secret;
mod set;
mod source;
mod verifier_keys;

pub(crate) use backend::{check as check_backend, install as install_backend};
#[cfg(feature = "testing")]
pub(crate) use der::RsaKey;
pub(crate) use fixed::FixedKeys;
pub(crate) use key::SignedMessage;
use key::VerificationKey;
pub(crate) use load::{KeyLoader, KeySettings, LoadedKeys};
use problem::KeyProblem;
#[cfg(feature = "jwks")]
pub(crate) use remote::{HttpClient, RemoteSettings};
pub use secret::SecretEncoding;
use secret::SecretRules;
pub use set::KeySet;
pub(crate) use set::KeySetId;
pub(crate) use source::{DynamicKeySource, Handshake};
pub use source::{KeyRequest, KeySource};
use verifier_keys::VerifierKeys;
