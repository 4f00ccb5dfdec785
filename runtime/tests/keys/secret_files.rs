//! HMAC secrets from files, as Docker and Kubernetes mount them.

use std::{fs, path::PathBuf};

use socketioxide_jwt_auth::{ConfigErrorKind, Issuer, Verifier, VerifierBuilder};

use super::{
    claims, refuses,
    support::{Algorithm, SECRET, Signer, fixture, outcome},
};

/// Writes a file of one test, and returns its path.
fn file(name: &str, content: impl AsRef<[u8]>) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("secret-{name}"));
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

fn with_file(path: &str) -> VerifierBuilder {
    Verifier::builder().secret_file(path)
}

/// Returns the outcome of a token that is signed with `secret`, if the file has `content`.
fn verify(name: &str, content: &[u8], secret: &[u8]) -> &'static str {
    let verifier = with_file(&file(name, content)).build().unwrap();
    let signer = Signer::hmac(Algorithm::HS256, secret);
    outcome(&verifier, &signer.token(&claims()))
}

#[test]
fn exactly_one_line_break_at_the_end_is_not_part_of_the_secret() {
    for (end, rest) in [
        ("", ""),
        ("\n", ""),
        ("\r\n", ""),
        ("\n\n", "\n"),
        ("\r\n\r\n", "\r\n"),
        ("\n\r\n", "\n"),
        ("\r\n\n", "\r\n"),
        ("\r", "\r"),
        ("\n\r", "\n\r"),
        (" \n", " "),
        (" ", " "),
    ] {
        let content = format!("{SECRET}{end}");
        let secret = format!("{SECRET}{rest}");
        assert_eq!(
            verify("end", content.as_bytes(), secret.as_bytes()),
            "accepted",
            "{end:?}"
        );
        if end != rest {
            assert_eq!(
                verify("end", content.as_bytes(), content.as_bytes()),
                "token_signature_invalid",
                "{end:?}"
            );
        }
    }

    let starting = format!("\n{SECRET}");
    assert_eq!(
        verify("start", starting.as_bytes(), starting.as_bytes()),
        "accepted"
    );
}

#[test]
fn a_secret_file_may_have_bytes_that_are_not_utf8() {
    let bytes: Vec<u8> = (0xc0..=0xff).collect();
    assert_eq!(verify("bytes", &bytes, &bytes), "accepted");
}

#[test]
fn the_line_break_does_not_count_as_a_part_of_the_length() {
    for (content, bits) in [
        (format!("{}\n", "s".repeat(31)), "248 bits"),
        (format!("{}\r\n", "s".repeat(31)), "248 bits"),
    ] {
        let path = file("short", content);
        let text = refuses(with_file(&path), &path, bits);
        assert!(text.contains("openssl rand -hex 32"), "{text}");
        assert!(!text.contains("sss"), "{text}");
        with_file(&path).allow_weak_secret(true).build().unwrap();
    }
    let path = file("short", "s".repeat(32) + "\n");
    with_file(&path).build().unwrap();
    refuses(with_file(&path).algorithm("HS512"), &path, "HS512");

    for content in ["", "\n", "\r\n"] {
        let path = file("short", content);
        refuses(with_file(&path), "is empty", "openssl rand");
        refuses(
            with_file(&path).allow_weak_secret(true),
            &path,
            "openssl rand",
        );
    }
}

#[test]
fn every_secret_file_of_a_list_verifies() {
    let old = "o".repeat(64);
    let (new_file, old_file) = (file("new", SECRET), file("old", format!("{old}\n")));
    let verifier = Verifier::builder()
        .secret_file([&new_file, &old_file])
        .build()
        .unwrap();
    for signer in [
        Signer::new(Algorithm::HS256),
        Signer::hmac(Algorithm::HS256, old.as_bytes()),
    ] {
        assert_eq!(outcome(&verifier, &signer.token(&claims())), "accepted");
    }
    assert_eq!(
        outcome(
            &verifier,
            &Signer::foreign(Algorithm::HS256).token(&claims())
        ),
        "token_signature_invalid"
    );

    let none: [&str; 0] = [];
    let with = |files: &[&str]| Verifier::builder().secret_file(files);
    refuses(with(&none), "secret_file", "name at least one");
    let text = refuses(
        with(&[&new_file, "/nowhere/secret", "/nowhere/else"]),
        "/nowhere/secret",
        "check its path",
    );
    assert!(text.contains("/nowhere/else"), "{text}");
}

#[test]
fn a_secret_file_has_the_rules_of_every_secret() {
    let hex = file("hex", format!("{}\n", hex::encode(SECRET)));
    let verifier = with_file(&hex).secret_encoding("hex").build().unwrap();
    assert_eq!(
        outcome(&verifier, &Signer::new(Algorithm::HS256).token(&claims())),
        "accepted"
    );
    refuses(
        with_file(&hex)
            .secret_encoding("base64url")
            .algorithm("RS256"),
        "RS256",
        "use HS256",
    );
    let broken = file("broken", "not base64!");
    refuses(
        with_file(&broken).secret_encoding("base64"),
        &broken,
        "change secret_encoding",
    );
    let pem = file("pem", fixture!("rsa.pem"));
    refuses(with_file(&pem), &pem, "public_key");

    let error = with_file("/nowhere/secret").build().unwrap_err();
    assert_eq!(error.kind(), ConfigErrorKind::File);
    let directory = with_file(env!("CARGO_TARGET_TMPDIR"));
    refuses(directory, env!("CARGO_TARGET_TMPDIR"), "check its path");
}

#[test]
fn an_issuer_may_have_a_secret_file() {
    let path = file("issuer", SECRET);
    let verifier = Verifier::builder()
        .issuers([Issuer::new("a").secret_file(&path)])
        .build()
        .unwrap();
    let mut claims = claims();
    claims["iss"] = "a".into();
    assert_eq!(
        outcome(&verifier, &Signer::new(Algorithm::HS256).token(&claims)),
        "accepted"
    );
    let broken = Verifier::builder().issuers([Issuer::new("a").secret_file("/nowhere/secret")]);
    refuses(broken, "the issuer \"a\"", "/nowhere/secret");
}
