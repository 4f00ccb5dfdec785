//! Sets of good and bad keys.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use socketioxide_jwt_auth_tests::{
    SECRET,
    issuer::{Answer, Issuer, KEYS, SigningKey, key_set, outcome},
    mint, seconds_from_now,
};

fn good() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "good")
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}

fn with(algorithm: Algorithm, name: &str, value: impl Into<Value>) -> Value {
    let mut jwk = SigningKey::other(algorithm, "bad").jwk();
    jwk[name] = value.into();
    jwk
}

async fn publishing(keys: &[Value]) -> Issuer {
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, Answer::ok(key_set(keys)));
    issuer
}

/// Keys that must not be used.
fn bad_keys() -> Vec<(&'static str, Value)> {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    vec![
        (
            "a secret",
            json!({"kty": "oct", "kid": "bad", "k": encode(SECRET)}),
        ),
        (
            "an empty secret",
            json!({"kty": "oct", "kid": "bad", "k": ""}),
        ),
        ("a private RSA key", with(Algorithm::RS256, "d", "AQAB")),
        ("a prime of an RSA key", with(Algorithm::RS256, "p", "AQAB")),
        ("a private EC key", with(Algorithm::ES256, "d", "AQAB")),
        ("a private Ed25519 key", with(Algorithm::EdDSA, "d", "AQAB")),
        (
            "a private member that is null",
            with(Algorithm::EdDSA, "d", Value::Null),
        ),
        ("an encryption key", with(Algorithm::RS256, "use", "enc")),
        (
            "a key that only signs",
            with(Algorithm::RS256, "key_ops", json!(["sign"])),
        ),
        ("an unknown type", with(Algorithm::EdDSA, "kty", "AKP")),
        (
            "a modulus of zero",
            with(Algorithm::RS256, "n", encode([0; 256])),
        ),
        ("an empty modulus", with(Algorithm::RS256, "n", "")),
        (
            "a modulus of 1024 bits",
            with(Algorithm::RS256, "n", encode([0xff; 128])),
        ),
        (
            "a modulus of 16384 bits",
            with(Algorithm::RS256, "n", encode([0xff; 2048])),
        ),
        (
            "a modulus of a million bits",
            with(Algorithm::RS256, "n", encode([0xff; 125_000])),
        ),
        ("an exponent of one", with(Algorithm::RS256, "e", "AQ")),
        (
            "an exponent of 2048 bits",
            with(Algorithm::RS256, "e", encode([0xff; 256])),
        ),
        (
            "a point that is not on its curve",
            with(Algorithm::ES256, "y", encode([1; 32])),
        ),
        ("a point at zero", {
            let mut jwk = with(Algorithm::ES256, "x", encode([0; 32]));
            jwk["y"] = encode([0; 32]).into();
            jwk
        }),
        (
            "a coordinate that is too short",
            with(Algorithm::ES256, "x", encode([1; 31])),
        ),
        ("another curve", with(Algorithm::ES256, "crv", "P-521")),
        (
            "an Ed25519 key of 31 bytes",
            with(Algorithm::EdDSA, "x", encode([1; 31])),
        ),
        (
            "base64url with padding",
            with(
                Algorithm::EdDSA,
                "x",
                "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            ),
        ),
        (
            "plain base64",
            with(Algorithm::RS256, "n", "+/+/".repeat(90)),
        ),
        (
            "no base64 at all",
            with(Algorithm::RS256, "n", "!\u{0}\u{1f511}"),
        ),
        ("a number", with(Algorithm::RS256, "n", 65537)),
        ("a name that is a number", with(Algorithm::EdDSA, "kid", 1)),
        ("another algorithm", with(Algorithm::EdDSA, "alg", "HS256")),
        (
            "deep nesting",
            with(
                Algorithm::EdDSA,
                "x",
                serde_json::from_str::<Value>(&nested(100)).unwrap(),
            ),
        ),
        ("an empty object", json!({})),
        ("null", Value::Null),
        ("a list", json!([])),
    ]
}

#[tokio::test]
async fn a_set_keeps_its_good_keys() {
    let algorithms = [Algorithm::EdDSA, Algorithm::ES256, Algorithm::RS256];
    let tokens = algorithms.map(|algorithm| SigningKey::other(algorithm, "bad").token());

    for (name, bad) in bad_keys() {
        for keys in [[bad.clone(), good().jwk()], [good().jwk(), bad.clone()]] {
            let issuer = publishing(&keys).await;
            let verifier = issuer.verifier().build().unwrap();
            assert_eq!(
                outcome(&verifier, &good().token()).await,
                "accepted",
                "{name}"
            );
            for token in &tokens {
                assert_eq!(
                    outcome(&verifier, token).await,
                    "token_key_unknown",
                    "{name}, {token}"
                );
            }
        }
    }
}

#[tokio::test]
async fn a_set_without_a_good_key_is_refused() {
    for (name, bad) in bad_keys() {
        let issuer = publishing(&[bad]).await;
        let verifier = issuer.verifier().build().unwrap();
        assert_eq!(
            outcome(&verifier, &good().token()).await,
            "keys_unavailable",
            "{name}"
        );
    }

    let all: Vec<_> = bad_keys().into_iter().map(|(_, key)| key).collect();
    let issuer = publishing(&all).await;
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &good().token()).await,
        "keys_unavailable"
    );
}

#[tokio::test]
async fn keys_with_the_same_kid_are_told_apart_or_each_is_tried() {
    let other = SigningKey::other(Algorithm::EdDSA, "good");
    let of_another_type = SigningKey::other(Algorithm::RS256, "good");
    let mut encryption = of_another_type.jwk();
    encryption["use"] = "enc".into();

    for (second, other_is) in [
        (other.jwk(), "accepted"),
        (of_another_type.jwk(), "token_signature_invalid"),
        (good().jwk(), "token_signature_invalid"),
        (encryption, "token_signature_invalid"),
    ] {
        for keys in [
            [good().jwk(), second.clone()],
            [second.clone(), good().jwk()],
        ] {
            let issuer = publishing(&keys).await;
            let verifier = issuer.verifier().build().unwrap();
            assert_eq!(outcome(&verifier, &good().token()).await, "accepted");
            assert_eq!(outcome(&verifier, &other.token()).await, other_is);
        }
    }

    let issuer = publishing(&[good().jwk(), of_another_type.jwk()]).await;
    let verifier = issuer.verifier().build().unwrap();
    for key in [good(), of_another_type] {
        assert_eq!(
            outcome(&verifier, &key.token()).await,
            "accepted",
            "{key:?}"
        );
    }
}

#[tokio::test]
async fn a_byte_order_mark_before_a_set_is_dropped() {
    let issuer = Issuer::start().await;
    let set = key_set(&[good().jwk()]);
    issuer.answer(KEYS, Answer::ok(format!("\u{feff}{set}")));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &good().token()).await,
        "accepted"
    );
}

#[tokio::test]
async fn a_set_has_a_hundred_keys_at_most() {
    let numbered = |number: usize| SigningKey::new(Algorithm::EdDSA, &number.to_string()).jwk();

    for (number, expected) in [
        (100, "accepted"),
        (101, "keys_unavailable"),
        (2_000, "keys_unavailable"),
    ] {
        let keys: Vec<_> = (0..number).map(numbered).collect();
        let issuer = publishing(&keys).await;
        let token = SigningKey::new(Algorithm::EdDSA, "7").token();
        assert_eq!(
            outcome(&issuer.verifier().build().unwrap(), &token).await,
            expected,
            "{number} keys"
        );
    }

    // Within the limit of a body, but ten thousand keys.
    let empty = vec![json!({}); 10_000];
    let issuer = publishing(&[&[good().jwk()], empty.as_slice()].concat()).await;
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &good().token()).await,
        "keys_unavailable"
    );
}

/// Algorithm confusion: a public key is known to attackers, so it must not be used as an HMAC
/// secret.
#[tokio::test]
async fn a_public_key_is_never_used_as_a_secret() {
    let issuer = publishing(&[good().jwk(), SigningKey::new(Algorithm::RS256, "rsa").jwk()]).await;
    let verifier = issuer.verifier().build().unwrap();

    let body = key_set(&[good().jwk(), SigningKey::new(Algorithm::RS256, "rsa").jwk()]);
    let jwk = good().jwk();
    let pem = include_str!("../../../../runtime/tests/fixtures/rsa.pem");
    let claims = json!({ "sub": "ada", "exp": seconds_from_now(3600) });

    for text in [
        body,
        jwk.to_string(),
        jwk["x"].as_str().unwrap().to_owned(),
        pem.to_owned(),
        pem.trim().to_owned(),
    ] {
        assert_eq!(
            outcome(&verifier, &mint(&claims, &text)).await,
            "token_algorithm_not_allowed"
        );
        for kid in ["good", "rsa"] {
            let header = Header {
                kid: Some(kid.to_owned()),
                ..Header::new(Algorithm::HS256)
            };
            let forged =
                jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(text.as_bytes()))
                    .unwrap();
            assert_eq!(
                outcome(&verifier, &forged).await,
                "token_algorithm_not_allowed"
            );
        }
    }

    assert_eq!(issuer.requests(), 0, "no key is requested");
}

#[tokio::test]
async fn each_type_of_key_verifies() {
    let keys = [
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::new(Algorithm::ES256, "b"),
        SigningKey::new(Algorithm::RS256, "c"),
    ];
    let issuer = Issuer::with_keys(&[&keys[0], &keys[1], &keys[2]]).await;
    let verifier = issuer.verifier().build().unwrap();

    for key in &keys {
        assert_eq!(
            outcome(&verifier, &key.token()).await,
            "accepted",
            "{key:?}"
        );
        assert_eq!(
            outcome(&verifier, &key.token_with_kid(None)).await,
            "accepted",
            "{key:?}"
        );
    }

    assert_eq!(issuer.requests(), 1);
    assert_eq!(
        outcome(&verifier, &keys[0].token_with_kid(Some("b"))).await,
        "token_algorithm_not_allowed"
    );
    assert_eq!(
        issuer.requests(),
        2,
        "there may be another key with this `kid` by now"
    );
}
