//! What is attacked: one verifier for each kind of key, all with the same rules for claims.

use serde_json::{Map, Value};
use socketioxide_jwt_auth::{Verifier, VerifierBuilder};

use crate::support::{self, ALGORITHMS, Algorithm, Signer, encode};

pub(crate) const CLAIMS: &str = r#"{"iss":"https://issuer.test","aud":"chat","sub":"1","role":"user","exp":4102444800,"nbf":1,"iat":1}"#;

pub(crate) struct Attack {
    pub(crate) name: String,
    pub(crate) token: String,
    pub(crate) verifier: Verifier,
    pub(crate) expected: &'static str,
}

pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) signer: Signer,
    pub(crate) verifier: Verifier,
    /// The name of the signer's key, where keys have names.
    pub(crate) kid: Option<&'static str>,
}

/// The attacks of a group on one target.
pub(crate) struct Attacks<'t> {
    pub(crate) target: &'t Target,
    pub(crate) list: Vec<Attack>,
}

pub(crate) fn rules(builder: VerifierBuilder) -> Verifier {
    let builder = builder
        .issuer("https://issuer.test")
        .audience(["chat", "news"]);
    builder.required_claims(["exp", "role"]).build().unwrap()
}

impl Target {
    pub(crate) fn all() -> Vec<Self> {
        let alone = [
            ("secret, HS256", Algorithm::HS256),
            ("secret, HS512", Algorithm::HS512),
            ("RSA, RS256", Algorithm::RS256),
            ("RSA, PS384", Algorithm::PS384),
            ("EC, ES256", Algorithm::ES256),
            ("EC, ES384", Algorithm::ES384),
            ("Ed25519", Algorithm::EdDSA),
            ("EC, ES512", Algorithm::ES512),
        ];
        let mut targets: Vec<_> = alone
            .into_iter()
            .filter(|(_, algorithm)| ALGORITHMS.contains(algorithm))
            .map(|(name, algorithm)| {
                let verifier = rules(support::verifier_of(algorithm));
                Self {
                    name,
                    signer: Signer::new(algorithm),
                    verifier,
                    kid: None,
                }
            })
            .collect();
        targets.push(Self {
            name: "JWK Set",
            signer: Signer::new(Algorithm::ES256),
            verifier: rules(mixed_set(&["ES256", "RS256", "HS256", "EdDSA"])),
            kid: Some("ec"),
        });
        targets
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.signer.algorithm
    }

    pub(crate) fn alg(&self) -> String {
        support::name_of(self.algorithm())
    }

    /// The header of a good token.
    pub(crate) fn header(&self) -> String {
        self.header_of(&format!("\"{}\"", self.alg()))
    }

    /// With another `alg`, as it stands in the JSON.
    pub(crate) fn header_of(&self, alg: &str) -> String {
        let kid = self
            .kid
            .map(|kid| format!(r#","kid":"{kid}""#))
            .unwrap_or_default();
        format!(r#"{{"alg":{alg},"typ":"JWT"{kid}}}"#)
    }

    /// With more members, as they stand in the JSON.
    pub(crate) fn header_with(&self, members: &str) -> String {
        format!("{},{members}}}", self.header().trim_end_matches('}'))
    }

    pub(crate) fn valid(&self) -> String {
        self.sign_header(&self.header())
    }

    pub(crate) fn sign_header(&self, header: &str) -> String {
        self.signer.sign(header, CLAIMS)
    }

    pub(crate) fn sign_payload(&self, payload: impl AsRef<[u8]>) -> String {
        self.signer.sign(self.header(), payload)
    }

    /// Whether the signature is an HMAC.
    pub(crate) fn is_secret(&self) -> bool {
        support::is_hmac(self.algorithm())
    }

    /// The code for a token that another signer signed under another `kid`.
    pub(crate) fn foreign_key_id(&self) -> &'static str {
        if self.kid.is_some() {
            "token_key_unknown"
        } else {
            "token_signature_invalid"
        }
    }
}

impl<'t> Attacks<'t> {
    pub(crate) fn on(target: &'t Target) -> Self {
        Self {
            target,
            list: Vec::new(),
        }
    }

    pub(crate) fn expect(
        &mut self,
        expected: &'static str,
        name: impl Into<String>,
        token: impl Into<String>,
    ) {
        let verifier = self.target.verifier.clone();
        self.expect_of(&verifier, expected, name, token);
    }

    /// With a verifier of the attack's own.
    pub(crate) fn expect_of(
        &mut self,
        verifier: &Verifier,
        expected: &'static str,
        name: impl Into<String>,
        token: impl Into<String>,
    ) {
        let verifier = verifier.clone();
        self.list.push(Attack {
            name: name.into(),
            token: token.into(),
            verifier,
            expected,
        });
    }

    pub(crate) fn malformed(&mut self, name: impl Into<String>, token: impl Into<String>) {
        self.expect("token_malformed", name, token);
    }

    pub(crate) fn forged(&mut self, name: impl Into<String>, token: impl Into<String>) {
        self.expect("token_signature_invalid", name, token);
    }
}

/// One key of each type, each with a name.
pub(crate) fn mixed_set(algorithms: &[&str]) -> VerifierBuilder {
    let mut keys = vec![
        support::named(support::jwk(Algorithm::HS256), "secret"),
        support::named(support::jwk(Algorithm::RS256), "rsa"),
        support::named(support::jwk(Algorithm::ES256), "ec"),
        support::named(support::jwk(Algorithm::ES384), "ec-384"),
        support::named(support::jwk(Algorithm::EdDSA), "ed"),
    ];
    if ALGORITHMS.contains(&Algorithm::ES512) {
        keys.push(support::named(support::jwk(Algorithm::ES512), "ec-521"));
    }
    Verifier::builder()
        .jwks(support::key_set(&keys))
        .algorithms(algorithms)
}

/// The good claims with one of them replaced by any JSON, or by what is none.
pub(crate) fn claims_with(name: &str, json: &str) -> String {
    let rest = without(name);
    format!(r#"{{"{name}":{json},{}"#, &rest[1..])
}

/// The good claims with more members, as they stand in the JSON.
pub(crate) fn claims_and(members: &str) -> String {
    format!("{},{members}}}", CLAIMS.trim_end_matches('}'))
}

pub(crate) fn without(name: &str) -> String {
    let mut claims: Map<String, Value> = serde_json::from_str(CLAIMS).unwrap();
    claims.remove(name);
    Value::Object(claims).to_string()
}

/// `header.payload.signature` with one segment exchanged.
pub(crate) fn exchange(token: &str, position: usize, segment: &str) -> String {
    let mut segments = support::split(token);
    segments[position] = segment;
    segments.join(".")
}

/// With other bytes in one segment.
pub(crate) fn exchange_bytes(
    token: &str,
    position: usize,
    change: impl FnOnce(&mut Vec<u8>),
) -> String {
    let mut bytes = support::decode(support::split(token)[position]);
    change(&mut bytes);
    exchange(token, position, &encode(bytes))
}
