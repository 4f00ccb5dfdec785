//! Sets of several secrets, and sets that are made of two.

use std::sync::Arc;

use socketioxide_jwt_auth::{AuthError, KeyRequest, KeySet, KeySource, Verifier};

use super::{
    claims,
    support::{Algorithm, SECRET, Signer, fixture, jwk, jwk_of_pem, key_set, named, outcome},
};

const OLD: &str = "an old secret of the tests, also with more than the bytes that HS512 asks for";

struct Fixed(Arc<KeySet>);

impl KeySource for Fixed {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        Ok(Arc::clone(&self.0))
    }
}

fn verifier(keys: KeySet) -> Verifier {
    Verifier::builder()
        .keys(Fixed(Arc::new(keys)))
        .algorithms(["HS256", "HS512", "RS256", "ES256", "EdDSA"])
        .build()
        .unwrap()
}

fn signed(signer: &Signer, kid: Option<&str>) -> String {
    let kid = kid.map_or_else(String::new, |kid| format!(r#","kid":"{kid}""#));
    let header = format!(r#"{{"alg":"{:?}"{kid}}}"#, signer.algorithm);
    signer.sign(header, claims().to_string())
}

fn secret(algorithm: Algorithm, secret: &str) -> Signer {
    Signer::hmac(algorithm, secret.as_bytes())
}

fn set_of(algorithm: Algorithm, kid: &str) -> KeySet {
    KeySet::from_jwks(key_set(&[named(jwk(algorithm), kid)])).unwrap()
}

#[test]
fn every_secret_of_a_set_verifies() {
    let keys = KeySet::from_secrets([SECRET, OLD]).unwrap();
    let verifier = verifier(keys);
    for (signer, expected) in [
        (secret(Algorithm::HS256, SECRET), "accepted"),
        (secret(Algorithm::HS512, SECRET), "accepted"),
        (secret(Algorithm::HS256, OLD), "accepted"),
        (Signer::foreign(Algorithm::HS256), "token_signature_invalid"),
        (Signer::new(Algorithm::RS256), "token_key_unknown"),
    ] {
        for kid in [None, Some("2024")] {
            assert_eq!(outcome(&verifier, &signed(&signer, kid)), expected);
        }
    }
}

#[test]
fn secrets_are_of_any_type_that_has_bytes() {
    KeySet::from_secrets(vec![SECRET.to_owned(), OLD.to_owned()]).unwrap();
    KeySet::from_secrets([SECRET.as_bytes()]).unwrap();
    KeySet::from_secrets([[7_u8; 32], [8; 32]]).unwrap();
    KeySet::from_secrets(&[vec![7_u8; 32]]).unwrap();
    KeySet::from_secrets([SECRET, OLD].iter().map(|secret| secret.to_uppercase())).unwrap();
}

#[test]
fn each_secret_of_a_set_has_the_rules_of_one_secret() {
    let error = |secrets: &[&str]| KeySet::from_secrets(secrets).unwrap_err().to_string();
    let short = "s".repeat(31);
    let text = error(&[SECRET, &short, OLD, ""]);
    assert!(
        text.contains("secret 2 has 248 bits") && text.contains("openssl rand -hex 32"),
        "{text}"
    );
    assert!(text.contains("secret 4 is empty"), "{text}");
    assert!(!text.contains("sss") && !text.contains(SECRET), "{text}");
    assert!(error(&[fixture!("rsa.pem")]).contains("public_key"));
    assert!(error(&[]).contains("at least one"));

    KeySet::from_secrets(["s".repeat(32)]).unwrap();
    // It is too short for HS512.
    let verifier = verifier(KeySet::from_secrets(["s".repeat(63)]).unwrap());
    let token = |algorithm| signed(&secret(algorithm, &"s".repeat(63)), None);
    assert_eq!(outcome(&verifier, &token(Algorithm::HS256)), "accepted");
    assert_eq!(
        outcome(&verifier, &token(Algorithm::HS512)),
        "token_key_unknown"
    );
}

#[test]
fn a_merged_set_verifies_what_one_of_the_two_verifies() {
    let secrets = || KeySet::from_secrets([SECRET, OLD]).unwrap();
    let pem = || KeySet::from_pem(fixture!("p256.pem")).unwrap();
    let jwks = || set_of(Algorithm::EdDSA, "a");

    for keys in [
        secrets().merge(pem()).merge(jwks()),
        jwks().merge(pem()).merge(secrets()),
        pem().merge(jwks().merge(secrets())),
    ] {
        let verifier = verifier(keys);
        for (signer, kid, expected) in [
            (secret(Algorithm::HS256, SECRET), None, "accepted"),
            (secret(Algorithm::HS512, OLD), None, "accepted"),
            (secret(Algorithm::HS256, OLD), Some("2024"), "accepted"),
            (secret(Algorithm::HS256, OLD), Some("a"), "accepted"),
            (Signer::new(Algorithm::ES256), None, "accepted"),
            (Signer::new(Algorithm::ES256), Some("2024"), "accepted"),
            (Signer::new(Algorithm::EdDSA), None, "accepted"),
            (Signer::new(Algorithm::EdDSA), Some("a"), "accepted"),
            (
                Signer::new(Algorithm::EdDSA),
                Some("2024"),
                "token_key_unknown",
            ),
            (
                Signer::foreign(Algorithm::EdDSA),
                Some("a"),
                "token_signature_invalid",
            ),
            (
                Signer::foreign(Algorithm::ES256),
                Some("a"),
                "token_signature_invalid",
            ),
            (
                Signer::new(Algorithm::RS256),
                Some("2024"),
                "token_key_unknown",
            ),
            (
                Signer::new(Algorithm::RS256),
                Some("a"),
                "token_algorithm_not_allowed",
            ),
            (Signer::new(Algorithm::RS256), None, "token_key_unknown"),
        ] {
            let token = signed(&signer, kid);
            assert_eq!(
                outcome(&verifier, &token),
                expected,
                "{:?} {kid:?}",
                signer.algorithm
            );
        }
    }
}

/// Algorithm confusion: the public key is known to the attacker.
#[test]
fn a_public_key_of_a_merged_set_is_never_a_secret() {
    let pem = fixture!("p256.pem");
    let jwk_set = key_set(&[named(jwk(Algorithm::EdDSA), "a")]);
    let keys = KeySet::from_secret(SECRET)
        .unwrap()
        .merge(KeySet::from_pem(pem).unwrap())
        .merge(KeySet::from_jwks(&jwk_set).unwrap());
    let verifier = verifier(keys);

    let x = jwk(Algorithm::EdDSA)["x"].as_str().unwrap().to_owned();
    for public in [pem, pem.trim_end(), &jwk_set, &x] {
        for kid in [None, Some("a"), Some("b")] {
            let forged = signed(&secret(Algorithm::HS256, public), kid);
            assert_eq!(outcome(&verifier, &forged), "token_signature_invalid");
        }
    }
}

#[test]
fn keys_of_one_name_are_told_apart_by_their_algorithm_or_tried_in_turn() {
    let other = |kid: &str| named(jwk_of_pem(fixture!("ed25519-other.pem")), kid);
    let keys = set_of(Algorithm::EdDSA, "a")
        .merge(set_of(Algorithm::ES256, "a"))
        .merge(KeySet::from_jwks(key_set(&[other("a")])).unwrap());
    let verifier = verifier(keys);

    for signer in [
        Signer::new(Algorithm::EdDSA),
        Signer::new(Algorithm::ES256),
        Signer::foreign(Algorithm::EdDSA),
    ] {
        assert_eq!(outcome(&verifier, &signed(&signer, Some("a"))), "accepted");
    }
    assert_eq!(
        outcome(
            &verifier,
            &signed(&Signer::foreign(Algorithm::ES256), Some("a"))
        ),
        "token_signature_invalid"
    );
    assert_eq!(
        outcome(
            &verifier,
            &signed(&Signer::new(Algorithm::RS256), Some("a"))
        ),
        "token_algorithm_not_allowed"
    );
}
