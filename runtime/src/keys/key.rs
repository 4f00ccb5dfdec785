use std::fmt;

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, crypto, errors::ErrorKind};

use crate::{
    config::ConfigError,
    error::{AuthError, Code},
};

/// A key, and what it may be used for: jsonwebtoken checks the family only, neither the curve nor what a JWK says of
/// itself.
#[derive(Clone)]
pub(crate) struct VerificationKey {
    pub(crate) decoding: DecodingKey,
    pub(crate) kind: KeyKind,
    /// The `kid` of a JWK.
    pub(crate) id: Option<String>,
    /// The `alg` of a JWK.
    pub(crate) algorithm: Option<Algorithm>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Secret { bits: usize, allow_weak: bool },
    Rsa,
    P256,
    P384,
    Ed25519,
}

impl VerificationKey {
    pub(crate) fn new(decoding: DecodingKey, kind: KeyKind) -> Self {
        Self { decoding, kind, id: None, algorithm: None }
    }

    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm)
            && match self.kind {
                KeyKind::Secret { bits, allow_weak } => {
                    algorithm.family() == AlgorithmFamily::Hmac
                        && (allow_weak || bits >= minimum_secret_bits(algorithm))
                }
                KeyKind::Rsa => algorithm.family() == AlgorithmFamily::Rsa,
                KeyKind::P256 => algorithm == Algorithm::ES256,
                KeyKind::P384 => algorithm == Algorithm::ES384,
                KeyKind::Ed25519 => algorithm == Algorithm::EdDSA,
            }
    }

    /// Whether the signature (still in base64url) is this key's over the message.
    ///
    /// # Errors
    ///
    /// `token_malformed` if the signature is not base64url.
    pub(crate) fn verify(&self, algorithm: Algorithm, message: &str, signature: &str) -> Result<bool, AuthError> {
        match crypto::verify(signature, message.as_bytes(), &self.decoding, algorithm) {
            Ok(valid) => Ok(valid),
            Err(error) if matches!(error.kind(), ErrorKind::Base64(_)) => Err(Code::TokenMalformed.into()),
            // A point that is not on its curve is found only here, and only by one backend.
            Err(_) => Ok(false),
        }
    }
}

impl fmt::Debug for VerificationKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("VerificationKey")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// [RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2): a key at least as long as the hash.
pub(crate) fn minimum_secret_bits(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS256 => 256,
        Algorithm::HS384 => 384,
        Algorithm::HS512 => 512,
        _ => 0,
    }
}

/// [RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3) sets the lower bound; the upper one is what
/// the backends verify with (and keeps a hostile key from costing seconds).
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// # Errors
///
/// A modulus or an exponent that no RSA key of today has.
pub(crate) fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), ConfigError> {
    let bits = modulus
        .iter()
        .position(|byte| *byte != 0)
        .map_or(0, |zeros| (modulus.len() - zeros) * 8 - modulus[zeros].leading_zeros() as usize);
    if !RSA_BITS.contains(&bits) {
        return Err(ConfigError::new(format!(
            "an RSA key of {bits} bits; RFC 7518 §3.3 asks for 2048 at least (and 8192 is the most). Make one with \
             `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`"
        )));
    }
    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    let significant: Vec<_> = exponent.iter().skip_while(|byte| **byte == 0).collect();
    if !odd || matches!(significant.as_slice(), [] | [1]) || significant.len() > 4 {
        return Err(ConfigError::new("an RSA key with an unusable public exponent; the usual one is 65537"));
    }
    Ok(())
}
