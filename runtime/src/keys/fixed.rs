//! Keys that do not change while the server runs: from code, the environment and files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use jsonwebtoken::Algorithm;

use super::{KeySet, SecretSettings, VerificationKey, jwk, pem, secret};
use crate::{error::ConfigError, settings::read_environment};

#[derive(Clone)]
pub(crate) enum FixedKeys {
    Secret(Vec<u8>),
    SecretEnv(Vec<String>),
    PublicKey(Vec<u8>),
    PublicKeyEnv(Vec<String>),
    PublicKeyFile(Vec<String>),
    Jwks(String),
    JwksFile(PathBuf),
}

impl FixedKeys {
    pub(super) fn is_public(&self) -> bool {
        matches!(self, Self::PublicKey(_) | Self::PublicKeyEnv(_) | Self::PublicKeyFile(_))
    }

    /// # Errors
    ///
    /// A key that is missing, unreadable or too weak.
    pub(super) fn read(self, secrets: SecretSettings, algorithms: &[Algorithm]) -> Result<KeySet, ConfigError> {
        let keys = match self {
            Self::Secret(written) => vec![secret::read("the secret", &written, secrets, algorithms)?],
            Self::SecretEnv(variables) => each(&variables, "secret_env", |variable| {
                let written = read_environment(variable)?;
                let name = format!("the secret in the environment variable {variable}");
                Ok(vec![secret::read(&name, written.as_bytes(), secrets, algorithms)?])
            })?,
            Self::PublicKey(text) => pem::read("public_key", &text)?,
            Self::PublicKeyEnv(variables) => each(&variables, "public_key_env", |variable| {
                // Many deployments pass a PEM text in one line.
                let text = read_environment(variable)?.replace("\\n", "\n");
                pem::read(&format!("the environment variable {variable}"), text.as_bytes())
            })?,
            Self::PublicKeyFile(files) => each(&files, "public_key_file", |file| {
                pem::read(&format!("the file {file}"), &read_file(Path::new(file))?)
            })?,
            Self::Jwks(json) => jwk::read_configured("jwks", &json)?,
            Self::JwksFile(file) => {
                let name = format!("the file {}", file.display());
                let json = String::from_utf8(read_file(&file)?)
                    .map_err(|_| ConfigError::new(format!("{name} is not UTF-8; save it as such")))?;
                jwk::read_configured(&name, &json)?
            }
        };
        Ok(KeySet::from(keys))
    }
}

fn each(
    places: &[String],
    option: &str,
    read: impl Fn(&str) -> Result<Vec<VerificationKey>, ConfigError>,
) -> Result<Vec<VerificationKey>, ConfigError> {
    if places.is_empty() {
        return Err(ConfigError::new(format!("{option} is an empty list; name at least one")));
    }
    let keys: Result<Vec<_>, _> = places.iter().map(|place| read(place)).collect();
    Ok(keys?.into_iter().flatten().collect())
}

fn read_file(file: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(file).map_err(|error| {
        ConfigError::new(format!("the file {} cannot be read ({error}); check its path and its rights", file.display()))
    })
}
