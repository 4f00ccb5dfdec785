//! Keys from code, the environment and files.

use std::path::{Path, PathBuf};

use super::{KeySet, SecretRules, VerificationKey, files::FileContents, jwk, pem, secret};
use crate::{
    Algorithm,
    error::{ConfigError, ConfigErrorKind},
    settings::environment_variable,
};

#[derive(Clone)]
pub(crate) enum FixedKeys {
    Secret(Vec<u8>),
    SecretEnv(Vec<String>),
    SecretFile(Vec<String>),
    PublicKey(Vec<u8>),
    PublicKeyEnv(Vec<String>),
    PublicKeyFile(Vec<String>),
    Jwks(String),
    JwksFile(PathBuf),
}

impl FixedKeys {
    pub(super) fn is_public(&self) -> bool {
        matches!(
            self,
            Self::PublicKey(_) | Self::PublicKeyEnv(_) | Self::PublicKeyFile(_)
        )
    }

    /// Returns the files that the keys are in. Empty if they are not in files.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::SecretFile(files) | Self::PublicKeyFile(files) => {
                files.iter().map(PathBuf::from).collect()
            }
            Self::JwksFile(file) => vec![file.clone()],
            _ => Vec::new(),
        }
    }

    /// Loads the keys. `contents` are those of its [`files`](Self::files).
    ///
    /// # Errors
    ///
    /// A key is missing, cannot be parsed or is too weak.
    pub(super) fn load(
        &self,
        contents: &FileContents,
        secrets: SecretRules,
        algorithms: &[Algorithm],
    ) -> Result<KeySet, ConfigError> {
        let keys = match self {
            Self::Secret(written) => {
                vec![secret::decode("the secret", written, secrets, algorithms)?]
            }
            Self::SecretEnv(variables) => load_each(variables, "secret_env", |variable| {
                let written = environment_variable(variable)?;
                let place = format!("the environment variable {variable}");
                let secret = secret::decode_from(&place, written.as_bytes(), secrets, algorithms)?;
                Ok(vec![secret])
            })?,
            Self::SecretFile(files) => load_each(files, "secret_file", |file| {
                let written = secret::without_line_break(contents.get(Path::new(file))?);
                let place = format!("the file {file}");
                Ok(vec![secret::decode_from(
                    &place, written, secrets, algorithms,
                )?])
            })?,
            Self::PublicKey(pem) => pem::parse("public_key", pem)?,
            Self::PublicKeyEnv(variables) => load_each(variables, "public_key_env", |variable| {
                let pem = environment_variable(variable)?;
                pem::parse(
                    &format!("the environment variable {variable}"),
                    pem.as_bytes(),
                )
            })?,
            Self::PublicKeyFile(files) => load_each(files, "public_key_file", |file| {
                pem::parse(&format!("the file {file}"), contents.get(Path::new(file))?)
            })?,
            Self::Jwks(json) => jwk::parse_configured("jwks", json)?,
            Self::JwksFile(file) => {
                let name = format!("the file {}", file.display());
                let json = str::from_utf8(contents.get(file)?).map_err(|_| {
                    ConfigError::new(
                        ConfigErrorKind::File,
                        format!("{name} is not UTF-8; save it as such"),
                    )
                })?;
                jwk::parse_configured(&name, json)?
            }
        };

        Ok(KeySet::new(keys))
    }
}

/// Loads the keys of every place in a list.
///
/// # Errors
///
/// The list is empty, or `load` fails for one of the places. The error names all of them.
fn load_each(
    places: &[String],
    option: &str,
    load: impl Fn(&str) -> Result<Vec<VerificationKey>, ConfigError>,
) -> Result<Vec<VerificationKey>, ConfigError> {
    if places.is_empty() {
        return Err(ConfigError::invalid(format!(
            "{option} is an empty list; name at least one"
        )));
    }
    let keys = ConfigError::collect(places.iter().map(|place| load(place)))?;
    Ok(keys.into_iter().flatten().collect())
}
