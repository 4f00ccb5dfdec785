//! The deepest JSON that is taken, on a thread with a stack of 256 KiB, and the next deeper one
//! that is refused.

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::{collections::HashMap, thread};

use futures_util::FutureExt;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use socketioxide_jwt_auth::{KeySet, Verifier};

use support::{Algorithm, EXP, Signer, jwk, verifier_of};

/// As documented in `security`: objects and lists, the outermost one included.
const MAX_DEPTH: usize = 64;

const STACK: usize = 256 * 1024;

/// Every way of being deep: lists, objects, and both in turns.
const SHAPES: [(&str, &str); 3] = [("[", "]"), (r#"{"a":"#, "}"), (r#"[{"a":"#, "}]")];

fn on_a_small_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    thread::Builder::new()
        .stack_size(STACK)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap()
}

/// A value that is nested this deep.
fn nested(depth: usize, (open, close): (&str, &str)) -> String {
    let each = open.matches(['[', '{']).count();
    let rest = if depth.is_multiple_of(each) {
        "1".to_owned()
    } else {
        "[1]".to_owned()
    };
    format!(
        "{}{rest}{}",
        open.repeat(depth / each),
        close.repeat(depth / each)
    )
}

/// The outcome of a token whose claims are nested this deep, read as `C`.
fn outcome_of_claims<C: DeserializeOwned + Send + 'static>(
    depth: usize,
    shape: (&str, &str),
) -> &'static str {
    let signer = Signer::new(Algorithm::HS256);
    let claims = format!(
        r#"{{"exp":{EXP},"rest":{{"x":{}}}}}"#,
        nested(depth - 2, shape)
    );
    let token = signer.sign(signer.header(), claims);
    on_a_small_stack(move || {
        let verifier = verifier_of(Algorithm::HS256)
            .max_token_bytes(1 << 20)
            .build()
            .unwrap();
        let verified = verifier.verify::<C>(&token).now_or_never().unwrap();
        verified.map_or_else(|error| error.code().as_str(), |_| "accepted")
    })
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its reading is of interest")]
struct Flat {
    exp: u64,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its reading is of interest")]
enum Untagged {
    Text(String),
    Any(HashMap<String, Value>),
}

/// Fails at the deepest place.
#[derive(Deserialize)]
#[allow(dead_code, reason = "only its reading is of interest")]
struct Recursive {
    exp: u64,
    rest: HashMap<String, Nested>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its reading is of interest")]
struct Nested {
    a: Option<Box<Self>>,
    missing: u8,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its reading is of interest")]
struct Lists {
    exp: u64,
    rest: HashMap<String, List>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its reading is of interest")]
struct List(Vec<Self>);

#[derive(Deserialize)]
#[allow(dead_code, reason = "only its reading is of interest")]
struct FlatAndMissing {
    missing: u64,
    #[serde(flatten)]
    rest: HashMap<String, Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its reading is of interest")]
enum NoVariant {
    Text(String),
    Number(u64),
}

/// What is wrong with claims that the application's type refuses is looked for in them once more.
#[test]
fn the_deepest_claims_that_are_not_of_the_type_are_refused() {
    for shape in SHAPES {
        for (read, name) in [
            (
                outcome_of_claims::<Recursive> as fn(usize, (&str, &str)) -> &'static str,
                "recursive",
            ),
            (outcome_of_claims::<Lists>, "lists"),
            (outcome_of_claims::<FlatAndMissing>, "flatten"),
            (outcome_of_claims::<NoVariant>, "untagged"),
        ] {
            assert_eq!(
                read(MAX_DEPTH, shape),
                "token_claims_invalid",
                "{name}: {shape:?}"
            );
        }
    }
}

#[test]
fn the_deepest_claims_are_read_and_deeper_ones_refused() {
    for shape in SHAPES {
        for (read, name) in [
            (
                outcome_of_claims::<Value> as fn(usize, (&str, &str)) -> &'static str,
                "Value",
            ),
            (outcome_of_claims::<Flat>, "flatten"),
            (outcome_of_claims::<Untagged>, "untagged"),
            (outcome_of_claims::<serde::de::IgnoredAny>, "ignored"),
        ] {
            assert_eq!(read(MAX_DEPTH, shape), "accepted", "{name}: {shape:?}");
            assert_eq!(
                read(MAX_DEPTH + 1, shape),
                "token_malformed",
                "{name}: {shape:?}"
            );
            assert_eq!(read(3000, shape), "token_malformed", "{name}: {shape:?}");
        }
    }
}

#[test]
fn the_deepest_header_is_read_and_deeper_ones_refused() {
    let outcome = |member: String| {
        let header = format!(r#"{{"alg":"HS256",{member}}}"#);
        let token = Signer::new(Algorithm::HS256).sign(header, format!(r#"{{"exp":{EXP}}}"#));
        let verifier = verifier_of(Algorithm::HS256)
            .max_token_bytes(1 << 20)
            .build()
            .unwrap();
        on_a_small_stack(move || support::outcome(&verifier, &token))
    };
    let unknown = |depth: usize, shape| outcome(format!(r#""x":{}"#, nested(depth - 1, shape)));
    // jsonwebtoken reads this one through two buffers of serde.
    let key = |depth: usize, shape| {
        outcome(format!(
            r#""jwk":{{"kty":"oct","k":"AA","x":{}}}"#,
            nested(depth - 2, shape)
        ))
    };

    for shape in SHAPES {
        for read in [
            &unknown as &dyn Fn(usize, (&'static str, &'static str)) -> &'static str,
            &key,
        ] {
            assert_eq!(read(MAX_DEPTH, shape), "accepted", "{shape:?}");
            assert_eq!(read(MAX_DEPTH + 1, shape), "token_malformed", "{shape:?}");
            assert_eq!(read(3000, shape), "token_malformed", "{shape:?}");
        }
    }
}

/// Only the key that is too deep is left out: an issuer's other keys must go on to verify.
#[test]
fn the_deepest_jwk_is_read_and_deeper_ones_are_left_out_of_their_set() {
    // The depth counts from the key on.
    let read = |depth: usize, shape| {
        let mut key = jwk(Algorithm::EdDSA).to_string();
        key.truncate(key.len() - 1);
        let set = format!(
            r#"{{"keys":[{key},"deep":{}}}]}}"#,
            nested(depth - 1, shape)
        );
        on_a_small_stack(move || {
            let keys = KeySet::from_jwks(&set).map(drop);
            let verifier = Verifier::builder()
                .jwks(set)
                .algorithm("EdDSA")
                .build()
                .map(drop);
            assert_eq!(keys.is_ok(), verifier.is_ok());
            keys.map_err(|error| error.to_string())
        })
    };
    for shape in SHAPES {
        read(MAX_DEPTH, shape).unwrap();
        assert!(
            read(MAX_DEPTH + 1, shape)
                .unwrap_err()
                .contains("no usable key"),
            "{shape:?}"
        );
        assert!(
            read(250_000, shape).unwrap_err().contains("no usable key"),
            "{shape:?}"
        );
    }
}
