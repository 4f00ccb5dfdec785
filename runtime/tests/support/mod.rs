//! What the tests of tokens and keys share: test-only keys, and a signer of any header and payload,
//! however wrong.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use futures_util::FutureExt;
use jsonwebtoken::{EncodingKey, crypto};
use pkcs1::RsaPublicKeyRef;
use serde_json::{Value, json};
use socketioxide_jwt_auth::{AuthError, VerifiedToken, Verifier, VerifierBuilder};

/// Long enough for HS512.
pub(crate) const SECRET: &str =
    "a secret of the tests, with more than the sixty-four bytes that HS512 asks for";

/// In the year 2100.
pub(crate) const EXP: u64 = 4_102_444_800;

/// What the tests sign with, by its name in a token. jsonwebtoken's own type does not have ES512.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
    ES512,
}

const ALL_ALGORITHMS: &[Algorithm] = &[
    Algorithm::HS256,
    Algorithm::HS384,
    Algorithm::HS512,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
    Algorithm::ES512,
];

/// Those of the compiled backend.
pub(crate) const ALGORITHMS: &[Algorithm] = if cfg!(feature = "aws_lc_rs") {
    ALL_ALGORITHMS
} else {
    ALL_ALGORITHMS.split_at(ALL_ALGORITHMS.len() - 1).0
};

impl Algorithm {
    pub(crate) fn named(name: &str) -> Self {
        let mut all = ALL_ALGORITHMS.iter().copied();
        all.find(|algorithm| name_of(*algorithm) == name).unwrap()
    }

    pub(crate) fn of_jsonwebtoken(self) -> jsonwebtoken::Algorithm {
        name_of(self).parse().expect("jsonwebtoken has it")
    }
}

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/fixtures/",
            $name
        ))
    };
}
#[allow(unused_imports, reason = "each test file uses a part of it")]
pub(crate) use fixture;

pub(crate) fn name_of(algorithm: Algorithm) -> String {
    format!("{algorithm:?}")
}

pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(segment: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(segment).unwrap()
}

pub(crate) fn der(pem: &str) -> Vec<u8> {
    pem::parse(pem).unwrap().into_contents()
}

/// Header, payload and signature, still encoded.
pub(crate) fn split(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

pub(crate) fn is_hmac(algorithm: Algorithm) -> bool {
    name_of(algorithm).starts_with("HS")
}

/// The public key of the signer of an algorithm.
pub(crate) fn public_pem(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::ES256 => fixture!("p256.pem"),
        Algorithm::ES384 => fixture!("p384.pem"),
        Algorithm::ES512 => fixture!("p521.pem"),
        Algorithm::EdDSA => fixture!("ed25519.pem"),
        _ => fixture!("rsa.pem"),
    }
}

/// The key of the signer of an algorithm, as a JWK: the secret, or the public key.
pub(crate) fn jwk(algorithm: Algorithm) -> Value {
    if is_hmac(algorithm) {
        return json!({"kty": "oct", "k": encode(SECRET)});
    }
    jwk_of_pem(public_pem(algorithm))
}

/// The lengths of the blocks tell the types apart, because they are all ours.
pub(crate) fn jwk_of_pem(pem: &str) -> Value {
    let der = der(pem);
    let point = |crv, length: usize| {
        let (x, y) = der[der.len() - 2 * length..].split_at(length);
        json!({"kty": "EC", "crv": crv, "x": encode(x), "y": encode(y)})
    };
    match der.len() {
        44 => json!({"kty": "OKP", "crv": "Ed25519", "x": encode(&der[12..])}),
        91 => point("P-256", 32),
        120 => point("P-384", 48),
        158 => point("P-521", 66),
        294 => {
            let key = RsaPublicKeyRef::try_from(&der[24..]).unwrap();
            json!({"kty": "RSA", "n": encode(key.modulus.as_bytes()), "e": encode(key.public_exponent.as_bytes())})
        }
        other => panic!("a key of {other} bytes"),
    }
}

pub(crate) fn named(mut jwk: Value, kid: &str) -> Value {
    jwk["kid"] = kid.into();
    jwk
}

pub(crate) fn key_set(keys: &[Value]) -> String {
    json!({"keys": keys}).to_string()
}

/// A verifier with the key of the signer of an algorithm.
pub(crate) fn verifier_of(algorithm: Algorithm) -> VerifierBuilder {
    let builder = Verifier::builder().algorithm(name_of(algorithm));
    if is_hmac(algorithm) {
        builder.secret(SECRET)
    } else {
        builder.public_key(public_pem(algorithm))
    }
}

/// Keys that are at hand answer at once, so that tests without a runtime can ask too.
pub(crate) fn verify(verifier: &Verifier, token: &str) -> Result<VerifiedToken<Value>, AuthError> {
    verifier
        .verify(token)
        .now_or_never()
        .expect("fixed keys answer at once")
}

/// The code of a refusal, or `"accepted"`.
pub(crate) fn outcome(verifier: &Verifier, token: &str) -> &'static str {
    verify(verifier, token).map_or_else(|error| error.code().as_str(), |_| "accepted")
}

/// Signs what no honest issuer would.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    key: SigningKey,
}

enum SigningKey {
    OfJsonwebtoken(EncodingKey),
    #[cfg(feature = "aws_lc_rs")]
    P521(aws_lc_rs::signature::EcdsaKeyPair),
}

impl SigningKey {
    fn secret(secret: &[u8]) -> Self {
        Self::OfJsonwebtoken(EncodingKey::from_secret(secret))
    }

    fn private(algorithm: Algorithm, pem: &str) -> Self {
        let der = der(pem);
        let key = match algorithm {
            #[cfg(feature = "aws_lc_rs")]
            Algorithm::ES512 => {
                use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair};
                let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, &der);
                return Self::P521(key.unwrap());
            }
            Algorithm::ES256 | Algorithm::ES384 => EncodingKey::from_ec_der(&der),
            Algorithm::EdDSA => EncodingKey::from_ed_der(&der),
            _ => EncodingKey::from_rsa_der(&der),
        };
        Self::OfJsonwebtoken(key)
    }

    /// In base64url.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> String {
        match self {
            Self::OfJsonwebtoken(key) => {
                crypto::sign(message, key, algorithm.of_jsonwebtoken()).unwrap()
            }
            #[cfg(feature = "aws_lc_rs")]
            Self::P521(key) => {
                let random = aws_lc_rs::rand::SystemRandom::new();
                encode(key.sign(&random, message).unwrap())
            }
        }
    }
}

impl Signer {
    /// With the key that [`verifier_of`] verifies with.
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        if is_hmac(algorithm) {
            return Self::hmac(algorithm, SECRET.as_bytes());
        }
        let pem = match algorithm {
            Algorithm::ES256 => fixture!("test-only-private-p256.pem"),
            Algorithm::ES384 => fixture!("test-only-private-p384.pem"),
            Algorithm::ES512 => fixture!("test-only-private-p521.pem"),
            Algorithm::EdDSA => fixture!("test-only-private-ed25519.pem"),
            _ => fixture!("test-only-private-rsa.pem"),
        };
        Self::with_key(algorithm, SigningKey::private(algorithm, pem))
    }

    /// With the key of an attacker.
    pub(crate) fn foreign(algorithm: Algorithm) -> Self {
        if is_hmac(algorithm) {
            return Self::hmac(algorithm, b"secret");
        }
        let pem = match algorithm {
            Algorithm::ES256 => fixture!("test-only-private-p256-other.pem"),
            Algorithm::ES384 => fixture!("test-only-private-p384-other.pem"),
            Algorithm::ES512 => fixture!("test-only-private-p521-other.pem"),
            Algorithm::EdDSA => fixture!("test-only-private-ed25519-other.pem"),
            _ => fixture!("test-only-private-rsa-other.pem"),
        };
        Self::with_key(algorithm, SigningKey::private(algorithm, pem))
    }

    pub(crate) fn hmac(algorithm: Algorithm, secret: &[u8]) -> Self {
        Self::with_key(algorithm, SigningKey::secret(secret))
    }

    fn with_key(algorithm: Algorithm, key: SigningKey) -> Self {
        // With both backends compiled in, jsonwebtoken signs only after one was chosen, which a
        // verifier does.
        verifier_of(Algorithm::HS256).build().unwrap();
        Self { algorithm, key }
    }

    pub(crate) fn header(&self) -> String {
        format!(r#"{{"alg":"{:?}","typ":"JWT"}}"#, self.algorithm)
    }

    pub(crate) fn sign(&self, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
        self.sign_message(&format!("{}.{}", encode(header), encode(payload)))
    }

    pub(crate) fn sign_message(&self, message: &str) -> String {
        let signature = self.key.sign(self.algorithm, message.as_bytes());
        format!("{message}.{signature}")
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(self.header(), claims.to_string())
    }
}
