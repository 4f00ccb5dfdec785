//! Any string as a token: no panic, and a token without a valid signature is refused.

#![no_main]

use std::sync::LazyLock;

use futures_util::FutureExt;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use socketioxide_jwt_auth::{Verifier, VerifierBuilder};

const SECRET: &str = "a secret that no fuzzer guesses in the time it is given, and long enough";

static VERIFIERS: LazyLock<[Verifier; 2]> = LazyLock::new(|| {
    let key_set = format!(
        r#"{{"keys":[{{"kty":"oct","kid":"secret","k":"{}"}},{}]}}"#,
        "c2VjcmV0".repeat(12),
        r#"{"kty":"OKP","kid":"ed","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#
    );
    let build = |builder: VerifierBuilder| builder.build().expect("the settings are good");
    [
        build(
            Verifier::builder()
                .secret(SECRET)
                .algorithms(["HS256", "HS384", "HS512"]),
        ),
        build(
            Verifier::builder()
                .jwks(key_set)
                .algorithms(["HS256", "EdDSA"]),
        ),
    ]
});

fuzz_target!(|token: &str| {
    for verifier in VERIFIERS.iter() {
        let verified = verifier
            .verify::<Value>(token)
            .now_or_never()
            .expect("fixed keys answer at once");
        assert!(verified.is_err(), "let in: {token}");
    }
});
