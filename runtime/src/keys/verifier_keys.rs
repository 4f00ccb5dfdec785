//! The keys of a verifier, of every kind.

use std::{fmt, sync::Arc};

#[cfg(feature = "jwks")]
use super::remote::{HttpFetch, RemoteKeys};
use super::{DynamicKeySource, KeyRequest, KeySet, reload::ReloadedKeys};
use crate::{
    error::{AuthError, ConfigError},
    guard,
};

/// Where a verifier takes its keys from.
#[derive(Clone)]
pub(crate) enum VerifierKeys {
    Fixed(Arc<KeySet>),
    Reloaded(Arc<ReloadedKeys>),
    #[cfg(feature = "jwks")]
    Remote(Arc<RemoteKeys<HttpFetch>>),
    Source(Arc<dyn DynamicKeySource>),
}

impl VerifierKeys {
    /// Returns the keys, if there is never anything to wait for.
    pub(crate) fn at_hand(&self) -> Option<&KeySet> {
        match self {
            Self::Fixed(keys) => Some(keys),
            #[cfg(feature = "jwks")]
            Self::Remote(_) => None,
            Self::Reloaded(_) | Self::Source(_) => None,
        }
    }

    /// Runs `verify` with the keys that may have signed a token. If it fails and the keys are
    /// remote, runs it once more with newer keys.
    ///
    /// # Errors
    ///
    /// Returns the error of the source or of `verify`.
    pub(crate) async fn verify_with<T>(
        &self,
        request: KeyRequest<'_>,
        verify: impl Fn(&KeySet) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        match self {
            Self::Fixed(keys) => verify(keys),
            Self::Reloaded(keys) => verify(&*keys.current().await),
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => keys.verify_with(verify).await,
            Self::Source(source) => {
                let keys =
                    guard::future("the key source", async { source.keys(request).await }).await??;
                verify(&keys)
            }
        }
    }

    /// Fetches keys from a URL, unless they are cached. Does nothing for other keys.
    ///
    /// # Errors
    ///
    /// The keys cannot be fetched. The error says from where, and why.
    #[cfg_attr(
        not(feature = "jwks"),
        expect(clippy::unused_async, reason = "only keys from a URL are fetched")
    )]
    pub(crate) async fn warm_up(&self) -> Result<(), ConfigError> {
        match self {
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => keys.warm_up().await,
            Self::Fixed(_) | Self::Reloaded(_) | Self::Source(_) => Ok(()),
        }
    }
}

impl fmt::Debug for VerifierKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(keys) => formatter.debug_tuple("Fixed").field(keys).finish(),
            Self::Reloaded(_) => formatter.write_str("Reloaded(..)"),
            #[cfg(feature = "jwks")]
            Self::Remote(_) => formatter.write_str("Remote(..)"),
            Self::Source(_) => formatter.write_str("Source(..)"),
        }
    }
}
