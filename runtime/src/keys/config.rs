//! From the settings of a builder to keys.

use std::{fmt, fs, path::PathBuf, sync::Arc};

use jsonwebtoken::Algorithm;

use super::{DynamicKeySource, KeySet, Keys, VerificationKey, jwk, pem, secret};
use crate::config::{ConfigError, read_environment, written_setting};

/// How an HMAC secret is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SecretEncoding {
    /// The bytes of the text are the secret.
    #[default]
    Utf8,
    /// Base64, with or without padding.
    Base64,
    /// Base64 with the alphabet for URLs, with or without padding.
    Base64Url,
    /// Hexadecimal.
    Hex,
}

written_setting! {
    SecretEncoding {
        "utf8" => Utf8,
        "base64" => Base64,
        "base64url" => Base64Url,
        "hex" => Hex,
    }
}

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SecretSettings {
    pub(crate) encoding: SecretEncoding,
    pub(crate) allow_weak: bool,
}

/// The one place that the keys come from. A later setting replaces an earlier one, so that a test can override what
/// an attribute says.
#[derive(Clone)]
pub(crate) enum KeyConfig {
    Secret(Vec<u8>),
    SecretEnv(Vec<String>),
    PublicKey(Vec<u8>),
    PublicKeyEnv(Vec<String>),
    PublicKeyFile(Vec<PathBuf>),
    Jwks(String),
    JwksFile(PathBuf),
    Source(Arc<dyn DynamicKeySource>),
}

impl KeyConfig {
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_) | Self::SecretEnv(_))
    }

    pub(crate) fn is_public(&self) -> bool {
        matches!(self, Self::PublicKey(_) | Self::PublicKeyEnv(_) | Self::PublicKeyFile(_))
    }

    /// # Errors
    ///
    /// A key that is missing, unreadable, too weak, or fits none of the algorithms; an algorithm that no key fits.
    pub(crate) fn load(self, secrets: &SecretSettings, algorithms: &[Algorithm]) -> Result<Keys, ConfigError> {
        let keys = match self {
            Self::Source(source) => return Ok(Keys::Source(source)),
            Self::Secret(written) => vec![secret::read("the secret", &written, secrets, algorithms)?],
            Self::SecretEnv(variables) => each(&variables, "secret_env", |variable| {
                let written = read_environment(variable)?;
                let name = format!("the secret in the environment variable {variable}");
                Ok(vec![secret::read(&name, written.as_bytes(), secrets, algorithms)?])
            })?,
            Self::PublicKey(text) => pem::read("public_key", &text)?,
            Self::PublicKeyEnv(variables) => each(&variables, "public_key_env", |variable| {
                // A PEM text in one line, as many deployments pass it.
                let text = read_environment(variable)?.replace("\\n", "\n");
                pem::read(&format!("the environment variable {variable}"), text.as_bytes())
            })?,
            Self::PublicKeyFile(files) => each(&files, "public_key_file", |file| {
                pem::read(&format!("the file {}", file.display()), read_file(file)?.as_bytes())
            })?,
            Self::Jwks(json) => jwk::read_configured("jwks", &json)?,
            Self::JwksFile(file) => jwk::read_configured(&format!("the file {}", file.display()), &read_file(&file)?)?,
        };
        check_fit(&keys, algorithms)?;
        Ok(Keys::Fixed(Arc::new(KeySet::from(keys))))
    }
}

fn each<T>(
    places: &[T],
    option: &str,
    read: impl Fn(&T) -> Result<Vec<VerificationKey>, ConfigError>,
) -> Result<Vec<VerificationKey>, ConfigError> {
    if places.is_empty() {
        return Err(ConfigError::new(format!("{option} is an empty list; name at least one")));
    }
    let keys: Result<Vec<_>, _> = places.iter().map(read).collect();
    Ok(keys?.into_iter().flatten().collect())
}

fn read_file(file: &PathBuf) -> Result<String, ConfigError> {
    fs::read_to_string(file).map_err(|error| {
        ConfigError::new(format!("the file {} cannot be read ({error}); check its path and its rights", file.display()))
    })
}

fn check_fit(keys: &[VerificationKey], algorithms: &[Algorithm]) -> Result<(), ConfigError> {
    for algorithm in algorithms {
        if !keys.iter().any(|key| key.fits(*algorithm)) {
            return Err(ConfigError::new(format!(
                "algorithms: {algorithm:?} fits none of the keys; take it off the list, or add a key of its type"
            )));
        }
    }
    for key in keys {
        if !algorithms.iter().any(|algorithm| key.fits(*algorithm)) {
            return Err(ConfigError::new(format!(
                "a key ({:?}) fits none of the algorithms {algorithms:?}; add its algorithm, or leave the key out",
                key.kind
            )));
        }
    }
    Ok(())
}

impl fmt::Debug for KeyConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeyConfig(redacted)")
    }
}
