//! Keys from JWK Sets.

use serde_json::{Value, json};
use socketioxide_jwt_auth::{KeySet, Verifier, VerifierBuilder};

use super::{
    claims, refuses,
    support::{
        ALGORITHMS, Algorithm, Signer, encode, fixture, jwk, jwk_of_pem, key_set, name_of, named,
        outcome,
    },
};

fn with_keys(keys: &[Value], algorithms: &[&str]) -> VerifierBuilder {
    Verifier::builder()
        .jwks(key_set(keys))
        .algorithms(algorithms)
}

fn changed(algorithm: Algorithm, change: impl FnOnce(&mut Value)) -> Value {
    let mut key = jwk(algorithm);
    change(&mut key);
    key
}

fn with(algorithm: Algorithm, name: &str, value: impl Into<Value>) -> Value {
    changed(algorithm, |key| key[name] = value.into())
}

#[test]
fn every_type_of_key_verifies() {
    for &algorithm in ALGORITHMS {
        let name = name_of(algorithm);
        let token = Signer::new(algorithm).token(&claims());
        for key in [
            jwk(algorithm),
            with(algorithm, "alg", name.as_str()),
            with(algorithm, "use", "sig"),
            with(algorithm, "key_ops", json!(["verify"])),
            with(algorithm, "key_ops", json!(["sign", "verify"])),
            with(algorithm, "kid", "a"),
            with(algorithm, "x5c", json!(["not looked at"])),
            with(algorithm, "an unknown member", 1),
        ] {
            let verifier = with_keys(std::slice::from_ref(&key), &[&name])
                .build()
                .unwrap();
            assert_eq!(outcome(&verifier, &token), "accepted", "{key}");
        }
    }
}

/// A set keeps its good keys, so each of these is tested next to one.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn keys_that_cannot_be_used_are_left_out() {
    let good = named(jwk(Algorithm::EdDSA), "good");
    let ed25519 = |x: Vec<u8>| with(Algorithm::EdDSA, "x", encode(x));
    let p256 = |name, length| with(Algorithm::ES256, name, encode(vec![1; length]));
    let broken = [
        ("encryption", with(Algorithm::RS256, "use", "enc")),
        ("use of another case", with(Algorithm::RS256, "use", "SIG")),
        (
            "encryption by key_ops",
            with(Algorithm::RS256, "key_ops", json!(["encrypt", "wrapKey"])),
        ),
        (
            "signing only",
            with(Algorithm::RS256, "key_ops", json!(["sign"])),
        ),
        ("no operation", with(Algorithm::RS256, "key_ops", json!([]))),
        (
            "key_ops is not a list",
            with(Algorithm::RS256, "key_ops", "verify"),
        ),
        (
            "alg of another type",
            with(Algorithm::RS256, "alg", "ES256"),
        ),
        (
            "alg of another curve",
            with(Algorithm::ES256, "alg", "ES384"),
        ),
        (
            "alg is HMAC on a public key",
            with(Algorithm::RS256, "alg", "HS256"),
        ),
        ("alg is none", with(Algorithm::RS256, "alg", "none")),
        (
            "alg for encryption",
            with(Algorithm::RS256, "alg", "RSA-OAEP-256"),
        ),
        ("alg is ES512", with(Algorithm::ES256, "alg", "ES512")),
        ("unknown kty", with(Algorithm::RS256, "kty", "AKP")),
        ("kty of another case", with(Algorithm::RS256, "kty", "rsa")),
        ("kty of another type", with(Algorithm::RS256, "kty", "EC")),
        ("kty is not a string", with(Algorithm::RS256, "kty", 1)),
        ("kid is not a string", with(Algorithm::RS256, "kid", 1)),
        (
            "curve secp256k1",
            with(Algorithm::ES256, "crv", "secp256k1"),
        ),
        ("curve P-521", with(Algorithm::ES256, "crv", "P-521")),
        (
            "curve of the other length",
            with(Algorithm::ES256, "crv", "P-384"),
        ),
        (
            "curve of the other length",
            with(Algorithm::ES384, "crv", "P-256"),
        ),
        ("curve Ed448", with(Algorithm::EdDSA, "crv", "Ed448")),
        ("curve X25519", with(Algorithm::EdDSA, "crv", "X25519")),
        (
            "no curve",
            changed(Algorithm::ES256, |key| {
                drop(key.as_object_mut().unwrap().remove("crv"));
            }),
        ),
        ("x of 31 bytes", p256("x", 31)),
        ("x of 33 bytes", p256("x", 33)),
        ("y of 0 bytes", p256("y", 0)),
        ("x and y of 31 and 33 bytes", {
            changed(Algorithm::ES256, |key| {
                (key["x"], key["y"]) = (encode([1; 31]).into(), encode([1; 33]).into());
            })
        }),
        (
            "a point that is not on its curve",
            with(Algorithm::ES256, "y", encode([1; 32])),
        ),
        (
            "a point that is not on its curve",
            with(Algorithm::ES384, "y", encode([1; 48])),
        ),
        (
            "no y",
            changed(Algorithm::ES256, |key| {
                drop(key.as_object_mut().unwrap().remove("y"));
            }),
        ),
        ("Ed25519 x of 0 bytes", ed25519(vec![])),
        ("Ed25519 x of 31 bytes", ed25519(vec![1; 31])),
        ("Ed25519 x of 33 bytes", ed25519(vec![1; 33])),
        (
            "Ed25519 x is not a string",
            with(Algorithm::EdDSA, "x", json!([1])),
        ),
        (
            "Ed25519 x with padding",
            with(
                Algorithm::EdDSA,
                "x",
                "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            ),
        ),
        (
            "n of 1024 bits",
            with(Algorithm::RS256, "n", encode([0xff; 128])),
        ),
        (
            "n of 8200 bits",
            with(Algorithm::RS256, "n", encode([0xff; 1025])),
        ),
        ("n is empty", with(Algorithm::RS256, "n", "")),
        ("n of zeros", with(Algorithm::RS256, "n", encode([0; 256]))),
        (
            "n in plain base64",
            with(Algorithm::RS256, "n", "+/+/".repeat(90)),
        ),
        ("e is one", with(Algorithm::RS256, "e", "AQ")),
        ("e is even", with(Algorithm::RS256, "e", "Ag")),
        ("e is zero", with(Algorithm::RS256, "e", "AA")),
        ("e is empty", with(Algorithm::RS256, "e", "")),
        (
            "e is huge",
            with(Algorithm::RS256, "e", encode([0xff; 256])),
        ),
        (
            "no e",
            changed(Algorithm::RS256, |key| {
                drop(key.as_object_mut().unwrap().remove("e"));
            }),
        ),
        (
            "a weak secret",
            with(Algorithm::HS256, "k", encode([1; 31])),
        ),
        ("an empty secret", with(Algorithm::HS256, "k", "")),
        ("a secret that is too short for its alg", {
            changed(Algorithm::HS256, |key| {
                (key["k"], key["alg"]) = (encode([1; 32]).into(), "HS512".into());
            })
        }),
        ("no secret", json!({"kty": "oct"})),
        ("an empty object", json!({})),
        ("null", Value::Null),
        ("a string", "key".into()),
        ("a list", json!([jwk(Algorithm::RS256)])),
    ];

    let token = Signer::new(Algorithm::EdDSA).token(&claims());

    for (name, key) in broken {
        let keys = [key.clone(), good.clone()];
        let verifier = with_keys(&keys, &["EdDSA"])
            .build()
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(outcome(&verifier, &token), "accepted", "{name}");
        let alone = refuses(
            with_keys(&[key], &["EdDSA", "RS256"]),
            "jwks: no usable key (key 1: ",
            "add one",
        );
        assert!(!alone.contains("key 2"), "{name}: {alone}");
    }
}

#[test]
fn a_malformed_set_is_refused() {
    for (name, json) in [
        ("nothing", ""),
        ("no JSON", "keys"),
        ("null", "null"),
        ("a list", "[]"),
        ("no keys", "{}"),
        ("keys is null", r#"{"keys":null}"#),
        ("keys is an object", r#"{"keys":{}}"#),
        ("keys twice", r#"{"keys":[],"keys":[]}"#),
        ("a letter after it", r#"{"keys":[]}x"#),
        (
            "a single key",
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
        ),
        ("nested without end", &"[".repeat(100_000)),
        (
            "nested without end in a key",
            &format!(r#"{{"keys":[{}"#, r#"{"a":"#.repeat(100_000)),
        ),
    ] {
        let builder = Verifier::builder().jwks(json).algorithm("EdDSA");
        let text = refuses(builder, "jwks", r#"{"keys": [...]}"#);
        assert!(text.len() < 500, "{name}");
    }

    refuses(with_keys(&[], &["EdDSA"]), "jwks: no usable key", "add one");
    let many: Vec<_> = (0..101)
        .map(|number| named(jwk(Algorithm::EdDSA), &number.to_string()))
        .collect();
    refuses(
        with_keys(&many, &["EdDSA"]),
        "jwks: 101 keys",
        "at most 100",
    );
    with_keys(&many[1..], &["EdDSA"]).build().unwrap();
}

/// Some issuers publish a key twice, and [RFC 7517
/// §4.5](https://www.rfc-editor.org/rfc/rfc7517#section-4.5) allows one `kid` for several types.
#[test]
fn keys_with_the_same_kid_are_told_apart_by_alg_and_kty() {
    let named = |algorithm, alg: Option<&str>| {
        let mut key = named(jwk(algorithm), "a");
        if let Some(alg) = alg {
            key["alg"] = alg.into();
        }
        key
    };
    let token = |algorithm| {
        let header = format!(r#"{{"alg":"{algorithm:?}","kid":"a"}}"#);
        Signer::new(algorithm).sign(header, claims().to_string())
    };
    let all = ["RS256", "PS256", "ES256", "EdDSA"];

    for (keys, accepted) in [
        (
            vec![named(Algorithm::EdDSA, None), named(Algorithm::EdDSA, None)],
            vec![Algorithm::EdDSA],
        ),
        (
            vec![
                named(Algorithm::RS256, Some("RS256")),
                named(Algorithm::RS256, Some("PS256")),
            ],
            vec![Algorithm::RS256, Algorithm::PS256],
        ),
        (
            vec![
                named(Algorithm::RS256, None),
                named(Algorithm::ES256, None),
                named(Algorithm::EdDSA, Some("EdDSA")),
            ],
            vec![
                Algorithm::RS256,
                Algorithm::PS256,
                Algorithm::ES256,
                Algorithm::EdDSA,
            ],
        ),
        (
            vec![
                named(Algorithm::RS256, Some("RS256")),
                named(Algorithm::ES256, Some("ES256")),
            ],
            vec![Algorithm::RS256, Algorithm::ES256],
        ),
    ] {
        let names: Vec<_> = accepted.iter().copied().map(name_of).collect();
        for keys in [keys.clone(), keys.iter().rev().cloned().collect::<Vec<_>>()] {
            let names: Vec<_> = names.iter().map(String::as_str).collect();
            let verifier = with_keys(&keys, &names).build().unwrap();
            for algorithm in &accepted {
                assert_eq!(
                    outcome(&verifier, &token(*algorithm)),
                    "accepted",
                    "{algorithm:?}: {keys:?}"
                );
            }
        }
    }

    // `alg` binds each key, also beside another of the same `kid`.
    let keys = [
        named(Algorithm::RS256, Some("RS256")),
        named(Algorithm::ES256, None),
        named(Algorithm::EdDSA, None),
    ];
    let others = [keys.as_slice(), &[ps256_under_another_kid()]].concat();
    let verifier = with_keys(&others, &all).build().unwrap();
    assert_eq!(
        outcome(&verifier, &token(Algorithm::PS256)),
        "token_algorithm_not_allowed"
    );
}

/// A key for PS256 under another `kid`.
fn ps256_under_another_kid() -> Value {
    let mut key = named(jwk_of_pem(fixture!("rsa-other.pem")), "b");
    key["alg"] = "PS256".into();
    key
}

#[test]
fn each_of_several_keys_with_the_same_kid_and_type_is_tried() {
    let keys = [
        named(jwk_of_pem(fixture!("p256-other.pem")), "a"),
        named(jwk(Algorithm::ES256), "a"),
    ];
    let header = r#"{"alg":"ES256","kid":"a"}"#;
    let verifier = with_keys(&keys, &["ES256"]).build().unwrap();

    for signer in [
        Signer::new(Algorithm::ES256),
        Signer::foreign(Algorithm::ES256),
    ] {
        let token = signer.sign(header, claims().to_string());
        assert_eq!(outcome(&verifier, &token), "accepted");
    }

    let verifier = with_keys(&keys[..1], &["ES256"]).build().unwrap();
    let token = Signer::new(Algorithm::ES256).sign(header, claims().to_string());
    assert_eq!(outcome(&verifier, &token), "token_signature_invalid");
}

#[test]
fn a_byte_order_mark_before_a_set_is_dropped() {
    let json = key_set(&[jwk(Algorithm::EdDSA)]);
    let set = |json: String| Verifier::builder().jwks(json).algorithm("EdDSA");
    set(format!("\u{feff}{json}")).build().unwrap();
    KeySet::from_jwks(format!("\u{feff}{json}")).unwrap();

    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("bom.json");
    std::fs::write(&path, format!("\u{feff}{json}\r\n")).unwrap();
    let verifier = Verifier::builder()
        .jwks_file(&path)
        .algorithm("EdDSA")
        .build()
        .unwrap();
    let token = Signer::new(Algorithm::EdDSA).token(&claims());
    assert_eq!(outcome(&verifier, &token), "accepted");

    // One of them, and at the beginning only.
    for json in [
        format!("\u{feff}\u{feff}{json}"),
        format!(" \u{feff}{json}"),
        format!("{json}\u{feff}"),
    ] {
        refuses(set(json), "jwks", "not a JWK Set");
    }
}

#[test]
fn a_coordinate_of_a_wrong_length_is_named_also_beside_one_of_the_right_length() {
    for (name, length) in [
        ("x", 31),
        ("x", 33),
        ("y", 31),
        ("y", 33),
        ("x", 0),
        ("y", 0),
    ] {
        refuses(
            with_keys(
                &[with(Algorithm::ES256, name, encode(vec![1; length]))],
                &["ES256"],
            ),
            "jwks: no usable key (key 1: its coordinates do not have the length of its curve)",
            "add one",
        );
    }
}

#[cfg(feature = "aws_lc_rs")]
#[test]
fn a_key_on_p521_has_coordinates_of_66_bytes_on_its_curve_and_verifies_es512_only() {
    let good = jwk(Algorithm::ES512);
    let coordinate = |name: &str| super::support::decode(good[name].as_str().unwrap());
    // The prime of the field is 2^521 - 1.
    let prime = [&[1], [0xff; 65].as_slice()].concat();
    let curve = "its coordinates do not have the length of its curve";
    let backend = "a key that the cryptography backend cannot read";

    for (name, value, problem) in [
        ("x", coordinate("x")[1..].to_vec(), curve),
        ("y", coordinate("y")[1..].to_vec(), curve),
        ("x", [&[0], coordinate("x").as_slice()].concat(), curve),
        ("y", [&[0], coordinate("y").as_slice()].concat(), curve),
        ("x", vec![], curve),
        ("y", vec![1; 66], backend),
        ("y", vec![0; 66], backend),
        ("x", prime.clone(), backend),
        ("y", prime, backend),
        ("x", vec![0xff; 66], backend),
    ] {
        refuses(
            with_keys(&[with(Algorithm::ES512, name, encode(value))], &["ES512"]),
            &format!("jwks: no usable key (key 1: {problem}"),
            "add one",
        );
    }

    for alg in ["ES256", "ES384", "RS512", "HS512", "EdDSA"] {
        refuses(
            with_keys(&[with(Algorithm::ES512, "alg", alg)], &["ES512"]),
            "jwks: no usable key (key 1: its alg does not fit its type",
            "add one",
        );
    }
    for other in [Algorithm::ES256, Algorithm::ES384] {
        refuses(
            with_keys(&[with(other, "alg", "ES512")], &["ES512"]),
            "jwks: no usable key (key 1: its alg does not fit its type",
            "add one",
        );
        refuses(
            with_keys(std::slice::from_ref(&good), &[&name_of(other)]),
            &format!("algorithms: {other:?} fits none of the keys"),
            "add a key of its type",
        );
    }
    for crv in ["P-256", "P-384"] {
        refuses(
            with_keys(&[with(Algorithm::ES512, "crv", crv)], &["ES512"]),
            &format!("jwks: no usable key (key 1: {curve}"),
            "add one",
        );
    }
}

#[test]
fn a_set_is_loaded_from_a_file() {
    let path = std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("keys.json");
    let with_file = || Verifier::builder().jwks_file(&path).algorithm("EdDSA");
    std::fs::write(&path, key_set(&[jwk(Algorithm::EdDSA)])).unwrap();
    assert_eq!(
        outcome(
            &with_file().build().unwrap(),
            &Signer::new(Algorithm::EdDSA).token(&claims())
        ),
        "accepted"
    );
    std::fs::write(&path, [0xff]).unwrap();
    refuses(with_file(), "keys.json is not UTF-8", "save it");
    std::fs::write(&path, "{}").unwrap();
    refuses(with_file(), "keys.json: not a JWK Set", "must look like");
    let nowhere = Verifier::builder()
        .jwks_file("/nowhere/keys.json")
        .algorithm("EdDSA");
    refuses(nowhere, "/nowhere/keys.json", "check its path");
}

#[test]
fn a_private_key_is_refused_and_never_shown() {
    let private = |algorithm, name: &str| with(algorithm, name, "cHJpdmF0ZQ");
    let weak = changed(Algorithm::RS256, |key| {
        (key["n"], key["d"]) = (encode([0xff; 64]).into(), "cHJpdmF0ZQ".into());
    });
    let encryption = changed(Algorithm::RS256, |key| {
        (key["use"], key["d"]) = ("enc".into(), "cHJpdmF0ZQ".into());
    });
    let unknown = changed(Algorithm::ES256, |key| {
        (key["crv"], key["d"]) = ("P-521".into(), "cHJpdmF0ZQ".into());
    });

    for key in [
        private(Algorithm::RS256, "d"),
        private(Algorithm::RS256, "p"),
        private(Algorithm::ES256, "d"),
        private(Algorithm::ES384, "d"),
        private(Algorithm::EdDSA, "d"),
        json!({"kty": "AKP", "alg": "ML-DSA-44", "pub": "AA", "priv": "cHJpdmF0ZQ"}),
        weak,
        encryption,
        unknown,
    ] {
        let good = named(jwk(Algorithm::EdDSA), "good");
        let shown = refuses(
            with_keys(&[good, key], &["EdDSA"]),
            "jwks: key 2: a private key",
            "public members only",
        );
        assert!(!shown.contains("cHJpdmF0ZQ"), "{shown}");
    }
}

#[test]
fn every_key_of_a_set_verifies() {
    let (old, new) = (
        jwk_of_pem(fixture!("p256-other.pem")),
        jwk(Algorithm::ES256),
    );
    let keys = [
        named(old, "2024"),
        named(new, "2025"),
        named(jwk(Algorithm::HS512), "shared"),
        jwk(Algorithm::EdDSA),
    ];
    let verifier = with_keys(&keys, &["ES256", "HS512", "EdDSA"])
        .build()
        .unwrap();
    let kid = |signer: &Signer, kid: &str| {
        signer.sign(
            format!(r#"{{"alg":"{:?}","kid":"{kid}"}}"#, signer.algorithm),
            claims().to_string(),
        )
    };

    let (old, new) = (
        Signer::foreign(Algorithm::ES256),
        Signer::new(Algorithm::ES256),
    );
    let shared = Signer::new(Algorithm::HS512);

    for (token, expected) in [
        (kid(&old, "2024"), "accepted"),
        (kid(&new, "2025"), "accepted"),
        (kid(&old, "2025"), "token_signature_invalid"),
        (kid(&new, "2024"), "token_signature_invalid"),
        (kid(&shared, "shared"), "accepted"),
        (kid(&shared, "2024"), "token_algorithm_not_allowed"),
        (old.token(&claims()), "accepted"),
        (new.token(&claims()), "accepted"),
        (shared.token(&claims()), "accepted"),
        (Signer::new(Algorithm::EdDSA).token(&claims()), "accepted"),
        (
            kid(&Signer::new(Algorithm::EdDSA), "ed"),
            "token_key_unknown",
        ),
    ] {
        assert_eq!(outcome(&verifier, &token), expected, "{token}");
    }
}

/// Against RFC 7518 §6.3.1.1, and common.
#[test]
fn a_leading_zero_of_a_modulus_is_not_counted() {
    let key = changed(Algorithm::RS256, |key| {
        let modulus = super::support::decode(key["n"].as_str().unwrap());
        key["n"] = encode([&[0], modulus.as_slice()].concat()).into();
    });
    let verifier = with_keys(&[key], &["RS256", "PS256"]).build().unwrap();
    for algorithm in [Algorithm::RS256, Algorithm::PS256] {
        assert_eq!(
            outcome(&verifier, &Signer::new(algorithm).token(&claims())),
            "accepted"
        );
    }
}

#[test]
fn a_key_set_can_be_made_from_a_jwk_set() {
    assert!(KeySet::from_jwks(key_set(&[jwk(Algorithm::RS256)])).is_ok());
    let error = KeySet::from_jwks("{}").unwrap_err().to_string();
    assert!(error.contains("the JWK Set"), "{error}");
}

/// These keys are written as JSON, because a `Value` cannot hold them.
#[test]
fn keys_that_are_ambiguous_or_broken_are_left_out_of_a_set() {
    let token = Signer::new(Algorithm::EdDSA).token(&claims());
    let good = named(jwk(Algorithm::EdDSA), "good").to_string();
    let members = |members: &str| {
        jwk(Algorithm::RS256)
            .to_string()
            .replacen('{', &format!("{{{members},"), 1)
    };

    for (key, problem) in [
        (members(r#""n":"AA""#), "a member is there twice"),
        (members(r#""kty":"RSA""#), "a member is there twice"),
        (members(r#""x5c":[],"x5c":[]"#), "a member is there twice"),
        (
            members(r#""kid":"a","\u006bid":"a""#),
            "a member is there twice",
        ),
        (members(r#""kid":"\ud800""#), "of a wrong type"),
        (members(r#""key_ops":{"verify":1}"#), "of a wrong type"),
        (members(r#""key_ops":["verify",1]"#), "of a wrong type"),
        ("1e999".to_owned(), "of a wrong type"),
        ("[]".to_owned(), "of a wrong type"),
        (r#"{"kty":null}"#.to_owned(), "of a wrong type"),
    ] {
        let set = |keys: &str| {
            Verifier::builder()
                .jwks(format!(r#"{{"keys":[{keys}]}}"#))
                .algorithm("EdDSA")
        };
        for keys in [format!("{key},{good}"), format!("{good},{key}")] {
            assert_eq!(
                outcome(&set(&keys).build().unwrap(), &token),
                "accepted",
                "{key}"
            );
        }
        refuses(
            set(&key),
            &format!(
                "no usable key (key 1: {}",
                if problem.starts_with('a') {
                    problem
                } else {
                    ""
                }
            ),
            problem,
        );
    }

    let spelled = jwk(Algorithm::EdDSA)
        .to_string()
        .replace(r#""kty""#, r#""\u006bty""#)
        .replace("Ed25519", r"\u0045d25519");
    let null = r#""kid":null,"use":null,"key_ops":null,"alg":null,"crv2":null"#;
    let spelled = spelled.replacen('{', &format!("{{{null},"), 1);
    let set =
        format!(r#" {{ "other" : [ {{}} ] , "keys" : [ {spelled} ] , "more":{{"keys":1}} }} "#);
    let verifier = Verifier::builder()
        .jwks(set)
        .algorithm("EdDSA")
        .build()
        .unwrap();
    assert_eq!(outcome(&verifier, &token), "accepted");
}

#[test]
fn a_private_member_is_noticed_whatever_else_is_wrong() {
    let set = |key: &str| {
        Verifier::builder()
            .jwks(format!(r#"{{"keys":[{key}]}}"#))
            .algorithm("EdDSA")
    };

    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "priv", r"\u0064"] {
        for key in [
            format!(r#"{{"kty":1,"{member}":"cHJpdmF0ZQ"}}"#),
            format!(r#"{{"{member}":null}}"#),
            format!(r#"{{"{member}":{{"a":["cHJpdmF0ZQ"]}},"kty":"RSA","kty":"oct","n":1}}"#),
            format!(r#"{{"kty":"OKP","x":[],"key_ops":1,"{member}":1,"{member}":2}}"#),
        ] {
            let shown = refuses(
                set(&key),
                "jwks: key 1: a private key",
                "public members only",
            );
            assert!(!shown.contains("cHJpdmF0ZQ"), "{shown}");
        }
    }

    // A secret has no public part, so its other members have no meaning.
    let secret = jwk(Algorithm::HS256)
        .to_string()
        .replacen('{', r#"{"d":"AA","#, 1);
    let verifier = Verifier::builder()
        .jwks(format!(r#"{{"keys":[{secret}]}}"#))
        .algorithm("HS256")
        .build()
        .unwrap();
    assert_eq!(
        outcome(&verifier, &Signer::new(Algorithm::HS256).token(&claims())),
        "accepted"
    );
}

#[test]
fn a_set_with_a_private_name_of_serde_json_is_refused() {
    let key = jwk(Algorithm::EdDSA).to_string();

    for name in [
        "$serde_json::private::RawValue",
        "$serde_json::private::Number",
        r"\u0024serde_json::private::x",
    ] {
        let member = format!(r#""{name}":"{{}}""#);
        let in_key = key.replacen('{', &format!("{{{member},"), 1);
        let in_member = key.replacen('{', &format!(r#"{{"a":[{{"b":1,{member}}}],"#), 1);
        for set in [
            format!(r#"{{{member},"keys":[{key}]}}"#),
            format!(r#"{{"keys":[{key}],"a":{{{member}}}}}"#),
            format!(r#"{{"keys":[{key},{in_key}]}}"#),
            format!(r#"{{"keys":[{in_member},{key}]}}"#),
        ] {
            refuses(
                Verifier::builder().jwks(set).algorithm("EdDSA"),
                "jwks",
                "not a JWK Set",
            );
        }
    }
}
