//! Whatever comes in: no panic, and not one bit of a token may change.

#[path = "support/almost.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod almost;
#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::{collections::HashMap, sync::LazyLock};

use futures_util::FutureExt;
use pem::Pem;
use proptest::{collection::vec, prelude::*, sample::select};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use socketioxide_jwt_auth::{KeySet, KeySource, Verifier};

use support::{
    ALGORITHMS, Algorithm, Signer, der, encode, fixture, jwk, key_set, name_of, named, outcome,
    split,
};

static VERIFIERS: LazyLock<Vec<Verifier>> = LazyLock::new(|| {
    let mut verifiers: Vec<_> = ALGORITHMS
        .iter()
        .copied()
        .map(|algorithm| support::verifier_of(algorithm).build().unwrap())
        .collect();
    let keys: Vec<_> = ALGORITHMS
        .iter()
        .copied()
        .map(|algorithm| named(jwk(algorithm), &name_of(algorithm)))
        .collect();
    let names: Vec<_> = ALGORITHMS.iter().copied().map(name_of).collect();
    verifiers.push(
        Verifier::builder()
            .jwks(key_set(&keys))
            .algorithms(names)
            .build()
            .unwrap(),
    );
    verifiers
});

/// A token of each algorithm, with the verifier that takes it.
static TOKENS: LazyLock<Vec<(Verifier, String)>> = LazyLock::new(|| {
    let tokens = ALGORITHMS
        .iter()
        .copied()
        .map(|algorithm| Signer::new(algorithm).token(&claims()));
    VERIFIERS.iter().cloned().zip(tokens).collect()
});

fn claims() -> Value {
    json!({"sub": "1", "exp": support::EXP})
}

fn refused_by_all(token: &str) {
    for verifier in VERIFIERS.iter() {
        assert_ne!(outcome(verifier, token), "accepted");
    }
}

/// As many shapes of claims as serde has ways of reading an object.
fn read_in_every_shape(token: &str) {
    #[derive(serde::Deserialize)]
    #[allow(dead_code, reason = "only its reading is of interest")]
    struct Plain {
        sub: String,
        #[serde(default)]
        exp: Option<f64>,
    }
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code, reason = "only its reading is of interest")]
    struct Flat {
        exp: u64,
        #[serde(flatten)]
        rest: Plain,
    }
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code, reason = "only its reading is of interest")]
    enum Either {
        Plain(Plain),
        Any(HashMap<String, Value>),
    }
    #[derive(serde::Deserialize)]
    #[serde(tag = "sub")]
    #[allow(dead_code, reason = "only its reading is of interest")]
    enum Tagged {
        #[serde(rename = "1")]
        One { exp: u64 },
    }
    fn read<C: DeserializeOwned>(token: &str) {
        drop(VERIFIERS[0].verify::<C>(token).now_or_never().unwrap());
    }
    read::<Value>(token);
    read::<Plain>(token);
    read::<Flat>(token);
    read::<Either>(token);
    read::<Tagged>(token);
    read::<Option<Plain>>(token);
    read::<HashMap<u64, String>>(token);
    read::<()>(token);
    read::<Vec<u8>>(token);
    read::<String>(token);
    read::<serde::de::IgnoredAny>(token);
}

/// A text that holds more of JSON's own characters than chance would give it.
fn jsonish() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\\",
        "\\u",
        "\\ud800",
        "null",
        "true",
        "-",
        "1e400",
        "0",
        ".5",
        " ",
        "\u{0}",
        "\"alg\"",
        "\"HS256\"",
        "\"kid\"",
        "\"crit\"",
        "\"exp\"",
        "4102444800",
        "\"aud\"",
        "\"iss\"",
        "\"sub\"",
        "\"$serde_json::private::RawValue\"",
        "\"$serde_json::private::Number\"",
        "\"x\"",
        "é",
        "\u{feff}",
    ]);
    vec(pieces, 0..40).prop_map(|pieces| pieces.concat())
}

/// Any JSON value.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        select(vec![
            "RSA", "EC", "OKP", "oct", "sig", "enc", "verify", "P-256", "P-384", "Ed25519", "AQAB"
        ])
        .prop_map(Value::from),
        vec(any::<u8>(), 0..70).prop_map(|bytes| Value::from(encode(bytes))),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        let names = prop_oneof![Just("exp".to_owned()), Just("aud".to_owned()), ".*"];
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::hash_map(names, inner, 0..5)
                .prop_map(|object| object.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

/// A key of the fixtures with some members exchanged, added or taken away.
fn keys() -> impl Strategy<Value = Value> {
    let names = select(vec![
        "kty", "use", "key_ops", "alg", "kid", "crv", "n", "e", "x", "y", "k", "d", "x5c",
    ]);
    let changes = vec((names, prop::option::of(values())), 0..3);
    (select(ALGORITHMS.to_vec()), changes).prop_map(|(algorithm, changes)| {
        let mut key = jwk(algorithm);
        for (name, value) in changes {
            match value {
                Some(value) => key[name] = value,
                None => drop(key.as_object_mut().unwrap().remove(name)),
            }
        }
        key
    })
}

fn use_keys(keys: KeySet) {
    struct Fixed(std::sync::Arc<KeySet>);

    impl KeySource for Fixed {
        async fn keys(
            &self,
            _: socketioxide_jwt_auth::KeyRequest<'_>,
        ) -> Result<std::sync::Arc<KeySet>, socketioxide_jwt_auth::AuthError> {
            Ok(std::sync::Arc::clone(&self.0))
        }
    }

    let algorithms: Vec<_> = ALGORITHMS.iter().copied().map(name_of).collect();
    let verifier = Verifier::builder()
        .keys(Fixed(keys.into()))
        .algorithms(algorithms)
        .build()
        .unwrap();
    for (_, token) in TOKENS.iter() {
        outcome(&verifier, token);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_as_a_token_is_refused(token in ".*", dotted in "[A-Za-z0-9_=.+/-]{0,200}") {
        refused_by_all(&token);
        refused_by_all(&dotted);
    }

    #[test]
    fn any_three_segments_are_refused(segments in vec(vec(any::<u8>(), 0..80), 3)) {
        refused_by_all(&segments.iter().map(encode).collect::<Vec<_>>().join("."));
    }

    #[test]
    fn any_header_is_read(bytes in vec(any::<u8>(), 0..80), text in jsonish(), value in values()) {
        let signer = Signer::new(Algorithm::HS256);
        for header in [bytes, text.into_bytes(), value.to_string().into_bytes()] {
            for verifier in VERIFIERS.iter() {
                outcome(verifier, &signer.sign(&header, claims().to_string()));
            }
        }
    }

    #[test]
    fn any_claims_are_read(bytes in vec(any::<u8>(), 0..80), text in jsonish(), value in values(), almost in almost::claims()) {
        let signer = Signer::new(Algorithm::HS256);
        let object = json!({"sub": "1", "exp": support::EXP, "x": value}).to_string();
        for payload in [bytes, text.clone().into_bytes(), format!("{{{text}}}").into_bytes(), object.into(), almost.into()] {
            read_in_every_shape(&signer.sign(signer.header(), payload));
        }
    }

    #[test]
    fn any_key_set_is_read(text in jsonish(), bare in ".*", keys in vec(keys(), 0..5), other in values()) {
        drop(KeySet::from_jwks(bare));
        drop(KeySet::from_jwks(&text));
        drop(KeySet::from_jwks(format!(r#"{{"keys":[{text}]}}"#)));
        drop(KeySet::from_jwks(json!({"keys": other}).to_string()));
        if let Ok(keys) = KeySet::from_jwks(key_set(&keys)) {
            use_keys(keys);
        }
    }

    #[test]
    fn any_bytes_as_pem_are_read(bytes in vec(any::<u8>(), 0..300), label in "[A-Z0-9 ]{0,20}") {
        drop(KeySet::from_pem(&bytes));
        for label in ["PUBLIC KEY", "RSA PUBLIC KEY", "CERTIFICATE", &label] {
            drop(KeySet::from_pem(pem::encode(&Pem::new(label, bytes.as_slice()))));
        }
    }

    #[test]
    fn damaged_keys_are_read(
        pem in select(vec![
            ("PUBLIC KEY", fixture!("rsa.pem")),
            ("RSA PUBLIC KEY", fixture!("rsa.pkcs1.pem")),
            ("CERTIFICATE", fixture!("rsa.cert.pem")),
            ("PUBLIC KEY", fixture!("p256.pem")),
            ("CERTIFICATE", fixture!("p384.cert.pem")),
            ("PUBLIC KEY", fixture!("ed25519.pem")),
        ]),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (label, pem) = pem;
        let mut bytes = der(pem);
        drop(KeySet::from_pem(pem::encode(&Pem::new(label, &bytes[..cut.index(bytes.len())]))));
        drop(KeySet::from_pem(&pem[..cut.index(pem.len())]));
        for (index, byte) in damage {
            let position = index.index(bytes.len());
            bytes[position] = byte;
        }
        if let Ok(keys) = KeySet::from_pem(pem::encode(&Pem::new(label, bytes))) {
            use_keys(keys);
        }
    }

    #[test]
    fn a_changed_bit_of_a_random_token_is_refused(
        token in 0..ALGORITHMS.len(),
        sub in ".{0,40}",
        index in any::<prop::sample::Index>(),
        bit in 0..7_u8,
    ) {
        let algorithm = ALGORITHMS[token];
        let token = Signer::new(algorithm).token(&json!({"sub": sub, "exp": support::EXP}));
        let verifier = support::verifier_of(algorithm).build().unwrap();
        prop_assert_eq!(outcome(&verifier, &token), "accepted");
        let changed = almost::Damage::Flip(bit).apply(&token, index);
        prop_assert_ne!(outcome(&verifier, &changed), "accepted");
    }
}

#[test]
fn a_changed_bit_anywhere_is_refused() {
    let mut changed = 0;
    for (verifier, token) in TOKENS.iter() {
        assert_eq!(outcome(verifier, token), "accepted");
        for position in 0..token.len() {
            // The eighth bit makes no text of a token, so that no such token can come in.
            for bit in 0..7 {
                let mut bytes = token.clone().into_bytes();
                bytes[position] ^= 1 << bit;
                assert_ne!(
                    outcome(verifier, str::from_utf8(&bytes).unwrap()),
                    "accepted",
                    "{position}, {bit}"
                );
                changed += 1;
            }
        }
    }
    println!("{changed} changed bits of the text");
}

/// All eight bits of what the text stands for.
#[test]
fn a_changed_bit_of_a_decoded_segment_is_refused() {
    let mut changed = 0;
    for (verifier, token) in TOKENS.iter() {
        for place in 0..3 {
            let bytes = support::decode(split(token)[place]);
            for position in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[position / 8] ^= 1 << (position % 8);
                let segment = encode(bytes);
                let mut segments = split(token);
                segments[place] = &segment;
                assert_ne!(
                    outcome(verifier, &segments.join(".")),
                    "accepted",
                    "{place}, {position}"
                );
                changed += 1;
            }
        }
    }
    println!("{changed} changed bits of the decoded segments");
}
