//! The builder of a verifier.

use super::{Verifier, settings::VerifierSettings};
use crate::error::ConfigError;

/// Settings of a [`Verifier`]. A later call of the same method replaces an earlier one, and a later
/// source of keys replaces an earlier one.
///
/// ```
/// use std::time::Duration;
/// use socketioxide_jwt_auth::Verifier;
///
/// let verifier = Verifier::builder()
///     .secret("a secret of thirty-two bytes or more")
///     .audience(["chat"])
///     .leeway(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct VerifierBuilder {
    pub(crate) settings: VerifierSettings,
}

impl VerifierBuilder {
    /// Loads the keys and checks every setting.
    ///
    /// # Errors
    ///
    /// A setting is missing, contradicts another one or is too weak. The text names every such
    /// setting and says how to repair it.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        Verifier::new(self.settings)
    }
}
