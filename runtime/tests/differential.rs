//! Header and claims are checked by this crate's own code, so it is held against
//! `jsonwebtoken::decode` here: what `decode` refuses is refused, and what only this crate refuses
//! falls under a row of the table of differences.
//!
//! `cargo test --test differential -- --nocapture` prints how many tokens fell under which row.

#[path = "support/almost.rs"]
mod almost;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::{cell::RefCell, collections::BTreeMap, fmt};

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use socketioxide_jwt_auth::Verifier;

use support::{Signer, der, fixture, split, verify};

/// The crate's verifier, and the key and validation of `jsonwebtoken`, with the same rules.
struct Pair {
    ours: Verifier,
    key: DecodingKey,
    validation: Validation,
}

impl Pair {
    fn new(algorithm: Algorithm) -> Self {
        let ours = support::verifier_of(algorithm)
            .issuer("https://issuer.test")
            .audience("chat")
            .build()
            .unwrap();
        let key = match algorithm {
            Algorithm::ES256 => DecodingKey::from_ec_der(&der(fixture!("p256.pem"))[26..]),
            Algorithm::EdDSA => DecodingKey::from_ed_der(&der(fixture!("ed25519.pem"))[12..]),
            Algorithm::RS256 => DecodingKey::from_rsa_der(&der(fixture!("rsa.pkcs1.pem"))),
            _ => DecodingKey::from_secret(support::SECRET.as_bytes()),
        };
        let mut validation = Validation::new(algorithm);
        validation.validate_nbf = true;
        validation.set_issuer(&["https://issuer.test"]);
        validation.set_audience(&["chat"]);
        // Here a claim is required as soon as its value is set.
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self {
            ours,
            key,
            validation,
        }
    }

    /// The row that a token falls under, or which of the two took it.
    fn compare(&self, token: &str) -> Result<&'static str, TestCaseError> {
        let theirs = jsonwebtoken::decode::<Value>(token, &self.key, &self.validation);
        let ours = verify(&self.ours, token);
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) => {
                prop_assert_eq!(theirs.claims, ours.claims);
                Ok("taken by both")
            }
            (Err(_), Err(_)) => Ok("refused by both"),
            (Err(error), Ok(_)) => Err(TestCaseError::fail(format!(
                "only decode refuses ({error}): {token}"
            ))),
            (Ok(_), Err(error)) => row(token).ok_or_else(|| {
                TestCaseError::fail(format!(
                    "only we refuse, and no row says why ({}): {}",
                    error.code(),
                    shown(token)
                ))
            }),
        }
    }
}

fn shown(token: &str) -> String {
    let [header, payload, _] =
        split(token).map(|segment| String::from_utf8_lossy(&support::decode(segment)).into());
    let (header, payload): (String, String) = (header, payload);
    format!("{header} {payload}")
}

/// Which difference of the table a token shows that `decode` takes.
fn row(token: &str) -> Option<&'static str> {
    let [header, payload, _] = split(token);
    let header: Members = serde_json::from_slice(&support::decode(header)).ok()?;
    let claims: Members = serde_json::from_slice(&support::decode(payload)).ok()?;
    let registered = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
    if token.len() > 8192 {
        Some("verifies tokens of any size")
    } else if header.has("crit") {
        Some("ignores crit")
    } else if ["b64", "zip", "enc"].iter().any(|name| header.has(name)) {
        Some("ignores b64, zip, enc")
    } else if header.get("alg")?.is_object() {
        Some("takes alg as an object")
    } else if header.0.iter().any(|(name, _)| header.count(name) > 1)
        || registered.iter().any(|name| claims.count(name) > 1)
    {
        Some("accepts duplicate members")
    } else if registered
        .iter()
        .any(|name| claims.get(name).is_some_and(|value| ill_typed(name, value)))
    {
        Some("accepts registered claims of a wrong type")
    } else {
        None
    }
}

fn ill_typed(name: &str, value: &Value) -> bool {
    match name {
        "exp" | "nbf" | "iat" => {
            // Beyond 64 bits is beyond any clock.
            value.as_u64().is_none()
                && !value
                    .as_f64()
                    .is_some_and(|seconds| (0.0..1.8e19).contains(&seconds))
        }
        "aud" => {
            !value.is_string()
                && !value
                    .as_array()
                    .is_some_and(|list| list.iter().all(Value::is_string))
        }
        _ => !value.is_string(),
    }
}

/// An object with all of its members, however often they are there.
struct Members(Vec<(String, Value)>);

impl Members {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    fn count(&self, name: &str) -> usize {
        self.0.iter().filter(|(own, _)| own == name).count()
    }
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[derive(Default)]
struct Tally(RefCell<BTreeMap<&'static str, usize>>);

impl Tally {
    fn count(&self, row: &'static str) {
        *self.0.borrow_mut().entry(row).or_default() += 1;
    }

    fn of(&self, row: &str) -> usize {
        self.0.borrow().get(row).copied().unwrap_or_default()
    }

    fn print(&self, title: &str) {
        println!("{title}");
        for (row, count) in self.0.borrow().iter() {
            println!("{count:>8}  {row}");
        }
    }
}

fn run(cases: u32, algorithm: Algorithm) -> Tally {
    let (pair, signer, tally) = (
        Pair::new(algorithm),
        Signer::new(algorithm),
        Tally::default(),
    );
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let tokens = (
        almost::headers(support::name_of(algorithm)),
        almost::claims(),
        almost::damage(),
    );
    let result = TestRunner::new(config).run(&tokens, |(header, claims, damage)| {
        let token = signer.sign(header, claims);
        let token = damage.map_or(token.clone(), |(index, damage)| damage.apply(&token, index));
        tally.count(pair.compare(&token)?);
        Ok(())
    });
    tally.print(&support::name_of(algorithm));
    if let Err(error) = result {
        panic!("{error}");
    }
    tally
}

#[test]
fn what_decode_refuses_is_refused_with_a_secret() {
    let tally = run(6000, Algorithm::HS256);
    for row in [
        "taken by both",
        "refused by both",
        "ignores crit",
        "ignores b64, zip, enc",
        "takes alg as an object",
        "accepts duplicate members",
        "accepts registered claims of a wrong type",
    ] {
        assert!(tally.of(row) > 0, "no token showed: {row}");
    }
    assert!(
        tally.of("taken by both") > 600,
        "most tokens should be almost right"
    );
}

#[test]
fn what_decode_refuses_is_refused_with_a_public_key() {
    for (cases, algorithm) in [
        (500, Algorithm::ES256),
        (500, Algorithm::EdDSA),
        (200, Algorithm::RS256),
    ] {
        assert!(run(cases, algorithm).of("taken by both") > 0);
    }
}

/// The rows that have their own size, which random tokens do not reach.
#[test]
fn long_tokens_fall_under_their_row() {
    let (pair, signer) = (Pair::new(Algorithm::HS256), Signer::new(Algorithm::HS256));
    let claims = format!(
        r#"{{"iss":"https://issuer.test","aud":"chat","exp":{},"x":"{}"}}"#,
        support::EXP,
        "x".repeat(10_000)
    );
    assert_eq!(
        pair.compare(&signer.sign(signer.header(), claims)).unwrap(),
        "verifies tokens of any size"
    );
}
