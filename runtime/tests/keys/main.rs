//! Keys in every form that a deployment uses, and the mistakes that are found when a verifier is
//! built.

mod algorithms;
mod details;
mod environment;
mod jwk_sets;
mod key_sets;
mod pem_keys;
mod reload;
mod secret_files;
mod secrets;
mod settings;
mod sources;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each test file uses a part of it")]
mod support;

use serde_json::{Value, json};
use socketioxide_jwt_auth::VerifierBuilder;

fn claims() -> Value {
    json!({"sub": "1", "exp": support::EXP})
}

/// Checks that building fails, and that the error says where the mistake is and how to repair it.
fn refuses(builder: VerifierBuilder, source: &str, repair: &str) -> String {
    let Err(error) = builder.build() else {
        panic!("built, and it should say {source:?} and {repair:?}")
    };
    let text = error.to_string();
    assert!(text.contains(source), "{source:?} is not in {text:?}");
    assert!(text.contains(repair), "{repair:?} is not in {text:?}");
    assert!(!text.contains('\n'), "{text:?} would be two lines of a log");
    format!("{text} {error:?}")
}
