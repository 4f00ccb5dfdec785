//! The settings of both builders: their limits, and what an error says.

use std::{error::Error, io, time::Duration};

use serde_json::json;
use socketioxide_jwt_auth::{
    ConfigError, ConfigErrorKind, JwtAuthBuilder, Revocations, TokenSource, UserLookup, Verifier,
    VerifierBuilder,
};

use super::{
    refuses,
    support::{Algorithm, EXP, SECRET, Signer, fixture, outcome},
};

fn builder() -> VerifierBuilder {
    Verifier::builder().secret(SECRET)
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn every_mistake_says_where_it_is_and_how_it_is_repaired() {
    let none: [&str; 0] = [];

    for (builder, source, repair) in vec![
        (Verifier::builder(), "no key", "set one of"),
        (builder().algorithm("none"), "\"none\" is unknown", "HS256"),
        (
            builder().algorithm("hs256"),
            "\"hs256\" is unknown",
            "HS256",
        ),
        (
            builder().algorithm("ES256K"),
            "\"ES256K\" is unknown",
            "ES384",
        ),
        (builder().algorithm(""), "algorithms", "HS256"),
        (
            builder().algorithms(none),
            "algorithms is empty",
            "[\"HS256\"]",
        ),
        (builder().issuer(none), "issuer is empty", "leave it out"),
        (builder().issuer(""), "issuer is empty", "leave it out"),
        (
            builder().issuer(["https://issuer.test", ""]),
            "issuer is empty",
            "leave it out",
        ),
        (
            builder().audience(none),
            "audience is empty",
            "leave it out",
        ),
        (builder().audience(""), "audience is empty", "leave it out"),
        (
            builder()
                .revocations(Revocations::in_memory())
                .leeway("5m 1s"),
            "leeway is more than 5 minutes",
            "\"60s\"",
        ),
        (
            builder()
                .revocations(Revocations::in_memory())
                .revocations_timeout("0s"),
            "revocations_timeout is zero",
            "\"500ms\"",
        ),
        (
            builder().revocations_timeout("1s"),
            "revocations_timeout is for the store",
            "set revocations too",
        ),
        (builder().leeway("a minute"), "leeway", "\"60s\""),
        (builder().leeway("-1s"), "leeway", "\"60s\""),
        (
            builder().leeway(Duration::from_secs(86_401)),
            "leeway is more than a day",
            "60s",
        ),
        (
            builder().leeway(Duration::MAX),
            "leeway is more than a day",
            "60s",
        ),
        (builder().max_token_bytes(0), "max_token_bytes is 0", "8192"),
        (
            builder().max_token_bytes(usize::MAX),
            "max_token_bytes",
            "8192",
        ),
        (
            builder().required_claims((0..65).map(|number| number.to_string()).collect::<Vec<_>>()),
            "required_claims",
            "name fewer",
        ),
        (
            builder().claim_values("", "access"),
            "claim_values: the name of a claim is empty",
            "claim_values(token_use = \"access\")",
        ),
        (
            builder().claim_values("azp", none),
            "\"azp\" has no values",
            "leave the claim out",
        ),
        (
            builder().claim_values("azp", ["web", ""]),
            "an empty one",
            "leave the claim out",
        ),
        (builder().claim_values("iss", "a"), "`iss`", "set issuer"),
        (builder().claim_values("aud", "a"), "`aud`", "set audience"),
        (builder().claim_values("exp", "1"), "`exp`", "leeway"),
        (builder().claim_values("nbf", "1"), "`nbf`", "leeway"),
        (
            builder().claim_values("iat", "1"),
            "`iat`",
            "required_claims",
        ),
        (
            builder().token_type(none),
            "token_type is empty",
            "leave it out",
        ),
        (
            builder().token_type("application/;v=1"),
            "names no type",
            "\"at+jwt\"",
        ),
        (
            builder().token_type("Logout+JWT"),
            "\"Logout+JWT\" is not for logging in",
            "\"at+jwt\"",
        ),
        (
            (0..65).fold(builder(), |builder, number: u32| {
                builder.claim_values(number.to_string(), "a")
            }),
            "claim_values names more than 64",
            "name fewer",
        ),
    ] {
        refuses(builder, source, repair);
    }
}

#[test]
fn the_widest_settings_build() {
    builder()
        .leeway(Duration::from_secs(86_400))
        .max_token_bytes(1 << 20)
        .build()
        .unwrap();
    builder()
        .leeway(Duration::ZERO)
        .max_token_bytes(1)
        .build()
        .unwrap();
    let names: Vec<_> = (0..64).map(|number| number.to_string()).collect();
    builder()
        .required_claims([names.clone(), names.clone()].concat())
        .build()
        .unwrap();
    names
        .iter()
        .chain(&names)
        .fold(builder(), |builder, name| builder.claim_values(name, "a"))
        .build()
        .unwrap();
}

#[test]
fn the_values_of_different_claims_add_up_and_those_of_the_same_replace() {
    let verifier = builder()
        .claim_values("azp", "other")
        .claim_values("token_use", "access")
        .claim_values("azp", ["web", "ios"])
        .build()
        .unwrap();
    for (claims, expected) in [
        (json!({"azp": "web", "token_use": "access"}), "accepted"),
        (
            json!({"azp": "other", "token_use": "access"}),
            "token_claims_invalid",
        ),
        (
            json!({"azp": "web", "token_use": "refresh"}),
            "token_claims_invalid",
        ),
        (json!({"azp": "web"}), "token_claims_invalid"),
    ] {
        let mut claims = claims;
        claims["exp"] = EXP.into();
        let token = Signer::new(Algorithm::HS256).token(&claims);
        assert_eq!(outcome(&verifier, &token), expected, "{claims}");
    }
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

struct NoUsers;

impl UserLookup for NoUsers {
    type Claims = serde_json::Value;
    type User = ();
}

fn middleware() -> JwtAuthBuilder<NoUsers> {
    JwtAuthBuilder::new(NoUsers).secret(SECRET)
}

#[track_caller]
fn error_of<T>(built: Result<T, ConfigError>) -> ConfigError {
    built.map(drop).expect_err("a mistake")
}

#[track_caller]
fn assert_names_all(error: &ConfigError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
    assert!(!text.contains('\n'), "{text:?} would be two lines of a log");
}

#[test]
fn all_unreadable_values_of_a_verifier_are_reported() {
    let verifier = builder()
        .leeway("a minute")
        .secret_encoding("base58")
        .algorithms(["HS257", "HS256", "none"]);
    let parts = [
        "leeway: \"a minute\"",
        "secret_encoding: \"base58\"",
        "\"HS257\" is unknown",
        "\"none\" is unknown",
    ];
    assert_names_all(&error_of(verifier.build()), &parts);
}

#[test]
fn all_unreadable_values_of_a_middleware_are_reported() {
    let middleware = middleware()
        .leeway("a minute")
        .secret_encoding("base58")
        .algorithm("HS257")
        .lookup_timeout("soon")
        .expiry("later")
        .expiry_warning("early")
        .guest_timeout("never")
        .allowed_origins(["app", "web"]);
    let parts = [
        "leeway: \"a minute\"",
        "secret_encoding: \"base58\"",
        "\"HS257\" is unknown",
        "lookup_timeout: \"soon\"",
        "expiry: \"later\"",
        "expiry_warning: \"early\"",
        "guest_timeout: \"never\"",
        "allowed_origins: \"app\"",
        "allowed_origins: \"web\"",
    ];

    assert_names_all(&error_of(middleware.build()), &parts);
}

#[test]
fn mistakes_of_every_kind_are_reported_together() {
    let middleware = middleware()
        .secret("short")
        .issuer("")
        .max_token_bytes(0)
        .token([TokenSource::query(""), TokenSource::header("not a header")])
        .guest_timeout("10s")
        .authenticate_event("connect");
    let parts = [
        "the secret has 40 bits",
        "issuer is empty",
        "max_token_bytes is 0",
        "empty name",
        "header(\"not a header\")",
        "guest_timeout is for guests",
        "authenticate_event",
    ];

    assert_names_all(&error_of(middleware.build()), &parts);
}

#[test]
fn a_later_value_replaces_an_unreadable_one() {
    builder()
        .leeway("a minute")
        .leeway("5s")
        .secret_encoding("base58")
        .secret_encoding("utf8")
        .build()
        .unwrap();
    assert!(
        middleware()
            .lookup_timeout("soon")
            .lookup_timeout("5s")
            .expiry("later")
            .expiry("ignore")
            .build()
            .is_ok()
    );

    assert!(builder().leeway("5s").leeway("a minute").build().is_err());
    assert!(
        middleware()
            .lookup_timeout("5s")
            .lookup_timeout("soon")
            .build()
            .is_err()
    );
}

#[test]
fn an_error_has_the_kind_of_its_first_mistake() {
    let missing_file = Verifier::builder()
        .public_key_file("no such file")
        .algorithm("RS256");

    for (kind, builder) in [
        (ConfigErrorKind::Missing, Verifier::builder()),
        (
            ConfigErrorKind::Missing,
            Verifier::builder().public_key(fixture!("rsa.pem")),
        ),
        (ConfigErrorKind::Invalid, builder().leeway("a minute")),
        (
            ConfigErrorKind::Invalid,
            builder().leeway("a minute").issuer(""),
        ),
        (ConfigErrorKind::Contradiction, builder().algorithm("RS256")),
        (
            ConfigErrorKind::Contradiction,
            Verifier::builder()
                .public_key(fixture!("rsa.pem"))
                .algorithm("ES256"),
        ),
        (
            ConfigErrorKind::Environment,
            Verifier::builder().secret_env("SURELY_NOT_SET"),
        ),
        (ConfigErrorKind::File, missing_file.clone()),
        (ConfigErrorKind::File, missing_file.leeway("a minute")),
        (ConfigErrorKind::Key, Verifier::builder().secret("short")),
        (
            ConfigErrorKind::Key,
            Verifier::builder().public_key("not PEM").algorithm("RS256"),
        ),
        (
            ConfigErrorKind::Key,
            Verifier::builder().jwks("{}").algorithm("RS256"),
        ),
    ] {
        let error = error_of(builder.build());
        assert_eq!(error.kind(), kind, "{error}");
    }

    assert_eq!(
        error_of(middleware().guest_timeout("10s").build()).kind(),
        ConfigErrorKind::Contradiction
    );
    assert_eq!(
        error_of(middleware().token([TokenSource::cookie("a")]).build()).kind(),
        ConfigErrorKind::Contradiction
    );
}

#[test]
fn the_error_of_a_file_that_cannot_be_read_is_kept() {
    for builder in [
        Verifier::builder()
            .public_key_file("no such file")
            .algorithm("RS256"),
        Verifier::builder()
            .jwks_file("no such file")
            .algorithm("RS256"),
    ] {
        let error = error_of(builder.build());
        let source = error
            .source()
            .and_then(|source| source.downcast_ref::<io::Error>())
            .expect("an `io::Error`");
        assert_eq!(source.kind(), io::ErrorKind::NotFound);
        assert!(error.to_string().contains(&source.to_string()), "{error}");
    }
    assert!(
        error_of(builder().leeway("a minute").build())
            .source()
            .is_none()
    );
}
