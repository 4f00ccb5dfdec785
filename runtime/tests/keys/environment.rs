//! Keys from environment variables. A process cannot change its own environment safely, so each
//! test runs in a child.

use std::{env, process::Command};

use socketioxide_jwt_auth::{JwtAuthBuilder, UserLookup, Verifier};

use super::{
    claims, refuses,
    support::{Algorithm, SECRET, Signer, encode, fixture, outcome},
};

const CHILD: &str = "JWT_AUTH_TEST_CHILD";

/// Runs the calling test again in a child process with these variables. Returns `false` in the
/// child.
fn in_child(test: &str, variables: &[(&str, &str)]) -> bool {
    if env::var_os(CHILD).is_some() {
        return false;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", &format!("environment::{test}")])
        .env(CHILD, "1")
        .envs(variables.iter().copied());
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
    true
}

#[test]
fn every_secret_of_a_list_verifies() {
    let old = "o".repeat(64);
    if in_child(
        "every_secret_of_a_list_verifies",
        &[
            ("NEW", SECRET),
            ("OLD", &old),
            ("SHORT", "s"),
            ("EMPTY", " "),
        ],
    ) {
        return;
    }
    let verifier = Verifier::builder()
        .secret_env(["NEW", "OLD"])
        .build()
        .unwrap();
    for signer in [
        Signer::new(Algorithm::HS256),
        Signer::hmac(Algorithm::HS256, old.as_bytes()),
    ] {
        assert_eq!(outcome(&verifier, &signer.token(&claims())), "accepted");
        let named = signer.sign(r#"{"alg":"HS256","kid":"2024"}"#, claims().to_string());
        assert_eq!(
            outcome(&verifier, &named),
            "accepted",
            "secrets have no names, so a kid says nothing"
        );
    }
    assert_eq!(
        outcome(
            &verifier,
            &Signer::foreign(Algorithm::HS256).token(&claims())
        ),
        "token_signature_invalid"
    );

    let with = |variables: &[&str]| Verifier::builder().secret_env(variables);
    refuses(
        with(&["MISSING"]),
        "the environment variable MISSING is not set",
        "set it",
    );
    refuses(with(&["NEW", "MISSING"]), "MISSING", "set it");
    refuses(
        with(&["EMPTY"]),
        "the environment variable EMPTY is empty",
        "give it a value",
    );
    refuses(
        with(&["NEW", "SHORT"]),
        "the environment variable SHORT has 8 bits",
        "openssl rand",
    );
    refuses(with(&[]), "secret_env", "name at least one");
}

#[test]
fn every_key_of_a_list_verifies() {
    let encoded = encode(SECRET);
    let one_line = fixture!("p256-other.pem").replace('\n', "\\n");
    let variables = [
        ("NEW_KEY", fixture!("p256.pem")),
        ("OLD_KEY", &one_line),
        ("PRIVATE", fixture!("test-only-private-p256.pem")),
        ("SECRET", encoded.as_str()),
    ];
    if in_child("every_key_of_a_list_verifies", &variables) {
        return;
    }
    let with = |variables: &[&str]| {
        Verifier::builder()
            .public_key_env(variables)
            .algorithm("ES256")
    };
    let verifier = with(&["NEW_KEY", "OLD_KEY"]).build().unwrap();
    for signer in [
        Signer::new(Algorithm::ES256),
        Signer::foreign(Algorithm::ES256),
    ] {
        assert_eq!(outcome(&verifier, &signer.token(&claims())), "accepted");
    }
    refuses(with(&["MISSING"]), "MISSING is not set", "set it");
    refuses(
        with(&["NEW_KEY", "PRIVATE"]),
        "the environment variable PRIVATE holds a private key",
        "openssl pkey",
    );
    refuses(
        with(&["SECRET"]),
        "the environment variable SECRET",
        "BEGIN PUBLIC KEY",
    );
    refuses(with(&[]), "public_key_env", "name at least one");

    let verifier = Verifier::builder()
        .secret_env("SECRET")
        .secret_encoding("base64url")
        .build()
        .unwrap();
    assert_eq!(
        outcome(&verifier, &Signer::new(Algorithm::HS256).token(&claims())),
        "accepted"
    );
    let public = Verifier::builder().secret_env("NEW_KEY");
    refuses(
        public,
        "the environment variable NEW_KEY is a PEM text",
        "public_key",
    );
}

#[test]
fn issuers_audiences_and_origins_come_from_variables() {
    if in_child(
        "issuers_audiences_and_origins_come_from_variables",
        &[
            ("ISSUERS", " https://a.example ,https://b.example\n"),
            ("AUDIENCES", "chat"),
            ("BLANK", " \t"),
            ("COMMA_AT_THE_END", "a,"),
            ("TWO_COMMAS", "a, ,b"),
            ("COMMA", ","),
            ("ORIGINS", "https://app.example.com, http://localhost:3000"),
            ("NO_ORIGIN", "https://app.example.com, app"),
        ],
    ) {
        return;
    }
    let builder = || Verifier::builder().secret(SECRET);
    let verifier = builder()
        .issuer_env("ISSUERS")
        .audience_env("AUDIENCES")
        .build()
        .unwrap();
    for (issuer, audience, expected) in [
        ("https://a.example", "chat", "accepted"),
        ("https://b.example", "chat", "accepted"),
        ("https://c.example", "chat", "token_issuer_invalid"),
        ("https://b.example\n", "chat", "token_issuer_invalid"),
        ("https://a.example", "mail", "token_audience_invalid"),
    ] {
        let mut claims = claims();
        claims["iss"] = issuer.into();
        claims["aud"] = audience.into();
        let token = Signer::new(Algorithm::HS256).token(&claims);
        assert_eq!(outcome(&verifier, &token), expected, "{issuer} {audience}");
    }

    for variable in ["COMMA_AT_THE_END", "TWO_COMMAS", "COMMA"] {
        refuses(
            builder().issuer_env(variable),
            &format!("issuer_env: a value in the environment variable {variable} is empty"),
            "\"one,two\"",
        );
        refuses(
            builder().audience_env(variable),
            "audience_env: a value",
            "comma",
        );
    }
    refuses(builder().issuer_env("UNSET"), "UNSET is not set", "set it");
    refuses(builder().audience_env("BLANK"), "BLANK is empty", "give it");

    // The last call counts, whatever its source.
    assert!(builder().issuer_env("UNSET").issuer("a").build().is_ok());
    assert!(builder().issuer("a").issuer_env("UNSET").build().is_err());
    assert!(
        builder()
            .audience("")
            .audience_env("AUDIENCES")
            .build()
            .is_ok()
    );

    let origins = |variable| {
        let builder = JwtAuthBuilder::new(Lookup).secret(SECRET);
        builder.allowed_origins_env(variable).build().map(drop)
    };
    assert!(origins("ORIGINS").is_ok());
    for (variable, problem) in [
        ("UNSET", "UNSET is not set"),
        ("COMMA", "allowed_origins_env: a value"),
        ("NO_ORIGIN", "\"app\" is not an origin"),
    ] {
        let mistake = origins(variable).unwrap_err().to_string();
        assert!(mistake.contains(problem), "{mistake}");
    }
}

struct Lookup;

impl UserLookup for Lookup {
    type Claims = String;
    type User = String;
}
