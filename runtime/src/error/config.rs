//! A mistake in the configuration.

use std::borrow::Cow;

/// A mistake in the configuration, found when the middleware or the verifier is built.
///
/// Its text names the setting (or the environment variable) and says how to repair it. It never holds key material.
///
/// ```
/// use socketioxide_jwt_auth::Verifier;
///
/// let error = Verifier::builder().secret("too short").build().unwrap_err();
/// assert!(error.to_string().contains("72 bits"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(Cow<'static, str>);

impl ConfigError {
    pub(crate) fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self(text.into())
    }
}
