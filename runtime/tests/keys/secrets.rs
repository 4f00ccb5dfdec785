//! HMAC secrets: their strength and their encodings.

use socketioxide_jwt_auth::{KeySet, SecretEncoding, Verifier};

use super::{
    claims, refuses,
    support::{Algorithm, Signer, fixture, outcome},
};

#[test]
fn a_secret_is_as_long_as_the_hash() {
    for (algorithm, bytes) in [("HS256", 32), ("HS384", 48), ("HS512", 64)] {
        let build = |length| {
            Verifier::builder()
                .secret("s".repeat(length))
                .algorithm(algorithm)
        };
        build(bytes).build().unwrap();
        let text = refuses(
            build(bytes - 1),
            "the secret has",
            &format!("openssl rand -hex {bytes}"),
        );
        assert!(text.contains(algorithm) && !text.contains("sss"), "{text}");
        build(bytes - 1).allow_weak_secret(true).build().unwrap();
        build(1).allow_weak_secret(true).build().unwrap();
        refuses(build(0), "the secret is empty", "openssl rand");
        refuses(
            build(0).allow_weak_secret(true),
            "the secret is empty",
            "openssl rand",
        );
    }

    let both = Verifier::builder()
        .secret("s".repeat(32))
        .algorithms(["HS256", "HS512"]);
    refuses(both, "HS512 needs at least 512", "openssl rand -hex 64");
    assert!(KeySet::from_secret("s".repeat(31)).is_err());
    assert!(KeySet::from_secret("").is_err());
}

#[test]
fn a_weak_secret_verifies_only_where_that_is_allowed() {
    let verifier = Verifier::builder()
        .secret("weak")
        .allow_weak_secret(true)
        .build()
        .unwrap();
    let signer = Signer::hmac(Algorithm::HS256, b"weak");
    assert_eq!(outcome(&verifier, &signer.token(&claims())), "accepted");
    assert_eq!(
        outcome(&verifier, &Signer::new(Algorithm::HS256).token(&claims())),
        "token_signature_invalid"
    );
}

#[test]
fn a_secret_can_be_encoded() {
    let secret: Vec<u8> = (0xc0..=0xff).collect();
    let token = Signer::hmac(Algorithm::HS256, &secret).token(&claims());
    let base64 =
        "wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/w==";
    let url = base64.replace('+', "-").replace('/', "_");
    let hex = hex::encode(&secret);

    for (encoding, written) in [
        ("base64", base64.to_owned()),
        ("base64", base64.trim_end_matches('=').to_owned()),
        ("base64", format!(" {base64}\n")),
        ("base64url", url.clone()),
        ("base64url", url.trim_end_matches('=').to_owned()),
        ("hex", hex.clone()),
        ("hex", hex.to_uppercase()),
    ] {
        let verifier = Verifier::builder()
            .secret(&written)
            .secret_encoding(encoding)
            .build()
            .unwrap();
        assert_eq!(
            outcome(&verifier, &token),
            "accepted",
            "{encoding}: {written}"
        );
    }

    for (encoding, written) in [
        ("base64", url.as_str()),
        ("base64url", base64),
        ("hex", "zz"),
        ("hex", "abc"),
        ("base64", "!"),
        ("base64", "\u{0}"),
    ] {
        let builder = Verifier::builder()
            .secret(written)
            .secret_encoding(encoding);
        let text = refuses(builder, "the secret is not valid", "change secret_encoding");
        assert!(!text.contains(&format!("{written:?}")), "{text}");
    }

    let empty = Verifier::builder()
        .secret("")
        .secret_encoding(SecretEncoding::Hex);
    refuses(empty, "the secret is empty", "openssl rand -hex 32");
    refuses(
        Verifier::builder().secret(hex).secret_encoding("base32"),
        "secret_encoding",
        "use one of",
    );
}

/// The other half of algorithm confusion: with such a secret anyone could sign.
#[test]
fn a_public_key_is_refused_as_a_secret() {
    for pem in [
        fixture!("rsa.pem"),
        fixture!("rsa.pkcs1.pem"),
        fixture!("rsa.cert.pem"),
        fixture!("p256.pem"),
        fixture!("ed25519.pem"),
        fixture!("test-only-private-rsa.pem"),
        &format!("\n{}", fixture!("rsa.pem")),
    ] {
        let text = refuses(
            Verifier::builder().secret(pem),
            "the secret is a PEM text",
            "public_key",
        );
        assert!(!text.contains("MII"), "{text}");
        assert!(KeySet::from_secret(pem).is_err());
        let weak = Verifier::builder().secret(pem).allow_weak_secret(true);
        refuses(weak, "the secret is a PEM text", "public_key");
    }
}

#[test]
fn a_secret_is_refused_with_other_algorithms_than_hmac() {
    for algorithm in ["RS256", "PS512", "ES256", "EdDSA"] {
        let secret = "s".repeat(64);
        refuses(
            Verifier::builder().secret(&secret).algorithm(algorithm),
            algorithm,
            "use HS256",
        );
        refuses(
            Verifier::builder()
                .secret(&secret)
                .algorithms(["HS256", algorithm]),
            algorithm,
            "or public_key",
        );
    }
}
