//! A set of keys, and which of them may have signed a token.

use super::{SecretRules, VerificationKey, jwk, pem, secret};
use crate::{
    Algorithm,
    error::{AuthError, ConfigError, ErrorCode},
};

/// Keys that verify tokens: what a [`KeySource`](super::KeySource) returns.
///
/// If the token's header has a `kid` and the keys have names, only the key of that name is tried.
/// Otherwise each key that fits the token's `alg` is.
///
/// ```
/// use socketioxide_jwt_auth::KeySet;
///
/// let keys = KeySet::from_secret("a secret of thirty-two bytes or more")?;
/// # drop(keys);
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct KeySet(Vec<VerificationKey>);

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
        Ok(Self(vec![key]))
    }

    /// Makes a set of the public keys and certificates in PEM: RSA, EC (P-256, P-384) or Ed25519.
    ///
    /// # Errors
    ///
    /// `pem` has no keys, or one of them is private, of another kind, or an RSA key of less than
    /// 2048 bits.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self, ConfigError> {
        pem::parse("the PEM text", pem.as_ref()).map(Self)
    }

    /// Makes a set of a JWK Set ([RFC 7517 §5](https://www.rfc-editor.org/rfc/rfc7517#section-5)).
    /// Keys that cannot verify a token (for encryption, of an unknown type, too weak) are left out.
    ///
    /// # Errors
    ///
    /// The string is not a JWK Set, or the set has no usable key, or has a private key, or has two
    /// keys with the same `kid`.
    pub fn from_jwks(json: impl AsRef<str>) -> Result<Self, ConfigError> {
        jwk::parse_configured("the JWK Set", json.as_ref()).map(Self)
    }

    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.0.iter().any(|key| key.fits(algorithm))
    }

    fn has_names(&self) -> bool {
        self.0.iter().any(|key| key.id.is_some())
    }

    /// Returns the keys that may have signed a token with this header.
    ///
    /// # Errors
    ///
    /// `token_key_unknown` if the set has no such key, `token_algorithm_not_allowed` if the key
    /// that `kid` names does not fit `algorithm`.
    pub(crate) fn candidates(
        &self,
        algorithm: Algorithm,
        key_id: Option<&str>,
    ) -> Result<impl Iterator<Item = &VerificationKey>, AuthError> {
        // Secrets and PEM keys have no names, so a `kid` cannot choose among them.
        let key_id = key_id.filter(|_| self.has_names());
        let named =
            move |key: &&VerificationKey| key_id.is_none_or(|id| key.id.as_deref() == Some(id));
        if !self.0.iter().any(|key| named(&key)) {
            return Err(ErrorCode::TokenKeyUnknown.into());
        }
        if !self.0.iter().filter(named).any(|key| key.fits(algorithm)) {
            let code = if key_id.is_some() {
                ErrorCode::TokenAlgorithmNotAllowed
            } else {
                ErrorCode::TokenKeyUnknown
            };
            return Err(code.into());
        }

        Ok(self
            .0
            .iter()
            .filter(named)
            .filter(move |key| key.fits(algorithm)))
    }
}

impl From<Vec<VerificationKey>> for KeySet {
    fn from(keys: Vec<VerificationKey>) -> Self {
        Self(keys)
    }
}
