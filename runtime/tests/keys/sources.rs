//! Keys that a `KeySource` of the application chooses.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use socketioxide_jwt_auth::{AuthError, KeyRequest, KeySet, KeySource, Verifier};

use super::{
    claims,
    support::{Algorithm, SECRET, Signer, fixture, outcome},
};

/// A source with two tenants, which records its calls.
#[derive(Clone, Default)]
struct Tenants {
    asked: Arc<AtomicUsize>,
    last: Arc<Mutex<Option<(&'static str, Option<String>, String)>>>,
}

impl KeySource for Tenants {
    async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        assert!(
            request.parts().is_none() && request.namespace().is_none(),
            "a request outside of a connection has no handshake"
        );
        self.asked.fetch_add(1, Ordering::SeqCst);
        let seen = (
            request.algorithm().as_str(),
            request.key_id().map(str::to_owned),
            request.header().to_owned(),
        );
        *self.last.lock().unwrap() = Some(seen);
        let keys = match request.key_id() {
            Some("a") => KeySet::from_pem(fixture!("p256.pem")),
            Some("b") => KeySet::from_pem(fixture!("p256-other.pem")),
            Some("shared") => KeySet::from_secret(SECRET),
            Some("down") => {
                return Err(AuthError::keys_unavailable(
                    "the key server of tenant 7 does not answer",
                ));
            }
            _ => return Err(AuthError::denied("unknown tenant")),
        };

        Ok(Arc::new(keys.unwrap()))
    }
}

fn token(signer: &Signer, kid: &str) -> String {
    signer.sign(
        format!(r#"{{"alg":"{:?}","kid":"{kid}"}}"#, signer.algorithm),
        claims().to_string(),
    )
}

fn verifier(tenants: &Tenants) -> Verifier {
    Verifier::builder()
        .keys(tenants.clone())
        .algorithms(["ES256", "HS256"])
        .build()
        .unwrap()
}

#[test]
fn keys_are_chosen_for_each_token_once() {
    let tenants = Tenants::default();
    let verifier = verifier(&tenants);
    let (a, b) = (
        Signer::new(Algorithm::ES256),
        Signer::foreign(Algorithm::ES256),
    );
    let shared = Signer::new(Algorithm::HS256);
    let cases = [
        (token(&a, "a"), "accepted"),
        (token(&b, "b"), "accepted"),
        (token(&a, "b"), "token_signature_invalid"),
        (token(&b, "a"), "token_signature_invalid"),
        (token(&shared, "shared"), "accepted"),
        // Both algorithms are allowed, and still each key has a family of its own.
        (token(&shared, "a"), "token_key_unknown"),
        (token(&a, "shared"), "token_key_unknown"),
        (
            token(
                &Signer::hmac(Algorithm::HS256, fixture!("p256.pem").as_bytes()),
                "a",
            ),
            "token_key_unknown",
        ),
        (token(&a, "down"), "keys_unavailable"),
        (token(&a, "c"), "denied"),
        (a.token(&claims()), "denied"),
    ];

    for (asked_before, (token, expected)) in cases.iter().enumerate() {
        assert_eq!(outcome(&verifier, token), *expected, "{token}");
        // Not again for a token that its keys do not verify: the source knows when its keys are
        // old.
        assert_eq!(
            tenants.asked.load(Ordering::SeqCst),
            asked_before + 1,
            "{token}"
        );
    }
}

#[test]
fn a_source_sees_the_header_as_the_client_wrote_it() {
    let tenants = Tenants::default();
    let verifier = verifier(&tenants);
    let asked = || tenants.last.lock().unwrap().clone().unwrap();
    outcome(&verifier, &token(&Signer::new(Algorithm::ES256), "../a"));
    let header = r#"{"alg":"ES256","kid":"../a"}"#.to_owned();
    assert_eq!(asked(), ("ES256", Some("../a".to_owned()), header));
    let header = r#"{"alg":"HS256","k\u0069d":"\u0061","tenant":[7]}"#;
    outcome(&verifier, &Signer::new(Algorithm::HS256).sign(header, "{}"));
    assert_eq!(asked(), ("HS256", Some("a".to_owned()), header.to_owned()));
    let header = Signer::new(Algorithm::HS256).header();
    outcome(&verifier, &Signer::new(Algorithm::HS256).token(&claims()));
    assert_eq!(asked(), ("HS256", None, header));
}

#[test]
fn a_source_is_not_asked_about_what_is_refused_anyway() {
    let tenants = Tenants::default();
    let verifier = verifier(&tenants);
    let signer = Signer::new(Algorithm::RS256);

    for (token, expected) in [
        (token(&signer, "a"), "token_algorithm_not_allowed"),
        ("a".repeat(8193), "token_too_large"),
        ("a.b".to_owned(), "token_malformed"),
        (
            signer.sign(r#"{"alg":"none","kid":"a"}"#, "{}"),
            "token_algorithm_not_allowed",
        ),
        (
            signer.sign(r#"{"alg":"ES256","kid":"a","crit":["x"]}"#, "{}"),
            "token_malformed",
        ),
    ] {
        assert_eq!(outcome(&verifier, &token), expected);
    }

    assert_eq!(tenants.asked.load(Ordering::SeqCst), 0);
}

/// The client is not told the cause.
#[test]
fn an_error_of_a_source_keeps_its_cause() {
    let token = token(&Signer::new(Algorithm::ES256), "down");
    let error = super::support::verify(&verifier(&Tenants::default()), &token).unwrap_err();
    assert_eq!(error.to_string(), "keys_unavailable");
    assert!(
        std::error::Error::source(&error)
            .unwrap()
            .to_string()
            .contains("tenant 7")
    );
}
