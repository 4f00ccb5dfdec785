//! A set of keys, and which of them may have signed a token.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{SecretRules, VerificationKey, jwk, pem, secret};
use crate::{
    Algorithm,
    error::{AuthError, ConfigError, ErrorCode},
};

/// Keys that verify tokens: what a [`KeySource`](super::KeySource) returns.
///
/// If the token's header has a `kid` and the keys have names, only the keys of that name are tried.
/// Otherwise each key that fits the token's `alg` is.
///
/// ```
/// use socketioxide_jwt_auth::KeySet;
///
/// let keys = KeySet::from_secret("a secret of thirty-two bytes or more")?;
/// # drop(keys);
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
pub struct KeySet {
    keys: Vec<VerificationKey>,
    id: KeySetId,
}

/// Tells a set from every other set of this process, also from those that do not exist any more. The
/// clones of a set have its keys, and so its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeySetId(u64);

impl KeySetId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl KeySet {
    /// Makes a set of one HMAC secret, which is not encoded.
    ///
    /// # Errors
    ///
    /// The secret has less than 32 bytes ([RFC 7518
    /// §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
    pub fn from_secret(secret: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        let key = secret::decode(
            "the secret",
            secret.as_ref(),
            SecretRules::default(),
            &[Algorithm::HS256],
        )?;
        Ok(Self::new(vec![key]))
    }

    /// Makes a set of HMAC secrets, which are not encoded. Each of them verifies: the current one
    /// and those of tokens that have not expired yet, for example.
    ///
    /// ```
    /// use socketioxide_jwt_auth::KeySet;
    ///
    /// let keys = KeySet::from_secrets([
    ///     "the new secret of thirty-two bytes or more",
    ///     "the old secret of thirty-two bytes or more",
    /// ])?;
    /// # drop(keys);
    /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no secret, or one has less than 32 bytes. The error names each of them by its
    /// position, counted from 1.
    pub fn from_secrets(
        secrets: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Self, ConfigError> {
        let keys = (1..).zip(secrets).map(|(position, secret)| {
            secret::decode(
                &format!("secret {position}"),
                secret.as_ref(),
                SecretRules::default(),
                &[Algorithm::HS256],
            )
        });
        let keys = ConfigError::collect(keys)?;

        if keys.is_empty() {
            return Err(ConfigError::missing(
                "the set has no secret; give it at least one",
            ));
        }
        Ok(Self::new(keys))
    }

    /// Makes a set of the public keys and certificates in PEM: RSA, EC (P-256, P-384, or P-521 with
    /// the feature `aws_lc_rs`) or Ed25519.
    ///
    /// Certificates need the feature `certificates`. Of a chain of them, only the leaf is a key.
    ///
    /// Line breaks may be written as `\n`, and the whole PEM may be in base64.
    ///
    /// # Errors
    ///
    /// `pem` has no keys, or one of them is private, of another kind, or an RSA key of less than
    /// 2048 bits.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        pem::parse("the PEM text", pem.as_ref()).map(Self::new)
    }

    /// Makes a set of a JWK Set ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    /// Keys that cannot verify a token (for encryption, of an unknown type, too weak) are left out,
    /// with a line in the log at WARN. Of keys with the same `kid`, each that fits the token's `alg`
    /// is tried.
    ///
    /// # Errors
    ///
    /// The string is not a JWK Set, or the set has no usable key, or has a private key.
    pub fn from_jwks(json: impl AsRef<str>) -> Result<Self, ConfigError> {
        jwk::parse_configured("the JWK Set", json.as_ref()).map(Self::new)
    }

    /// Returns a set that verifies a token if one of the two sets does.
    ///
    /// Every key keeps its own algorithms, so a public key never counts as a secret. If both sets
    /// have keys with the same `kid`, each of them that fits the token's `alg` is tried.
    ///
    /// ```
    /// use socketioxide_jwt_auth::KeySet;
    ///
    /// # let jwks = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"a","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    /// let old = KeySet::from_secret("a secret of thirty-two bytes or more")?;
    /// let keys = KeySet::from_jwks(jwks)?.merge(old);
    /// # drop(keys);
    /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
    /// ```
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        let mut keys = self.with_any_names();
        keys.extend(other.with_any_names());
        Self::new(keys)
    }

    /// Returns the keys. If none of them has a name, they are tried for every `kid`, also beside
    /// keys that have names.
    fn with_any_names(mut self) -> Vec<VerificationKey> {
        if !self.has_names() {
            for key in &mut self.keys {
                key.has_any_name = true;
            }
        }
        self.keys
    }

    pub(super) fn new(keys: Vec<VerificationKey>) -> Self {
        Self {
            keys,
            id: KeySetId::next(),
        }
    }

    pub(crate) fn id(&self) -> KeySetId {
        self.id
    }

    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.keys.iter().any(|key| key.fits(algorithm))
    }

    fn has_names(&self) -> bool {
        self.keys.iter().any(|key| key.id.is_some())
    }

    /// Returns the keys that may have signed a token with this header.
    ///
    /// # Errors
    ///
    /// `token_key_unknown` if the set has no such key, `token_algorithm_not_allowed` if no key that
    /// `kid` names fits `algorithm`.
    pub(crate) fn candidates(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
    ) -> Result<impl Iterator<Item = &VerificationKey>, AuthError> {
        let has_name = move |key: &VerificationKey| key_id.is_some() && key.id.as_deref() == key_id;
        // Secrets and PEM keys have no names, so a `kid` cannot choose among them.
        let any_name = key_id.is_none() || !self.has_names();
        let may_sign = move |key: &&VerificationKey| {
            (any_name || key.has_any_name || has_name(key)) && key.fits(algorithm)
        };

        if !self.keys.iter().any(|key| may_sign(&key)) {
            let code = if self.keys.iter().any(has_name) {
                ErrorCode::TokenAlgorithmNotAllowed
            } else {
                ErrorCode::TokenKeyUnknown
            };
            return Err(code.into());
        }

        Ok(self.keys.iter().filter(may_sign))
    }
}
