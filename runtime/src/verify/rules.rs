//! What is demanded of the tokens of one issuer: the checked settings, with their defaults.

use std::{collections::HashSet, time::Duration};

use super::{
    claims::{ClaimRules, ClaimValues, MAX_REQUIRED_CLAIMS},
    header,
    settings::VerifierSettings,
    token_cache::TokenCache,
};
use crate::{
    Algorithm,
    error::ConfigError,
    keys::{KeyLoader, KeySettings, LoadedKeys, SecretEncoding, check_backend},
    revocations::MAX_LEEWAY,
    settings::{StringList, checked},
    token::MAX_TOKEN_BYTES,
};

/// What a verifier demands of the tokens that the same keys verify.
#[derive(Debug)]
pub(super) struct TokenRules {
    pub(super) keys: LoadedKeys,
    pub(super) max_token_bytes: usize,
    pub(super) claims: ClaimRules,
    pub(super) token_cache: Option<TokenCache>,
}

impl TokenRules {
    /// Checks every setting and loads the keys.
    ///
    /// # Errors
    ///
    /// Returns all mistakes as one error. The keys are loaded only if the settings that they depend
    /// on are correct.
    pub(super) fn new(
        keys: Option<KeySettings>,
        settings: VerifierSettings,
    ) -> Result<Self, ConfigError> {
        let has_revocations = settings.revocations.is_some();
        let algorithms = parse_algorithms(settings.algorithms, keys.as_ref());
        let reload_keys = check_reload(settings.reload_keys, keys.as_ref());
        let loader = checked!(KeyLoader {
            keys: keys.ok_or_else(no_key),
            secret_encoding: settings
                .secret_encoding
                .unwrap_or_else(|| Ok(SecretEncoding::default())),
            allow_weak_secret: Ok(settings.allow_weak_secret.unwrap_or(false)),
            allow_insecure_http: Ok(settings.allow_insecure_http.unwrap_or(false)),
            reload_keys: reload_keys,
            algorithms: algorithms,
        });
        #[cfg(feature = "jwks")]
        let keys = loader.and_then(|loader| loader.load(settings.http_client));
        #[cfg(not(feature = "jwks"))]
        let keys = loader.and_then(KeyLoader::load);

        let issuer = keys.as_ref().ok().and_then(|keys| keys.issuer.clone());
        let claims = checked!(ClaimRules {
            issuers: accepted(
                "issuer",
                settings
                    .issuers
                    .or(issuer.map(|issuer| StringList::Strings(vec![issuer])))
            ),
            audiences: accepted("audience", settings.audiences),
            required: check_required(
                settings
                    .required_claims
                    .unwrap_or_else(|| vec!["exp".to_owned()])
            ),
            values: ClaimValues::check_all(settings.claim_values.unwrap_or_default()),
            kinds: check_kinds(accepted(
                "token_type",
                settings.token_types.map(StringList::Strings)
            )),
            numeric_subject: Ok(settings.numeric_subject.unwrap_or(false)),
            for_logout: Ok(false),
            leeway: settings
                .leeway
                .unwrap_or(Ok(Duration::from_mins(1)))
                .and_then(|leeway| {
                    if has_revocations && leeway > MAX_LEEWAY {
                        return Err(ConfigError::contradiction(
                            "leeway is more than 5 minutes, and revocations are kept for 10 minutes after the last \
                             token has expired; set leeway = \"60s\", which is usual",
                        ));
                    }
                    // A longer leeway is not for clock skew, and would keep stolen tokens alive.
                    if leeway > Duration::from_hours(24) {
                        return Err(ConfigError::invalid(
                            "leeway is more than a day; it is for clock skew, 60s is usual",
                        ));
                    }
                    Ok(leeway)
                }),
        });
        checked!(Self {
            keys: keys,
            max_token_bytes: check_token_bytes(settings.max_token_bytes.unwrap_or(8192)),
            claims: claims,
            token_cache: settings.token_cache.map(TokenCache::new).transpose(),
        })
    }
}

fn no_key() -> ConfigError {
    ConfigError::missing(
        "no key to verify tokens with; set one of secret_env, secret_file, public_key_env, jwks_file, …",
    )
}

/// What `reload_keys` needs.
pub(super) const NO_FILES: &str = "reload_keys is for keys in files; set secret_file, public_key_file or jwks_file, or \
                                   leave it out";

/// `keys` is `None` if they are missing, which is an error of its own.
fn check_reload(
    interval: Option<Result<Duration, ConfigError>>,
    keys: Option<&KeySettings>,
) -> Result<Option<Duration>, ConfigError> {
    const SHORTEST: Duration = Duration::from_secs(1);

    let Some(interval) = interval.transpose()? else {
        return Ok(None);
    };
    if interval < SHORTEST {
        return Err(ConfigError::invalid(format!(
            "reload_keys is {interval:?}; files are read once a second at most, \"30s\" is usual"
        )));
    }
    if keys.is_some_and(|keys| !keys.are_in_files()) {
        return Err(ConfigError::contradiction(NO_FILES));
    }
    Ok(Some(interval))
}

/// `keys` is `None` if they are missing, which is an error of its own.
fn parse_algorithms(
    names: Option<Vec<String>>,
    keys: Option<&KeySettings>,
) -> Result<Vec<Algorithm>, ConfigError> {
    let Some(names) = names else {
        if keys.is_none_or(KeySettings::is_secret) {
            return Ok(vec![Algorithm::HS256]);
        }
        return Err(ConfigError::missing(
            "algorithms is required with this kind of key; say which ones the issuer signs with, like [\"RS256\"]",
        ));
    };

    if names.is_empty() {
        return Err(ConfigError::invalid(
            "algorithms is empty; name at least one, like [\"HS256\"]",
        ));
    }
    ConfigError::collect(names.iter().map(|name| parse_algorithm(name, keys)))
}

fn parse_algorithm(name: &str, keys: Option<&KeySettings>) -> Result<Algorithm, ConfigError> {
    let algorithm: Algorithm = name
        .parse()
        .map_err(|error| ConfigError::invalid(format!("algorithms: {error}")))?;
    check_backend(algorithm)
        .map_err(|problem| ConfigError::invalid(format!("algorithms: {problem}")))?;
    let is_hmac = algorithm.is_hmac();

    if keys.is_some_and(KeySettings::is_secret) && !is_hmac {
        return Err(ConfigError::contradiction(format!(
            "algorithms: {name} needs a public key, and the key is a secret; use HS256, HS384 or HS512, or public_key"
        )));
    }
    if keys.is_some_and(KeySettings::is_public) && is_hmac {
        return Err(ConfigError::contradiction(format!(
            "algorithms: {name} needs a secret, and the key is public: anybody could sign with it; name the algorithm \
             of the private key, like RS256"
        )));
    }
    Ok(algorithm)
}

/// Refuses a list that is set but accepts no token.
pub(super) fn accepted(
    option: &str,
    values: Option<StringList>,
) -> Result<Vec<String>, ConfigError> {
    match values.map(StringList::load).transpose()? {
        None => Ok(Vec::new()),
        Some(values) if values.is_empty() || values.iter().any(String::is_empty) => {
            Err(ConfigError::invalid(format!(
                "{option} is empty; write what the issuer puts into its tokens, or leave it out"
            )))
        }
        Some(values) => Ok(values),
    }
}

fn check_kinds(kinds: Result<Vec<String>, ConfigError>) -> Result<Vec<String>, ConfigError> {
    ConfigError::collect(kinds?.into_iter().map(|kind| {
        if header::kind_name(&kind).is_empty() {
            return Err(ConfigError::invalid(format!(
                "token_type: {kind:?} names no type; write the typ of the issuer's tokens, like \"at+jwt\""
            )));
        }

        if header::is_another_kind(&kind) {
            return Err(ConfigError::invalid(format!(
                "token_type: a token of type {kind:?} is not for logging in; write the typ of the issuer's access \
                 tokens, like \"at+jwt\""
            )));
        }

        Ok(kind)
    }))
}

fn check_required(names: Vec<String>) -> Result<Vec<String>, ConfigError> {
    let mut seen = HashSet::new();
    let names: Vec<_> = names
        .into_iter()
        .filter(|name| seen.insert(name.clone()))
        .collect();
    if names.len() > MAX_REQUIRED_CLAIMS {
        return Err(ConfigError::invalid(format!(
            "required_claims names more than {MAX_REQUIRED_CLAIMS} claims; name fewer"
        )));
    }
    Ok(names)
}

fn check_token_bytes(bytes: usize) -> Result<usize, ConfigError> {
    if bytes == 0 || bytes > MAX_TOKEN_BYTES {
        return Err(ConfigError::invalid(format!(
            "max_token_bytes is {bytes}; it must be 1 to {MAX_TOKEN_BYTES}, 8192 is usual"
        )));
    }
    Ok(bytes)
}
