//! `kid`: unknown, near misses, and names of keys that are not the signer's.

use socketioxide_jwt_auth::Verifier;

use crate::{
    support::{self, Algorithm, Signer, fixture, jwk, jwk_of_pem, named},
    target::{Attack, Attacks, CLAIMS, Target, rules},
};

pub(crate) fn attacks(target: &Target) -> Vec<Attack> {
    let mut attacks = Attacks::on(target);
    let verifier = rotating(target);
    let header = |kid: &str| format!(r#"{{"alg":"{}","kid":{kid:?}}}"#, target.alg());
    let sign = |kid: &str| target.sign_header(&header(kid));

    for kid in [
        "unknown", "", "CURRENT", "Current", "current ", " current", "curren", "currents", "0",
        "null", "*",
    ] {
        attacks.expect_of(
            &verifier,
            "token_key_unknown",
            format!("unknown kid {kid:?}"),
            sign(kid),
        );
    }
    for (name, kid) in [
        ("a zero byte after it", r"current\u0000"),
        ("a letter that looks the same", r"\u0441urrent"),
    ] {
        let token = target.sign_header(&format!(r#"{{"alg":"{}","kid":"{kid}"}}"#, target.alg()));
        attacks.expect_of(
            &verifier,
            "token_key_unknown",
            format!("kid with {name}"),
            token,
        );
    }
    attacks.expect_of(
        &verifier,
        "token_signature_invalid",
        "kid of another key of the same type",
        sign("previous"),
    );
    attacks.expect_of(
        &verifier,
        "token_algorithm_not_allowed",
        "kid of a key of another type",
        sign("another type"),
    );
    attacks.expect_of(
        &verifier,
        "token_key_unknown",
        "kid of a key that was left out (for encryption)",
        sign("encryption"),
    );

    let stranger = Signer::foreign(target.algorithm());
    let forged = stranger.sign(header("current"), CLAIMS);
    attacks.expect_of(
        &verifier,
        "token_signature_invalid",
        "a good kid, a stranger's signature",
        forged,
    );
    let unknown = stranger.sign(format!(r#"{{"alg":"{}"}}"#, target.alg()), CLAIMS);
    if target.is_secret() {
        attacks.expect_of(
            &verifier,
            "token_signature_invalid",
            "no kid, several keys, a stranger's signature",
            unknown,
        );
    }
    attacks.list
}

/// The target's key and its neighbours.
fn rotating(target: &Target) -> Verifier {
    let previous = match target.algorithm() {
        Algorithm::ES256 => jwk_of_pem(fixture!("p256-other.pem")),
        Algorithm::ES384 => jwk_of_pem(fixture!("p384-other.pem")),
        Algorithm::ES512 => jwk_of_pem(fixture!("p521-other.pem")),
        Algorithm::EdDSA => jwk_of_pem(fixture!("ed25519-other.pem")),
        Algorithm::HS256 | Algorithm::HS512 => {
            serde_json::json!({"kty": "oct", "k": "A".repeat(120)})
        }
        _ => jwk_of_pem(fixture!("rsa-other.pem")),
    };
    let (another, its_algorithm) = if target.algorithm() == Algorithm::EdDSA {
        (Algorithm::ES256, "ES256")
    } else {
        (Algorithm::EdDSA, "EdDSA")
    };
    let mut encryption = named(jwk(target.algorithm()), "encryption");
    encryption["use"] = "enc".into();
    let keys = [
        named(jwk(target.algorithm()), "current"),
        named(previous, "previous"),
        named(jwk(another), "another type"),
        encryption,
    ];
    rules(
        Verifier::builder()
            .jwks(support::key_set(&keys))
            .algorithms([target.alg().as_str(), its_algorithm]),
    )
}
