//! The names of algorithms: in tokens, JWKs and the list of the accepted ones.

use socketioxide_jwt_auth::{Algorithm, Verifier};

use super::{
    claims,
    support::{Algorithm as Theirs, SECRET, Signer, jwk, key_set, outcome, public_pem},
};

fn ed25519_token(header: &str) -> String {
    Signer::new(Theirs::EdDSA).sign(header, claims().to_string())
}

/// RFC 9864 gives a new name to what RFC 8037 calls `EdDSA`.
#[test]
fn both_names_of_ed25519_are_one_algorithm() {
    for accepted in ["EdDSA", "Ed25519"] {
        for of_key in [None, Some("EdDSA"), Some("Ed25519")] {
            let mut key = jwk(Theirs::EdDSA);
            if let Some(name) = of_key {
                key["alg"] = name.into();
            }
            let pem = Verifier::builder().public_key(public_pem(Theirs::EdDSA));
            let set = Verifier::builder().jwks(key_set(&[key]));

            for builder in [pem, set] {
                let verifier = builder.algorithm(accepted).build().unwrap();
                for alg in ["EdDSA", "Ed25519"] {
                    let token = ed25519_token(&format!(r#"{{"alg":"{alg}"}}"#));
                    let case = format!("{accepted}, {of_key:?}, {alg}");
                    assert_eq!(outcome(&verifier, &token), "accepted", "{case}");
                }
                for alg in ["Ed448", "ed25519", "eddsa", "ES256", "HS256"] {
                    let token = ed25519_token(&format!(r#"{{"alg":"{alg}"}}"#));
                    assert_eq!(
                        outcome(&verifier, &token),
                        "token_algorithm_not_allowed",
                        "{alg}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_members_that_are_not_used_are_checked_whatever_the_algorithm_is_called() {
    let verifier = Verifier::builder()
        .public_key(public_pem(Theirs::EdDSA))
        .algorithm("EdDSA")
        .build()
        .unwrap();

    for alg in ["EdDSA", "Ed25519"] {
        for (member, expected) in [
            (r#""x5t":"a""#, "accepted"),
            (r#""cty":"JWT","custom":[1]"#, "accepted"),
            (
                r#""jwk":{"kty":"OKP","crv":"Ed25519","x":"AA","alg":"Ed25519"}"#,
                "accepted",
            ),
            (r#""x5t":5"#, "token_malformed"),
            (r#""x5c":"a""#, "token_malformed"),
            (r#""custom":1e999"#, "token_malformed"),
        ] {
            let token = ed25519_token(&format!(r#"{{"alg":"{alg}",{member}}}"#));
            assert_eq!(outcome(&verifier, &token), expected, "{alg} {member}");
        }
    }
}

#[test]
fn an_algorithm_stands_for_its_name() {
    let secret = || Verifier::builder().secret(SECRET);
    for builder in [
        secret().algorithm(Algorithm::HS512),
        secret().algorithms(Algorithm::HS512),
        secret().algorithms([Algorithm::HS512]),
        secret().algorithms(vec![Algorithm::HS384, Algorithm::HS512]),
        Verifier::builder()
            .jwks(key_set(&[jwk(Theirs::HS512)]))
            .algorithm(Algorithm::HS512),
    ] {
        let verifier = builder.build().unwrap();
        let token = Signer::new(Theirs::HS512).token(&claims());
        assert_eq!(outcome(&verifier, &token), "accepted");
    }

    let refused = secret().algorithm(Algorithm::Ed25519).build();
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("Ed25519 needs a public key")
    );
}
