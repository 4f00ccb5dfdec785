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
        // Those that may have to wait are boxed, so that with keys at hand a verification is a small
        // future.
        match self {
            Self::Fixed(keys) => verify(keys),
            Self::Reloaded(keys) => verify(&*Box::pin(keys.current()).await),
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => Box::pin(keys.verify_with(verify)).await,
            Self::Source(source) => {
                let keys = async { source.keys(request).await };
                let keys = Box::pin(guard::future("the key source", keys)).await??;
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
