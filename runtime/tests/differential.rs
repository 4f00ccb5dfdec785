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

use jsonwebtoken::{DecodingKey, Validation};
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

use support::{Algorithm, Signer, der, fixture, split, verify};

/// What signs the tokens of both.
struct Signers {
    ours: Signer,
    /// The `alg` of our tokens.
    alg: &'static str,
    /// Another one if jsonwebtoken does not know `alg`. Then `decode` gets the same header and
    /// claims, with another `alg` and signature.
    theirs: Signer,
}

impl Signers {
    fn new(alg: &'static str) -> Self {
        let [ours, theirs] = match alg {
            "Ed25519" => [Algorithm::EdDSA; 2],
            "ES512" => [Algorithm::ES512, Algorithm::ES384],
            _ => [Algorithm::named(alg); 2],
        };
        Self {
            ours: Signer::new(ours),
            alg,
            theirs: Signer::new(theirs),
        }
    }

    fn sign(&self, header: &str, claims: &str) -> Tokens {
        let ours = self.ours.sign(header, claims);
        let their_alg = support::name_of(self.theirs.algorithm);
        if their_alg == self.alg {
            return Tokens {
                theirs: ours.clone(),
                ours,
            };
        }
        let theirs = self
            .theirs
            .sign(header.replace(self.alg, &their_alg), claims);
        Tokens { ours, theirs }
    }
}

/// The same token for both.
struct Tokens {
    ours: String,
    theirs: String,
}

/// The crate's verifier, and the key and validation of `jsonwebtoken`, with the same rules.
struct Pair {
    ours: Verifier,
    token_type: Option<&'static str>,
    key: DecodingKey,
    validation: Validation,
}

impl Pair {
    fn new(signers: &Signers, token_type: Option<&'static str>) -> Self {
        let ours = support::verifier_of(signers.ours.algorithm)
            .algorithm(signers.alg)
            .issuer("https://issuer.test")
            .audience("chat");
        let ours = match token_type {
            Some(kind) => ours.token_type(kind),
            None => ours,
        };
        let ours = ours.build().unwrap();
        let algorithm = signers.theirs.algorithm;
        let key = match algorithm {
            Algorithm::ES384 => DecodingKey::from_ec_der(&der(fixture!("p384.pem"))[23..]),
            Algorithm::ES256 => DecodingKey::from_ec_der(&der(fixture!("p256.pem"))[26..]),
            Algorithm::EdDSA => DecodingKey::from_ed_der(&der(fixture!("ed25519.pem"))[12..]),
            Algorithm::RS256 => DecodingKey::from_rsa_der(&der(fixture!("rsa.pkcs1.pem"))),
            _ => DecodingKey::from_secret(support::SECRET.as_bytes()),
        };
        let mut validation = Validation::new(algorithm.of_jsonwebtoken());
        validation.validate_nbf = true;
        validation.set_issuer(&["https://issuer.test"]);
        validation.set_audience(&["chat"]);
        // Here a claim is required as soon as its value is set.
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self {
            ours,
            token_type,
            key,
            validation,
        }
    }

    /// The row that a token falls under, or which of the two took it.
    fn compare(&self, tokens: &Tokens) -> Result<&'static str, TestCaseError> {
        let token = &tokens.ours;
        let theirs = jsonwebtoken::decode::<Value>(&tokens.theirs, &self.key, &self.validation);
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
            (Ok(_), Err(error)) => row(token, self.token_type).ok_or_else(|| {
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
fn row(token: &str, token_type: Option<&str>) -> Option<&'static str> {
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
    } else if !is_accepted_kind(header.get("typ"), token_type) {
        Some("does not compare typ")
    } else {
        None
    }
}

/// RFC 7515 §4.1.9: a media type, whose `application/` may be left out.
fn is_accepted_kind(typ: Option<&Value>, token_type: Option<&str>) -> bool {
    const OTHERS: [&str; 4] = [
        "logout+jwt",
        "dpop+jwt",
        "secevent+jwt",
        "token-introspection+jwt",
    ];
    let kind = typ.and_then(Value::as_str).map(|typ| {
        let kind = typ.to_ascii_lowercase();
        let kind = kind.split(';').next().unwrap_or_default().trim().to_owned();
        kind.trim_start_matches("application/").to_owned()
    });

    match token_type {
        Some(_) => kind.as_deref() == token_type,
        None => kind.is_none_or(|kind| !OTHERS.contains(&kind.as_str())),
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

fn run(cases: u32, alg: &'static str, token_type: Option<&'static str>) -> Tally {
    let (signers, tally) = (Signers::new(alg), Tally::default());
    let pair = Pair::new(&signers, token_type);
    let config = Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    };
    let tokens = (
        almost::headers(alg.to_owned()),
        almost::claims(),
        almost::damage(),
    );
    let result = TestRunner::new(config).run(&tokens, |(header, claims, damage)| {
        let mut tokens = signers.sign(&header, &claims);
        if let Some((index, damage)) = damage {
            for token in [&mut tokens.ours, &mut tokens.theirs] {
                *token = damage.apply(token, index);
            }
        }
        tally.count(pair.compare(&tokens)?);
        Ok(())
    });
    tally.print(alg);
    if let Err(error) = result {
        panic!("{error}");
    }
    tally
}

#[test]
fn what_decode_refuses_is_refused_with_a_secret() {
    let tally = run(6000, "HS256", None);
    for row in [
        "taken by both",
        "refused by both",
        "ignores crit",
        "ignores b64, zip, enc",
        "takes alg as an object",
        "accepts duplicate members",
        "accepts registered claims of a wrong type",
        "does not compare typ",
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
    for (cases, alg) in [
        (500, "ES256"),
        (500, "EdDSA"),
        (500, "Ed25519"),
        (200, "RS256"),
        #[cfg(feature = "aws_lc_rs")]
        (300, "ES512"),
    ] {
        assert!(run(cases, alg, None).of("taken by both") > 0, "{alg}");
    }
}

#[test]
fn what_decode_refuses_is_refused_with_a_token_type() {
    for alg in ["HS256", "Ed25519"] {
        let tally = run(1000, alg, Some("at+jwt"));
        for row in ["taken by both", "refused by both", "does not compare typ"] {
            assert!(tally.of(row) > 0, "{alg}: no token showed: {row}");
        }
    }
}

/// `decode` has no such option, so the answers are compared with those to the same tokens without
/// it.
#[test]
fn a_token_type_refuses_the_other_types_and_nothing_else() {
    let signers = Signers::new("HS256");
    let (any, access) = (
        Pair::new(&signers, None),
        Pair::new(&signers, Some("at+jwt")),
    );
    let claims = format!(
        r#"{{"iss":"https://issuer.test","aud":"chat","exp":{}}}"#,
        support::EXP
    );

    for (typ, without, with) in [
        (r#""at+jwt""#, true, true),
        (r#""AT+JWT""#, true, true),
        (r#""application/at+jwt""#, true, true),
        (r#""JWT""#, true, false),
        (r#""at+jwt2""#, true, false),
        ("null", true, false),
        (r#""logout+jwt""#, false, false),
        (r#""application/Logout+JWT""#, false, false),
    ] {
        let tokens = signers.sign(&format!(r#"{{"alg":"HS256","typ":{typ}}}"#), &claims);
        for (pair, accepted) in [(&any, without), (&access, with)] {
            let row = if accepted {
                "taken by both"
            } else {
                "does not compare typ"
            };
            assert_eq!(pair.compare(&tokens).unwrap(), row, "{typ}");
        }
    }
}

/// The rows that have their own size, which random tokens do not reach.
#[test]
fn long_tokens_fall_under_their_row() {
    let signers = Signers::new("HS256");
    let pair = Pair::new(&signers, None);
    let claims = format!(
        r#"{{"iss":"https://issuer.test","aud":"chat","exp":{},"x":"{}"}}"#,
        support::EXP,
        "x".repeat(10_000)
    );
    assert_eq!(
        pair.compare(&signers.sign(&signers.ours.header(), &claims))
            .unwrap(),
        "verifies tokens of any size"
    );
}
