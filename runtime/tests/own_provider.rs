//! An application that installs a cryptography provider of its own, in a process of its own,
//! because a process has one.
#![cfg(feature = "aws_lc_rs")]

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::{
    DecodingKey,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils, aws_lc::DEFAULT_PROVIDER},
    errors::Result,
};
use serde_json::json;
use socketioxide_jwt_auth::{ConfigError, KeySet, Verifier};

use support::{
    ALGORITHMS, Algorithm, EXP, Signer, fixture, jwk, key_set, name_of, outcome, verifier_of,
};

static VERIFIERS_MADE: AtomicUsize = AtomicUsize::new(0);

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "jsonwebtoken asks for this signature"
)]
fn counting_verifier(
    algorithm: &jsonwebtoken::Algorithm,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>> {
    VERIFIERS_MADE.fetch_add(1, Ordering::SeqCst);
    (DEFAULT_PROVIDER.verifier_factory)(algorithm, key)
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: DEFAULT_PROVIDER.signer_factory,
    verifier_factory: counting_verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

fn verifiers_made_by(call: impl FnOnce()) -> usize {
    let before = VERIFIERS_MADE.load(Ordering::SeqCst);
    call();
    VERIFIERS_MADE.load(Ordering::SeqCst) - before
}

/// One test, because the number of verifiers is the process's.
#[test]
fn a_provider_of_the_application_verifies_every_token() {
    PROVIDER
        .install_default()
        .expect("no provider is chosen yet");

    let others = |algorithm: &Algorithm| *algorithm != Algorithm::ES512;
    for algorithm in ALGORITHMS.iter().copied().filter(others) {
        let (signer, stranger) = (Signer::new(algorithm), Signer::foreign(algorithm));
        let claims = json!({"sub": "1", "exp": EXP});
        let set = verifier_of(algorithm)
            .jwks(key_set(&[jwk(algorithm)]))
            .build()
            .unwrap();
        for verifier in [verifier_of(algorithm).build().unwrap(), set] {
            let made = verifiers_made_by(|| {
                assert_eq!(outcome(&verifier, &signer.token(&claims)), "accepted");
            });
            assert_eq!(
                made, 1,
                "{algorithm:?}: keys that were prepared for another provider are not used"
            );
            let made = verifiers_made_by(|| {
                assert_eq!(
                    outcome(&verifier, &stranger.token(&claims)),
                    "token_signature_invalid"
                );
            });
            assert_eq!(made, 1, "{algorithm:?}");
        }
    }

    // An invalid key is still an error of the configuration, not one of the first token.
    let point = jwk(Algorithm::ES256).to_string().replace(
        r#""y":"#,
        r#""y":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE","z":"#,
    );
    let set = format!(r#"{{"keys":[{point}]}}"#);
    let broken = Verifier::builder()
        .jwks(set)
        .algorithm(name_of(Algorithm::ES256))
        .build();
    assert!(broken.unwrap_err().to_string().contains("cannot read"));

    es512_is_an_error_of_the_configuration();
}

/// jsonwebtoken has no ES512, so another provider of it cannot have it either.
fn es512_is_an_error_of_the_configuration() {
    let says_so = |error: ConfigError| {
        let error = error.to_string();
        let reason = "ES512 needs the provider of the feature aws_lc_rs, and the application \
                      installed another one";
        assert!(error.contains(reason), "{error}");
    };
    let p521 = jwk(Algorithm::ES512);
    let only = key_set(std::slice::from_ref(&p521));

    says_so(verifier_of(Algorithm::ES512).build().unwrap_err());
    says_so(KeySet::from_jwks(only).unwrap_err());
    says_so(KeySet::from_pem(fixture!("p521.pem")).unwrap_err());
    let listed = Verifier::builder()
        .public_key(fixture!("p256.pem"))
        .algorithms(["ES256", "ES512"]);
    says_so(listed.build().unwrap_err());

    // The good keys of a set are used.
    let both = key_set(&[p521, jwk(Algorithm::ES256)]);
    let verifier = Verifier::builder().jwks(both).algorithm("ES256");
    let token = Signer::new(Algorithm::ES256).token(&json!({"sub": "1", "exp": EXP}));
    assert_eq!(outcome(&verifier.build().unwrap(), &token), "accepted");
}
