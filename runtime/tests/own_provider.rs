//! An application that installs a cryptography provider of its own, in a process of its own,
//! because a process has one.
#![cfg(feature = "aws_lc_rs")]

#[path = "support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use std::sync::atomic::{AtomicUsize, Ordering};

use jsonwebtoken::{
    Algorithm, DecodingKey,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils, aws_lc::DEFAULT_PROVIDER},
    errors::Result,
};
use serde_json::json;

use support::{ALGORITHMS, EXP, Signer, jwk, key_set, name_of, outcome, verifier_of};

static VERIFIERS_MADE: AtomicUsize = AtomicUsize::new(0);

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "jsonwebtoken asks for this signature"
)]
fn counting_verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>> {
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

    for algorithm in ALGORITHMS {
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
    let broken = socketioxide_jwt_auth::Verifier::builder()
        .jwks(set)
        .algorithm(name_of(Algorithm::ES256))
        .build();
    assert!(broken.unwrap_err().to_string().contains("cannot read"));
}
