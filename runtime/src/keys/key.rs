//! A key that verifies signatures, and what it may be used for.

use std::fmt;
#[cfg(feature = "aws_lc_rs")]
use std::sync::Arc;

use jsonwebtoken::{DecodingKey, crypto};

#[cfg(feature = "aws_lc_rs")]
use super::aws_lc::PreparedKey;
use super::{KeyProblem, backend};
use crate::Algorithm;

/// A key, and the algorithms that it may be used for: jsonwebtoken checks the family only, not the
/// curve and not the `alg` of a JWK.
#[derive(Clone)]
pub(crate) struct VerificationKey {
    decoding: DecodingKey,
    kind: KeyKind,
    /// The `kid` of a JWK.
    pub(crate) id: Option<String>,
    /// Whether it is tried for every `kid`, although other keys of its set have names.
    pub(crate) has_any_name: bool,
    /// The `alg` of a JWK.
    pub(crate) algorithm: Option<Algorithm>,
    /// Empty if the application installed another backend.
    #[cfg(feature = "aws_lc_rs")]
    prepared: Arc<[(Algorithm, PreparedKey)]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Secret { bits: usize, allow_weak: bool },
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl KeyKind {
    fn fits(self, algorithm: Algorithm) -> bool {
        match self {
            Self::Secret { bits, allow_weak } => {
                algorithm.is_hmac() && (allow_weak || bits >= minimum_secret_bits(algorithm))
            }
            Self::Rsa => algorithm.is_rsa(),
            Self::P256 => algorithm == Algorithm::ES256,
            Self::P384 => algorithm == Algorithm::ES384,
            Self::P521 => algorithm == Algorithm::ES512,
            Self::Ed25519 => algorithm == Algorithm::Ed25519,
        }
    }
}

/// A message and its alleged signature.
pub(crate) struct SignedMessage<'a> {
    pub(crate) message: &'a [u8],
    #[cfg_attr(
        not(feature = "aws_lc_rs"),
        expect(dead_code, reason = "the other backend decodes `encoded_signature`")
    )]
    pub(crate) signature: &'a [u8],
    /// The signature in base64url.
    pub(crate) encoded_signature: &'a str,
}

impl VerificationKey {
    /// # Errors
    ///
    /// The backend rejects the key, for example a point that is not on its curve, or does not have
    /// its algorithm.
    pub(crate) fn new(decoding: DecodingKey, kind: KeyKind) -> Result<Self, KeyProblem> {
        if kind == KeyKind::P521 {
            backend::check(Algorithm::ES512).map_err(KeyProblem::P521Unavailable)?;
        }
        #[cfg(not(feature = "aws_lc_rs"))]
        if !is_accepted(&decoding, kind) {
            return Err(KeyProblem::RejectedByBackend);
        }

        Ok(Self {
            #[cfg(feature = "aws_lc_rs")]
            prepared: prepare(&decoding, kind).ok_or(KeyProblem::RejectedByBackend)?,
            decoding,
            kind,
            id: None,
            has_any_name: false,
            algorithm: None,
        })
    }

    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm.is_none_or(|own| own == algorithm) && self.kind.fits(algorithm)
    }

    /// Returns whether both verify the same signatures under the same name.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let bytes = |key: &Self| key.decoding.try_get_as_bytes().map(<[u8]>::to_vec).ok();

        (self.kind, &self.id, self.algorithm) == (other.kind, &other.id, other.algorithm)
            && bytes(self).is_some_and(|own| bytes(other) == Some(own))
    }

    /// Returns whether this key made the signature of the message.
    pub(crate) fn verify(&self, algorithm: Algorithm, signed: &SignedMessage<'_>) -> bool {
        #[cfg(feature = "aws_lc_rs")]
        if let Some((_, key)) = self.prepared.iter().find(|(own, _)| *own == algorithm) {
            return key.verify(signed.message, signed.signature);
        }

        let Some(algorithm) = of_jsonwebtoken(algorithm) else {
            return false;
        };
        crypto::verify(
            signed.encoded_signature,
            signed.message,
            &self.decoding,
            algorithm,
        )
        .unwrap_or(false)
    }
}

fn algorithms(kind: KeyKind) -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL
        .iter()
        .copied()
        .filter(move |algorithm| kind.fits(*algorithm))
}

/// Returns `None` for an algorithm that jsonwebtoken does not have.
fn of_jsonwebtoken(algorithm: Algorithm) -> Option<jsonwebtoken::Algorithm> {
    use jsonwebtoken::Algorithm as Theirs;

    match algorithm {
        Algorithm::HS256 => Some(Theirs::HS256),
        Algorithm::HS384 => Some(Theirs::HS384),
        Algorithm::HS512 => Some(Theirs::HS512),
        Algorithm::RS256 => Some(Theirs::RS256),
        Algorithm::RS384 => Some(Theirs::RS384),
        Algorithm::RS512 => Some(Theirs::RS512),
        Algorithm::PS256 => Some(Theirs::PS256),
        Algorithm::PS384 => Some(Theirs::PS384),
        Algorithm::PS512 => Some(Theirs::PS512),
        Algorithm::ES256 => Some(Theirs::ES256),
        Algorithm::ES384 => Some(Theirs::ES384),
        Algorithm::ES512 => None,
        Algorithm::Ed25519 => Some(Theirs::EdDSA),
    }
}

/// Returns `None` if the bytes are not a valid key, also if the application installed another
/// backend.
#[cfg(feature = "aws_lc_rs")]
fn prepare(decoding: &DecodingKey, kind: KeyKind) -> Option<Arc<[(Algorithm, PreparedKey)]>> {
    let bytes = decoding.try_get_as_bytes().ok()?;
    let prepare = |algorithm| Some((algorithm, PreparedKey::new(algorithm, bytes)?));
    let prepared = algorithms(kind).map(prepare).collect::<Option<_>>()?;
    Some(if backend::install() {
        prepared
    } else {
        Arc::default()
    })
}

/// This backend checks a key only when it verifies a signature, so it is given an empty one.
#[cfg(not(feature = "aws_lc_rs"))]
fn is_accepted(decoding: &DecodingKey, kind: KeyKind) -> bool {
    backend::install();
    algorithms(kind)
        .filter_map(of_jsonwebtoken)
        .all(|algorithm| crypto::verify("", b"", decoding, algorithm).is_ok())
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

/// A secret is at least as long as the hash ([RFC 7518
/// §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
pub(crate) fn minimum_secret_bits(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::HS256 => 256,
        Algorithm::HS384 => 384,
        Algorithm::HS512 => 512,
        _ => 0,
    }
}

/// [RFC 7518 §3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3) sets the minimum. The
/// maximum is that of the backends; a hostile key that is longer would cost seconds.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// # Errors
///
/// The modulus is too short or too long, or the exponent is not usable.
pub(crate) fn check_rsa(modulus: &[u8], exponent: &[u8]) -> Result<(), KeyProblem> {
    let bits = modulus
        .iter()
        .position(|byte| *byte != 0)
        .map_or(0, |zeros| {
            (modulus.len() - zeros) * 8 - modulus[zeros].leading_zeros() as usize
        });
    if !RSA_BITS.contains(&bits) {
        return Err(KeyProblem::RsaBits(bits));
    }

    let odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    let significant: Vec<_> = exponent.iter().skip_while(|byte| **byte == 0).collect();
    if !odd || matches!(significant.as_slice(), [] | [1]) || significant.len() > 4 {
        return Err(KeyProblem::RsaExponent);
    }
    Ok(())
}
