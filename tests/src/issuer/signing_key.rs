//! The private keys of issuers.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, crypto, jwk::Jwk};
use serde_json::{Value, json};

use crate::{install_backend, seconds_from_now};

macro_rules! private_key {
    ($name:literal) => {
        include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../runtime/tests/fixtures/test-only-private-",
            $name,
            ".pem"
        ))
    };
}

/// A private key of an issuer, with the `kid` under which its public key is published.
pub struct SigningKey {
    kid: String,
    algorithm: Algorithm,
    key: EncodingKey,
}

impl SigningKey {
    /// Returns the key for EdDSA, ES256 or RS256.
    ///
    /// # Panics
    ///
    /// If there is none for this algorithm.
    pub fn new(algorithm: Algorithm, kid: &str) -> Self {
        Self::read(
            algorithm,
            kid,
            match algorithm {
                Algorithm::EdDSA => private_key!("ed25519"),
                Algorithm::ES256 => private_key!("p256"),
                Algorithm::RS256 => private_key!("rsa"),
                other => panic!("no key for {other:?}"),
            },
        )
    }

    /// Returns another key for EdDSA, ES256 or RS256.
    ///
    /// # Panics
    ///
    /// If there is none for this algorithm.
    pub fn other(algorithm: Algorithm, kid: &str) -> Self {
        Self::read(
            algorithm,
            kid,
            match algorithm {
                Algorithm::EdDSA => private_key!("ed25519-other"),
                Algorithm::ES256 => private_key!("p256-other"),
                Algorithm::RS256 => private_key!("rsa-other"),
                other => panic!("no key for {other:?}"),
            },
        )
    }

    fn read(algorithm: Algorithm, kid: &str, pem: &str) -> Self {
        install_backend();
        let pem = pem::parse(pem).expect("the file is right");

        let key = match algorithm {
            Algorithm::EdDSA => EncodingKey::from_ed_der(pem.contents()),
            Algorithm::ES256 => EncodingKey::from_ec_der(pem.contents()),
            _ => EncodingKey::from_rsa_der(pem.contents()),
        };

        Self {
            kid: kid.to_owned(),
            algorithm,
            key,
        }
    }

    /// Returns the public key as a JWK.
    ///
    /// # Panics
    ///
    /// Never, because the key is valid.
    pub fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.key, self.algorithm).expect("the key is right");
        let mut jwk = serde_json::to_value(jwk).expect("a key is JSON");
        jwk["kid"] = self.kid.as_str().into();
        jwk
    }

    /// Returns the public key as a JWK without `kid`.
    pub fn jwk_without_kid(&self) -> Value {
        let mut jwk = self.jwk();
        jwk.as_object_mut().map(|members| members.remove("kid"));
        jwk
    }

    /// Returns a good token of `ada` with the `kid` of the key.
    pub fn token(&self) -> String {
        self.token_with_claims(&json!({ "sub": "ada", "exp": seconds_from_now(3600) }))
    }

    /// Returns a token with these claims.
    pub fn token_with_claims(&self, claims: &Value) -> String {
        self.sign(Some(&self.kid), claims)
    }

    /// Returns a good token of `ada` with another `kid`, or without one.
    pub fn token_with_kid(&self, kid: Option<&str>) -> String {
        self.sign(kid, &json!({ "sub": "ada", "exp": seconds_from_now(3600) }))
    }

    /// Returns a token with exactly this header and these claims.
    ///
    /// # Panics
    ///
    /// Never, because the key is valid.
    pub fn token_with_header(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] =
            [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let message = format!("{header}.{claims}");
        let signature = crypto::sign(message.as_bytes(), &self.key, self.algorithm)
            .expect("bytes can be signed");
        format!("{message}.{signature}")
    }

    fn sign(&self, kid: Option<&str>, claims: &Value) -> String {
        let header = Header {
            kid: kid.map(str::to_owned),
            ..Header::new(self.algorithm)
        };
        jsonwebtoken::encode(&header, claims, &self.key).expect("the claims can be signed")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigningKey")
            .field("kid", &self.kid)
            .finish_non_exhaustive()
    }
}
