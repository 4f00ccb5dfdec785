//! The examples of the standards: [RFC 7515](https://www.rfc-editor.org/rfc/rfc7515#appendix-A) A.1
//! to A.3, [RFC 8037](https://www.rfc-editor.org/rfc/rfc8037#appendix-A.4) A.4 and [RFC
//! 7520](https://www.rfc-editor.org/rfc/rfc7520#section-4) 4.1 to 4.4.
//!
//! None of them is accepted: those of RFC 7515 expired in 2011, and the payloads of the others are
//! sentences. What they are refused with tells that their signature was good, because the signature
//! is looked at first.

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::LazyLock;

use serde_json::Value;
use socketioxide_jwt_auth::Verifier;

use support::{decode, encode, fixture, key_set, outcome, split};

static VECTORS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(fixture!("rfc.json")).unwrap());

fn text<'a>(vector: &'a Value, member: &str) -> &'a str {
    vector[member].as_str().unwrap()
}

fn supported() -> impl Iterator<Item = (&'static Value, Verifier)> {
    VECTORS["supported"]
        .as_array()
        .unwrap()
        .iter()
        .map(|vector| {
            let keys = Verifier::builder().jwks(key_set(&[vector["key"].clone()]));
            (
                vector,
                keys.algorithm(text(vector, "algorithm")).build().unwrap(),
            )
        })
}

#[test]
fn their_signatures_are_good() {
    for (vector, verifier) in supported() {
        assert_eq!(
            outcome(&verifier, text(vector, "token")),
            text(vector, "outcome"),
            "{}",
            vector["name"]
        );
    }
    assert_eq!(supported().count(), 7);
}

#[test]
fn a_changed_bit_of_a_signature_makes_it_a_bad_one() {
    for (vector, verifier) in supported() {
        let [header, payload, signature] = split(text(vector, "token"));
        let mut changed = decode(signature);
        changed[0] ^= 1;
        let token = format!("{header}.{payload}.{}", encode(changed));
        assert_eq!(
            outcome(&verifier, &token),
            "token_signature_invalid",
            "{}",
            vector["name"]
        );
    }
}

/// The other backend does not have ES512.
#[cfg(feature = "aws_lc_rs")]
#[test]
fn the_signature_with_es512_is_good_and_a_changed_one_is_not() {
    let vector = &VECTORS["es512"];
    let keys = Verifier::builder().jwks(key_set(&[vector["key"].clone()]));
    let verifier = keys.algorithm("ES512").build().unwrap();
    let token = text(vector, "token");
    assert_eq!(outcome(&verifier, token), text(vector, "outcome"));

    let [header, payload, signature] = split(token);
    for position in [0, 1, 65, 66, 67, 131] {
        let mut changed = decode(signature);
        changed[position] ^= 1;
        let token = format!("{header}.{payload}.{}", encode(changed));
        assert_eq!(outcome(&verifier, &token), "token_signature_invalid");
    }
}

#[cfg(not(feature = "aws_lc_rs"))]
#[test]
fn es512_is_refused_with_its_key_and_its_token() {
    let vector = &VECTORS["es512"];
    let error = socketioxide_jwt_auth::KeySet::from_jwks(key_set(&[vector["key"].clone()]));
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("ES512 needs the feature aws_lc_rs"),
        "{error}"
    );
    let verifier = support::verifier_of(support::Algorithm::ES384)
        .build()
        .unwrap();
    assert_eq!(
        outcome(&verifier, text(vector, "token")),
        "token_algorithm_not_allowed"
    );
}
