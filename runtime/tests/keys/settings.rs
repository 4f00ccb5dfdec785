use std::time::Duration;

use socketioxide_jwt_auth::{Verifier, VerifierBuilder};

use super::{refuses, support::SECRET};

fn builder() -> VerifierBuilder {
    Verifier::builder().secret(SECRET)
}

#[test]
fn every_mistake_says_where_it_is_and_how_it_is_repaired() {
    let none: [&str; 0] = [];
    for (builder, source, repair) in [
        (Verifier::builder(), "no key", "set one of"),
        (builder().algorithm("none"), "\"none\" is unknown", "HS256"),
        (builder().algorithm("hs256"), "\"hs256\" is unknown", "HS256"),
        (builder().algorithm("ES512"), "\"ES512\" is unknown", "ES384"),
        (builder().algorithm(""), "algorithms", "HS256"),
        (builder().algorithms(none), "algorithms is empty", "[\"HS256\"]"),
        (builder().issuer(none), "issuer is empty", "leave it out"),
        (builder().issuer(""), "issuer is empty", "leave it out"),
        (builder().issuer(["https://issuer.test", ""]), "issuer is empty", "leave it out"),
        (builder().audience(none), "audience is empty", "leave it out"),
        (builder().audience(""), "audience is empty", "leave it out"),
        (builder().leeway("a minute"), "leeway", "\"60s\""),
        (builder().leeway("-1s"), "leeway", "\"60s\""),
        (builder().leeway(Duration::from_secs(86_401)), "leeway is more than a day", "60s"),
        (builder().leeway(Duration::MAX), "leeway is more than a day", "60s"),
        (builder().max_token_bytes(0), "max_token_bytes is 0", "8192"),
        (builder().max_token_bytes(usize::MAX), "max_token_bytes", "8192"),
        (
            builder().required_claims((0..65).map(|number| number.to_string()).collect::<Vec<_>>()),
            "required_claims",
            "name fewer",
        ),
    ] {
        refuses(builder, source, repair);
    }
}

#[test]
fn the_widest_settings_build() {
    builder().leeway(Duration::from_secs(86_400)).max_token_bytes(1 << 20).build().unwrap();
    builder().leeway(Duration::ZERO).max_token_bytes(1).build().unwrap();
    let names: Vec<_> = (0..64).map(|number| number.to_string()).collect();
    builder().required_claims([names.clone(), names].concat()).build().unwrap();
}

#[test]
fn nothing_shows_a_key() {
    let builder = builder();
    let shown = format!("{builder:?}");
    let verifier = builder.build().unwrap();
    let shown = format!("{shown} {verifier:?}");
    assert!(!shown.contains("sixty-four"), "{shown}");
    assert!(!shown.contains(&hex::encode(SECRET)), "{shown}");
    assert!(!shown.contains("97, 32, 115"), "{shown}");
}
