//! From the settings of a builder to keys.

use std::{fmt, sync::Arc};

use jsonwebtoken::Algorithm;

use super::{DynamicKeySource, FixedKeys, KeySet, SecretSettings, VerifierKeys};
#[cfg(feature = "jwks")]
use super::{
    RemoteConfig,
    remote::{HttpClient, HttpFetch, RemoteKeys},
};
#[cfg(feature = "jwks")]
use crate::clock::Clock;
use crate::error::ConfigError;

/// The one place that the keys come from. A later setting replaces an earlier one, so that a test can override what
/// an attribute says.
#[derive(Clone)]
pub(crate) enum KeyConfig {
    Fixed(FixedKeys),
    #[cfg(feature = "jwks")]
    Remote(RemoteConfig),
    Source(Arc<dyn DynamicKeySource>),
}

/// What keys are loaded with.
pub(crate) struct KeyContext<'a> {
    pub(crate) secrets: SecretSettings,
    pub(crate) algorithms: &'a [Algorithm],
    #[cfg(feature = "jwks")]
    pub(crate) http_client: Option<HttpClient>,
}

pub(crate) struct LoadedKeys {
    pub(crate) keys: VerifierKeys,
    /// The one issuer that the keys are of, if their place says so.
    pub(crate) issuer: Option<String>,
}

impl KeyConfig {
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Fixed(FixedKeys::Secret(_) | FixedKeys::SecretEnv(_)))
    }

    /// Whether everybody can know the keys, so that nobody may sign with them.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Self::Fixed(keys) => keys.is_public(),
            #[cfg(feature = "jwks")]
            Self::Remote(_) => true,
            Self::Source(_) => false,
        }
    }

    /// # Errors
    ///
    /// A key that is missing, unreadable or too weak; an algorithm that no key fits.
    pub(crate) fn load(self, context: KeyContext<'_>) -> Result<LoadedKeys, ConfigError> {
        match self {
            Self::Source(source) => Ok(LoadedKeys { keys: VerifierKeys::Source(source), issuer: None }),
            #[cfg(feature = "jwks")]
            Self::Remote(remote) => {
                let (endpoint, issuer) = remote.resolve()?;
                let keys = RemoteKeys::new(HttpFetch::new(endpoint, context.http_client)?, Clock::system());
                Ok(LoadedKeys { keys: VerifierKeys::Remote(Arc::new(keys)), issuer })
            }
            Self::Fixed(fixed) => {
                let keys = fixed.read(context.secrets, context.algorithms)?;
                check_fit(&keys, context.algorithms)?;
                Ok(LoadedKeys { keys: VerifierKeys::Fixed(Arc::new(keys)), issuer: None })
            }
        }
    }
}

fn check_fit(keys: &KeySet, algorithms: &[Algorithm]) -> Result<(), ConfigError> {
    match algorithms.iter().find(|algorithm| !keys.fits(**algorithm)) {
        None => Ok(()),
        Some(algorithm) => Err(ConfigError::new(format!(
            "algorithms: {algorithm:?} fits none of the keys; take it off the list, or add a key of its type"
        ))),
    }
}

impl From<FixedKeys> for KeyConfig {
    fn from(keys: FixedKeys) -> Self {
        Self::Fixed(keys)
    }
}

#[cfg(feature = "jwks")]
impl From<RemoteConfig> for KeyConfig {
    fn from(keys: RemoteConfig) -> Self {
        Self::Remote(keys)
    }
}

impl fmt::Debug for KeyConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyConfig(redacted)")
    }
}
