//! Sources of keys, secrets and algorithms.

use quote::quote;

use super::{Builder, NOT_TIMES, assert_each, assert_same, assert_same_source};

/// A file that exists. Its content is long enough for a secret.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");

#[test]
fn algorithms_are_known_by_their_exact_name_and_fit_a_secret() {
    let accepted = ["HS256", "HS384", "HS512"];
    let refused = [
        "", "none", "None", "hs256", " HS256", "HS 256", "HS1", "RS256", "PS384", "ES256", "ES384",
        "ES512", "ES256K", "EdDSA", "Ed25519", "Ed448",
    ];
    assert_each("algorithm", &accepted, &refused, Builder::algorithm);

    for (is_accepted, name) in [
        (true, "HS384"),
        (false, "RS256"),
        (false, "ES512"),
        (false, "none"),
        (false, ""),
    ] {
        assert_same(
            is_accepted,
            quote!(algorithms = ["HS256", #name]),
            |builder| builder.algorithms(["HS256", name]),
        );
    }
}

#[test]
fn algorithms_fit_a_secret_in_a_file() {
    for (is_accepted, name) in [
        (true, "HS256"),
        (true, "HS512"),
        (false, "RS256"),
        (false, ""),
    ] {
        assert_same_source(
            is_accepted,
            quote!(secret_file = #FILE, algorithm = #name),
            |builder| builder.secret_file(FILE).algorithm(name),
        );
    }

    assert_same_source(false, quote!(secret_file = ""), |builder| {
        builder.secret_file("")
    });
    assert_same_source(false, quote!(secret_file = []), |builder| {
        builder.secret_file([""; 0])
    });
}

#[test]
fn algorithms_fit_a_public_key() {
    let rsa = include_str!("../../../../runtime/tests/fixtures/rsa.pem");
    let p256 = include_str!("../../../../runtime/tests/fixtures/p256.pem");
    let p384 = include_str!("../../../../runtime/tests/fixtures/p384.pem");
    let p521 = include_str!("../../../../runtime/tests/fixtures/p521.pem");
    let ed25519 = include_str!("../../../../runtime/tests/fixtures/ed25519.pem");
    let refused = [
        "", "none", "HS256", "HS512", "ES256K", "Ed448", "rs256", "RS1",
    ];

    for (key, accepted) in [
        (
            rsa,
            &["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"][..],
        ),
        (p256, &["ES256"]),
        (p384, &["ES384"]),
        (p521, &["ES512"]),
        (ed25519, &["EdDSA", "Ed25519"]),
    ] {
        let accepted = accepted.iter().map(|name| (true, *name));
        for (is_accepted, name) in accepted.chain(refused.map(|name| (false, name))) {
            assert_same_source(
                is_accepted,
                quote!(public_key = #key, algorithm = #name),
                |builder| builder.public_key(key).algorithm(name),
            );
        }
    }
}

#[test]
fn an_encoding_is_known_by_its_exact_spelling() {
    let refused = ["", "UTF8", "utf-8", "base58", "base64 "];
    assert_each(
        "secret_encoding",
        &["utf8"],
        &refused,
        Builder::secret_encoding,
    );
}

/// The secret's bytes are written in each encoding.
#[test]
fn every_encoding_is_known() {
    for (encoding, secret) in [
        ("base64", "AAAA".repeat(16)),
        ("base64url", "AA-_".repeat(16)),
        ("hex", "0f".repeat(32)),
    ] {
        assert_same(true, quote!(secret_encoding = #encoding), |builder| {
            builder.secret(&secret).secret_encoding(encoding)
        });
    }
}

#[test]
fn files_are_reloaded_after_a_second_at_least() {
    let accepted = ["1s", "1000ms", "30s", "1day"].map(|time| (true, time));
    let refused = ["999ms", "0s", "999999999ns", ""].map(|time| (false, time));
    let not_times = NOT_TIMES.iter().map(|time| (false, *time));

    for (is_accepted, time) in accepted.into_iter().chain(refused).chain(not_times) {
        let attribute = quote!(secret_file = #FILE, reload_keys = #time);
        assert_same_source(is_accepted, attribute, |builder| {
            builder.secret_file(FILE).reload_keys(time)
        });
    }
    assert_same(false, quote!(reload_keys = "30s"), |builder| {
        builder.reload_keys("30s")
    });
}
