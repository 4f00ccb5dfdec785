use std::{collections::HashSet, str::FromStr, sync::Arc, time::Duration};

use jsonwebtoken::{Algorithm, AlgorithmFamily};

use super::{
    Rules, Verifier,
    claims::{ClaimRules, MAX_REQUIRED_CLAIMS},
};
use crate::{
    error::ConfigError,
    keys::{KeyConfig, KeyContext, LoadedKeys, SecretEncoding, SecretSettings, install_backend},
    settings::Setting,
    token::MAX_TOKEN_BYTES,
};

/// More is no clock skew but a mistake, and would keep stolen tokens alive.
const MAX_LEEWAY: Duration = Duration::from_hours(24);

/// Settings of a [`Verifier`]. A later call of the same method replaces what an earlier one said, and so does a later
/// source of keys.
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
pub struct VerifierBuilder(VerifierSettings);

impl VerifierBuilder {
    verifier_settings!(|builder| builder.0);

    /// Loads the keys and checks every setting.
    ///
    /// # Errors
    ///
    /// A setting that is missing, contradictory or too weak. The text says how to repair it.
    pub fn build(self) -> Result<Verifier, ConfigError> {
        self.0.build()
    }

    pub(crate) fn settings(&mut self) -> &mut VerifierSettings {
        &mut self.0
    }
}

#[derive(Debug, Clone)]
pub(crate) struct VerifierSettings {
    pub(crate) keys: Option<KeyConfig>,
    pub(crate) secrets: SecretSettings,
    pub(crate) algorithms: Option<Vec<String>>,
    pub(crate) issuers: Option<Vec<String>>,
    pub(crate) audiences: Option<Vec<String>>,
    pub(crate) required_claims: Vec<String>,
    pub(crate) leeway: Duration,
    pub(crate) max_token_bytes: usize,
    #[cfg(feature = "jwks")]
    pub(crate) http_client: Option<crate::keys::HttpClient>,
    /// A value that did not read, kept until `build` can return it.
    pub(crate) mistake: Option<ConfigError>,
}

impl Default for VerifierSettings {
    fn default() -> Self {
        Self {
            keys: None,
            secrets: SecretSettings::default(),
            algorithms: None,
            issuers: None,
            audiences: None,
            required_claims: vec!["exp".to_owned()],
            leeway: Duration::from_mins(1),
            max_token_bytes: 8192,
            #[cfg(feature = "jwks")]
            http_client: None,
            mistake: None,
        }
    }
}

impl VerifierSettings {
    pub(crate) fn set_leeway(&mut self, leeway: impl Setting<Duration>) {
        match leeway.into_value("leeway") {
            Ok(leeway) => self.leeway = leeway,
            Err(error) => self.mistake = Some(error),
        }
    }

    pub(crate) fn set_secret_encoding(&mut self, encoding: impl Setting<SecretEncoding>) {
        match encoding.into_value("secret_encoding") {
            Ok(encoding) => self.secrets.encoding = encoding,
            Err(error) => self.mistake = Some(error),
        }
    }

    fn build(self) -> Result<Verifier, ConfigError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let keys = self.keys.ok_or_else(|| {
            ConfigError::new("no key to verify tokens with; set one of secret_env, public_key_env, jwks_file, … ")
        })?;
        let algorithms = read_algorithms(self.algorithms, &keys)?;
        let LoadedKeys { keys, issuer } = keys.load(KeyContext {
            secrets: self.secrets,
            algorithms: &algorithms,
            #[cfg(feature = "jwks")]
            http_client: self.http_client,
        })?;
        let claims = ClaimRules {
            issuers: accepted("issuer", self.issuers.or(issuer.map(|issuer| vec![issuer])))?,
            audiences: accepted("audience", self.audiences)?,
            required: check_required(self.required_claims)?,
            leeway: check_leeway(self.leeway)?,
        };
        let max_token_bytes = check_token_bytes(self.max_token_bytes)?;
        install_backend();
        Ok(Verifier(Arc::new(Rules { keys, algorithms, max_token_bytes, claims })))
    }
}

fn read_algorithms(names: Option<Vec<String>>, keys: &KeyConfig) -> Result<Vec<Algorithm>, ConfigError> {
    let Some(names) = names else {
        if keys.is_secret() {
            return Ok(vec![Algorithm::HS256]);
        }
        return Err(ConfigError::new(
            "algorithms is required with this kind of key; say which ones the issuer signs with, like [\"RS256\"]",
        ));
    };
    if names.is_empty() {
        return Err(ConfigError::new("algorithms is empty; name at least one, like [\"HS256\"]"));
    }
    let algorithms: Result<Vec<_>, _> = names.iter().map(|name| read_algorithm(name, keys)).collect();
    algorithms
}

fn read_algorithm(name: &str, keys: &KeyConfig) -> Result<Algorithm, ConfigError> {
    let algorithm = Algorithm::from_str(name).map_err(|_| {
        ConfigError::new(format!(
            "algorithms: {name:?} is unknown; the known ones are HS256, HS384, HS512, RS256, RS384, RS512, PS256, \
             PS384, PS512, ES256, ES384 and EdDSA"
        ))
    })?;
    if keys.is_secret() && algorithm.family() != AlgorithmFamily::Hmac {
        return Err(ConfigError::new(format!(
            "algorithms: {name} needs a public key, and the key is a secret; use HS256, HS384 or HS512, or public_key"
        )));
    }
    if keys.is_public() && algorithm.family() == AlgorithmFamily::Hmac {
        return Err(ConfigError::new(format!(
            "algorithms: {name} needs a secret, and the key is public: anybody could sign with it; name the algorithm \
             of the private key, like RS256"
        )));
    }
    Ok(algorithm)
}

/// An option that is set and accepts nothing would refuse everybody.
fn accepted(option: &str, texts: Option<Vec<String>>) -> Result<Vec<String>, ConfigError> {
    match texts {
        None => Ok(Vec::new()),
        Some(texts) if texts.is_empty() || texts.iter().any(String::is_empty) => Err(ConfigError::new(format!(
            "{option} is empty; write what the issuer puts into its tokens, or leave it out"
        ))),
        Some(texts) => Ok(texts),
    }
}

fn check_required(names: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let mut seen = HashSet::new();
    let names: Vec<_> = names.into_iter().filter(|name| seen.insert(name.clone())).collect();
    if names.len() > MAX_REQUIRED_CLAIMS {
        return Err(ConfigError::new(format!(
            "required_claims names more than {MAX_REQUIRED_CLAIMS} claims; name fewer"
        )));
    }
    Ok(names)
}

fn check_leeway(leeway: Duration) -> Result<Duration, ConfigError> {
    if leeway > MAX_LEEWAY {
        return Err(ConfigError::new("leeway is more than a day; it is for clock skew, 60s is usual"));
    }
    Ok(leeway)
}

fn check_token_bytes(bytes: usize) -> Result<usize, ConfigError> {
    if bytes == 0 || bytes > MAX_TOKEN_BYTES {
        return Err(ConfigError::new(format!(
            "max_token_bytes is {bytes}; it must be 1 to {MAX_TOKEN_BYTES}, 8192 is usual"
        )));
    }
    Ok(bytes)
}
