//! Keys of aws-lc-rs, prepared when they are loaded.
//!
//! jsonwebtoken prepares its keys again for every token: half the time of an HMAC, a sixth of the
//! time of an RSA signature. Its verifiers cannot be kept, because they are not `Send`; those of
//! aws-lc-rs, which it calls, can. ES512, which jsonwebtoken does not have, is verified here only.

use aws_lc_rs::{
    hmac::{self, HMAC_SHA256, HMAC_SHA384, HMAC_SHA512},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
        ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
        RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
        RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
    },
};

use crate::Algorithm;

/// A key, prepared for one algorithm.
pub(super) enum PreparedKey {
    Secret(Box<hmac::Key>),
    Public(ParsedPublicKey),
}

impl PreparedKey {
    /// `bytes` are a secret, a PKCS#1 key, a point or an Ed25519 key. Returns `None` if the backend
    /// rejects the key.
    pub(super) fn new(algorithm: Algorithm, bytes: &[u8]) -> Option<Self> {
        let secret = |hash| Some(Self::Secret(Box::new(hmac::Key::new(hash, bytes))));
        let public = |kind: &'static dyn VerificationAlgorithm| {
            ParsedPublicKey::new(kind, bytes).ok().map(Self::Public)
        };

        match algorithm {
            Algorithm::HS256 => secret(HMAC_SHA256),
            Algorithm::HS384 => secret(HMAC_SHA384),
            Algorithm::HS512 => secret(HMAC_SHA512),
            Algorithm::RS256 => public(&RSA_PKCS1_2048_8192_SHA256),
            Algorithm::RS384 => public(&RSA_PKCS1_2048_8192_SHA384),
            Algorithm::RS512 => public(&RSA_PKCS1_2048_8192_SHA512),
            Algorithm::PS256 => public(&RSA_PSS_2048_8192_SHA256),
            Algorithm::PS384 => public(&RSA_PSS_2048_8192_SHA384),
            Algorithm::PS512 => public(&RSA_PSS_2048_8192_SHA512),
            Algorithm::ES256 => public(&ECDSA_P256_SHA256_FIXED),
            Algorithm::ES384 => public(&ECDSA_P384_SHA384_FIXED),
            Algorithm::ES512 => public(&ECDSA_P521_SHA512_FIXED),
            Algorithm::Ed25519 => public(&ED25519),
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Secret(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}
