//! From the settings of a builder to keys.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    DynamicKeySource, FixedKeys, KeySet, SecretEncoding, SecretRules, VerifierKeys,
    files::FileContents, reload::ReloadedKeys,
};
#[cfg(feature = "jwks")]
use super::{
    RemoteSettings,
    remote::{HttpClient, HttpFetch, PlainHttp, RemoteKeys},
};
#[cfg(feature = "jwks")]
use crate::clock::Clock;
use crate::{Algorithm, error::ConfigError};

/// The one place that the keys come from. A later setting replaces an earlier one, so that a test
/// can override the attribute.
#[derive(Clone)]
pub(crate) enum KeySettings {
    Fixed(FixedKeys),
    #[cfg(feature = "jwks")]
    Remote(RemoteSettings),
    Source(Arc<dyn DynamicKeySource>),
}

/// The checked settings that keys are loaded with.
pub(crate) struct KeyLoader {
    pub(crate) keys: KeySettings,
    pub(crate) secret_encoding: SecretEncoding,
    pub(crate) allow_weak_secret: bool,
    #[cfg_attr(
        not(feature = "jwks"),
        expect(dead_code, reason = "only keys from a URL are fetched over HTTP")
    )]
    pub(crate) allow_insecure_http: bool,
    /// How often files are read again. `None` if they are read once.
    pub(crate) reload_keys: Option<Duration>,
    pub(crate) algorithms: Vec<Algorithm>,
}

/// The keys of a verifier, and the algorithms that they may be used for.
#[derive(Debug)]
pub(crate) struct LoadedKeys {
    pub(crate) source: VerifierKeys,
    pub(crate) algorithms: Vec<Algorithm>,
    /// The only issuer of the keys, if it is known.
    pub(crate) issuer: Option<String>,
}

impl KeySettings {
    pub(crate) fn is_secret(&self) -> bool {
        matches!(
            self,
            Self::Fixed(FixedKeys::Secret(_) | FixedKeys::SecretEnv(_) | FixedKeys::SecretFile(_))
        )
    }

    /// Returns whether the keys are in files.
    pub(crate) fn are_in_files(&self) -> bool {
        matches!(
            self,
            Self::Fixed(
                FixedKeys::SecretFile(_) | FixedKeys::PublicKeyFile(_) | FixedKeys::JwksFile(_)
            )
        )
    }

    /// Returns whether anyone can know the keys, so that they must not be used as secrets.
    pub(crate) fn is_public(&self) -> bool {
        match self {
            Self::Fixed(keys) => keys.is_public(),
            #[cfg(feature = "jwks")]
            Self::Remote(_) => true,
            Self::Source(_) => false,
        }
    }
}

impl KeySettings {
    /// Returns whether the URL of the keys is found by OpenID Connect Discovery.
    pub(crate) fn are_discovered(&self) -> bool {
        match self {
            #[cfg(feature = "jwks")]
            Self::Remote(RemoteSettings::OidcIssuer(_) | RemoteSettings::OidcIssuerEnv(_)) => true,
            _ => false,
        }
    }
}

impl KeyLoader {
    /// Loads the keys. Those of a URL are fetched later, at the first token.
    ///
    /// # Errors
    ///
    /// A key is missing, cannot be parsed or is too weak, or an algorithm fits none of the keys.
    pub(crate) fn load(
        self,
        #[cfg(feature = "jwks")] http_client: Option<HttpClient>,
    ) -> Result<LoadedKeys, ConfigError> {
        let (source, issuer) = match self.keys {
            KeySettings::Source(source) => (VerifierKeys::Source(source), None),
            #[cfg(feature = "jwks")]
            KeySettings::Remote(remote) => {
                let (endpoint, issuer) =
                    remote.resolve(PlainHttp::new(self.allow_insecure_http))?;
                let keys = RemoteKeys::new(HttpFetch::new(endpoint, http_client)?, Clock::system());
                (VerifierKeys::Remote(Arc::new(keys)), issuer)
            }
            KeySettings::Fixed(keys) => {
                let secrets = SecretRules {
                    encoding: self.secret_encoding,
                    allow_weak: self.allow_weak_secret,
                };
                let loader = FixedLoader {
                    keys,
                    secrets,
                    algorithms: self.algorithms.clone(),
                };
                (loader.load(self.reload_keys)?, None)
            }
        };

        Ok(LoadedKeys {
            source,
            algorithms: self.algorithms,
            issuer,
        })
    }
}

/// Loads keys from code, the environment and files, as often as it is asked to.
pub(crate) struct FixedLoader {
    keys: FixedKeys,
    secrets: SecretRules,
    algorithms: Vec<Algorithm>,
}

impl FixedLoader {
    #[cfg(test)]
    pub(super) fn new(keys: FixedKeys, algorithms: impl Into<Vec<Algorithm>>) -> Self {
        Self {
            keys,
            secrets: SecretRules::default(),
            algorithms: algorithms.into(),
        }
    }

    /// Loads the keys; if there is an interval, files are read again after it.
    fn load(self, reload_keys: Option<Duration>) -> Result<VerifierKeys, ConfigError> {
        match reload_keys {
            None => {
                let keys = self.parse(&self.read())?;
                Ok(VerifierKeys::Fixed(Arc::new(keys)))
            }
            Some(interval) => {
                let keys = ReloadedKeys::load(self, interval)?;
                Ok(VerifierKeys::Reloaded(Arc::new(keys)))
            }
        }
    }

    /// Reads the files. Blocks the thread.
    pub(super) fn read(&self) -> FileContents {
        FileContents::read(self.keys.files())
    }

    /// Returns the names of the files, for the log.
    pub(super) fn names(&self) -> String {
        let files = self.keys.files();
        let names: Vec<_> = files.iter().map(|file| file.to_string_lossy()).collect();
        names.join(", ")
    }

    /// Parses the keys. `contents` are those of the files.
    ///
    /// # Errors
    ///
    /// A key is missing, cannot be parsed or is too weak, or an algorithm fits none of the keys.
    pub(super) fn parse(&self, contents: &FileContents) -> Result<KeySet, ConfigError> {
        let keys = self.keys.load(contents, self.secrets, &self.algorithms)?;
        check_fit(&keys, &self.algorithms)?;
        Ok(keys)
    }
}

fn check_fit(keys: &KeySet, algorithms: &[Algorithm]) -> Result<(), ConfigError> {
    match algorithms.iter().find(|algorithm| !keys.fits(**algorithm)) {
        None => Ok(()),
        Some(algorithm) => Err(ConfigError::contradiction(format!(
            "algorithms: {algorithm} fits none of the keys; take it off the list, or add a key of its type"
        ))),
    }
}

impl From<FixedKeys> for KeySettings {
    fn from(keys: FixedKeys) -> Self {
        Self::Fixed(keys)
    }
}

#[cfg(feature = "jwks")]
impl From<RemoteSettings> for KeySettings {
    fn from(keys: RemoteSettings) -> Self {
        Self::Remote(keys)
    }
}

impl fmt::Debug for KeySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("KeySettings(redacted)")
    }
}
