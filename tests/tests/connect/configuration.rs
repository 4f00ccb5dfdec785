//! Mistakes in the configuration, which are reported with their repair when the middleware is
//! built.

use std::ffi::{OsStr, OsString};

use serde_json::json;
use socketioxide_jwt_auth::{ConfigError, TokenSource, Verifier, VerifierBuilder, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, OTHER_SECRET, SECRET, User, authenticate, find_user, mint, outcome_of_child, report,
    seconds_from_now,
};

#[jwt_auth(secret_env = "SJA_SECRET")]
async fn from_environment(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret_env = ["SJA_SECRET", "SJA_OLD_SECRET"])]
async fn rotating(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// Builds a middleware or verifier in a child process with these variables, and returns the
/// outcome.
fn build<'a>(what: &str, variables: impl IntoIterator<Item = (&'a str, OsString)>) -> String {
    outcome_of_child("configuration::the_child_builds", |child| {
        child
            .env("SJA_WHAT", what)
            .env_remove("SJA_SECRET")
            .env_remove("SJA_OLD_SECRET")
            .envs(variables);
    })
}

fn build_with_secret(what: &str, secret: &str) -> String {
    build(what, [("SJA_SECRET", secret.into())])
}

#[test]
#[ignore = "the tests of this file run it, each in a process of its own"]
fn the_child_builds() {
    let what = std::env::var("SJA_WHAT").unwrap();
    let verifier = || Verifier::builder().secret_env("SJA_SECRET");
    let built = match what.as_str() {
        "attribute" => from_environment::middleware().map(drop),
        "rotation" => rotating::middleware().map(|middleware| verify_both(middleware.verifier())),
        "HS384" | "HS512" => verifier().algorithm(&what).build().map(drop),
        "weak" => verifier().allow_weak_secret(true).build().map(drop),
        encoding => verifier().secret_encoding(encoding).build().map(drop),
    };
    report(built.map_or_else(|error| error.to_string(), |()| "built".to_owned()));
}

fn verify_both(verifier: &Verifier) {
    let claims = json!({ "sub": "ada", "exp": seconds_from_now(3600) });
    let verify = |secret| {
        let token = mint(&claims, secret);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime
            .block_on(verifier.verify::<Claims>(&token))
            .map(drop)
            .map_err(|error| error.code().as_str())
    };
    assert_eq!((verify(SECRET), verify(OTHER_SECRET)), (Ok(()), Ok(())));
    assert_eq!(
        verify("a third secret that is not configured"),
        Err("token_signature_invalid")
    );
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in: {text}");
    }
}

#[test]
fn a_good_secret_is_taken_from_the_environment() {
    assert_eq!(build_with_secret("attribute", SECRET), "built");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    assert_says(
        &build("attribute", []),
        &["SJA_SECRET", "is not set", "set it"],
    );
}

#[test]
fn a_variable_that_is_empty_is_named() {
    for empty in ["", " ", "\n", "\t \n"] {
        assert_says(
            &build_with_secret("attribute", empty),
            &["SJA_SECRET", "is empty", "give it a value"],
        );
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_utf8_is_named() {
    use std::os::unix::ffi::OsStrExt;

    let bytes = OsStr::from_bytes(b"\xff secret that is not UTF-8 but long enough").to_owned();
    let text = build("attribute", [("SJA_SECRET", bytes)]);
    assert_says(
        &text,
        &[
            "SJA_SECRET",
            "not valid UTF-8",
            "secret_encoding = \"base64\"",
        ],
    );
}

#[test]
fn a_secret_that_is_badly_encoded_is_named_and_not_shown() {
    for (encoding, kind) in [
        ("base64", "base64"),
        ("base64url", "base64url"),
        ("hex", "hexadecimal"),
    ] {
        let secret = "!no encoding has these letters!!";
        let text = build_with_secret(encoding, secret);
        assert_says(
            &text,
            &[
                "SJA_SECRET",
                &format!("not valid {kind}"),
                "secret_encoding",
            ],
        );
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_secret_in_each_encoding_is_taken() {
    let hex = "00ff".repeat(16);
    let base64 = "AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8A/wD/AP8=";
    let base64url = "AP8A_wD_AP8A_wD_AP8A_wD_AP8A_wD_AP8A_wD_AP8";

    for (encoding, secret) in [
        ("hex", hex.as_str()),
        ("base64", base64),
        ("base64url", base64url),
        ("utf8", SECRET),
    ] {
        assert_eq!(build_with_secret(encoding, secret), "built", "{encoding}");
        assert_eq!(
            build_with_secret(encoding, secret.trim_end_matches('=')),
            "built",
            "{encoding} without padding"
        );
    }
}

#[test]
fn a_weak_secret_is_named_with_bits_and_a_command() {
    let short = "thirty-one bytes are too few...";

    for (what, found, needed, command) in [
        ("attribute", "248 bits", "256", "openssl rand -hex 32"),
        ("HS384", "248 bits", "384", "openssl rand -hex 48"),
        ("HS512", "248 bits", "512", "openssl rand -hex 64"),
    ] {
        let text = build_with_secret(what, short);
        assert_says(
            &text,
            &["SJA_SECRET", found, needed, command, "allow_weak_secret"],
        );
        assert!(!text.contains(short), "{text}");
    }

    assert_eq!(
        build_with_secret("attribute", "thirty-two bytes are just enough"),
        "built"
    );
}

#[test]
fn the_strength_of_a_secret_is_that_of_what_it_encodes() {
    let sixteen_bytes = "00ff".repeat(8);
    assert_says(
        &build_with_secret("hex", &sixteen_bytes),
        &["128 bits", "openssl rand -hex 32"],
    );
    let sixteen_bytes = "AP8A/wD/AP8A/wD/AP8A/w==";
    assert_says(
        &build_with_secret("base64", sixteen_bytes),
        &["128 bits", "openssl rand -base64 32"],
    );
}

#[test]
fn a_weak_secret_is_accepted_only_with_allow_weak_secret() {
    assert_eq!(build_with_secret("weak", "x"), "built");
    assert_says(&build_with_secret("weak", ""), &["SJA_SECRET", "is empty"]);
}

#[test]
fn both_secrets_of_a_rotation_verify() {
    let variables = [
        ("SJA_SECRET", SECRET.into()),
        ("SJA_OLD_SECRET", OTHER_SECRET.into()),
    ];
    assert_eq!(build("rotation", variables), "built");
}

#[test]
fn the_variable_of_a_rotation_that_is_missing_is_named() {
    assert_says(
        &build_with_secret("rotation", SECRET),
        &["SJA_OLD_SECRET", "is not set"],
    );
    assert_says(
        &build("rotation", [("SJA_OLD_SECRET", SECRET.into())]),
        &["variable SJA_SECRET is not set"],
    );
}

fn mistake(builder: VerifierBuilder) -> String {
    builder.build().expect_err("a mistake").to_string()
}

fn with_secret() -> VerifierBuilder {
    Verifier::builder().secret(SECRET)
}

#[test]
fn a_secret_from_code_is_checked_too() {
    assert_says(
        &mistake(Verifier::builder().secret("")),
        &["the secret is empty", "openssl rand"],
    );
    assert_says(
        &mistake(Verifier::builder().secret("short")),
        &["40 bits", "256", "openssl rand -hex 32"],
    );
    assert_says(
        &mistake(Verifier::builder().secret("").allow_weak_secret(true)),
        &["the secret is empty"],
    );
}

#[test]
fn a_key_is_required() {
    assert_says(&mistake(Verifier::builder()), &["no key", "secret_env"]);
}

#[test]
fn algorithms_must_exist_and_fit_the_key() {
    assert_says(
        &mistake(with_secret().algorithm("HS257")),
        &["\"HS257\"", "unknown", "HS256"],
    );
    assert_says(
        &mistake(with_secret().algorithm("none")),
        &["\"none\"", "unknown"],
    );
    assert_says(
        &mistake(with_secret().algorithms(["HS256", "RS256"])),
        &["RS256", "public key", "HS256"],
    );
    assert_says(
        &mistake(with_secret().algorithms([""; 0])),
        &["algorithms is empty", "HS256"],
    );
}

#[test]
fn settings_that_would_refuse_every_client_are_mistakes() {
    assert_says(
        &mistake(with_secret().issuer([""; 0])),
        &["issuer is empty"],
    );
    assert_says(&mistake(with_secret().issuer("")), &["issuer is empty"]);
    assert_says(
        &mistake(with_secret().audience([""; 0])),
        &["audience is empty"],
    );
    assert_says(
        &mistake(with_secret().max_token_bytes(0)),
        &["max_token_bytes is 0", "8192"],
    );
    assert_says(
        &mistake_of(authenticate::builder().lookup_timeout("0s").build()),
        &["lookup_timeout is zero"],
    );
    assert_says(
        &mistake_of(authenticate::builder().token([]).build()),
        &["token is an empty list", "auth(\"token\")"],
    );
}

#[test]
fn settings_that_let_too_much_in_are_mistakes() {
    assert_says(&mistake(with_secret().leeway("25h")), &["leeway", "60s"]);
    assert_says(
        &mistake(with_secret().max_token_bytes(usize::MAX)),
        &["max_token_bytes", "8192"],
    );
}

fn mistake_of<T>(built: Result<T, ConfigError>) -> String {
    built.map(drop).expect_err("a mistake").to_string()
}

#[test]
fn values_that_cannot_be_parsed_are_mistakes() {
    assert_says(
        &mistake(with_secret().leeway("a minute")),
        &["leeway", "\"a minute\"", "60s"],
    );
    assert_says(
        &mistake(with_secret().secret_encoding("base58")),
        &["secret_encoding", "\"base58\"", "\"base64url\""],
    );
    let timeout = authenticate::builder().lookup_timeout("soon").build();
    assert_says(&mistake_of(timeout), &["lookup_timeout", "\"soon\""]);
}

#[test]
fn token_sources_are_checked() {
    let build = |source| mistake_of(authenticate::builder().token([source]).build());
    assert_says(
        &build(TokenSource::header("not a header")),
        &["\"not a header\"", "header name"],
    );

    for source in [TokenSource::auth(""), TokenSource::query("")] {
        assert_says(&build(source), &["empty name"]);
    }

    assert_says(
        &build(TokenSource::cookie("session")),
        &["cookie", "allowed_origins = [", "WebSocket hijacking"],
    );
}

#[test]
fn origins_are_checked() {
    let build = |origin: &str| authenticate::builder().allowed_origins(origin).build();
    for origin in [
        "https://app.example.com",
        "http://[::1]:3000",
        "capacitor://localhost",
        "HTTPS://App.Example.com:443",
    ] {
        assert!(build(origin).is_ok(), "{origin}");
    }

    for (origin, repair) in [
        ("https://app.example.com:84430", "1 to 65535"),
        ("https://app.example.com:0", "1 to 65535"),
        ("https://app.example.com:+80", "1 to 65535"),
        ("https://*.example.com", "wildcard"),
        ("*", "wildcard"),
        ("https://app.example.com/", "a path"),
        ("https://user@app.example.com", "user name"),
        ("https://app.example.com.", "the host must"),
        ("https://bücher.example", "xn--"),
        ("null", "\"https://app.example.com\""),
        ("wss://app.example.com", "write https://"),
    ] {
        assert_says(&mistake_of(build(origin)), &["allowed_origins", repair]);
    }

    let second = authenticate::builder()
        .allowed_origins(["https://app.example.com", "https://app.example.com:65979"]);
    assert_says(&mistake_of(second.build()), &["65979"]);
    let none = authenticate::builder().allowed_origins([""; 0]);
    assert_says(&mistake_of(none.build()), &["allowed_origins is empty"]);
}

#[test]
fn a_later_setting_replaces_the_one_of_the_attribute() {
    assert!(from_environment::builder().secret(SECRET).build().is_ok());
    assert_says(
        &mistake_of(authenticate::builder().secret("short").build()),
        &["40 bits"],
    );
    assert!(
        authenticate::builder()
            .secret("short")
            .secret(OTHER_SECRET)
            .build()
            .is_ok()
    );
}
