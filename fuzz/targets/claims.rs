//! Any header and claims with a valid signature: no panic, and what `jsonwebtoken::decode` refuses
//! is refused.

#![no_main]

use std::{collections::HashMap, sync::LazyLock};

use arbitrary::Arbitrary;
use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Validation, crypto};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use socketioxide_jwt_auth::Verifier;

const SECRET: &[u8] = b"the issuer's secret, with more than thirty-two bytes";

/// Usually a string, because a verifier refuses other bytes early.
#[derive(Debug, Arbitrary)]
enum Input<'a> {
    Claims(&'a str),
    Both(&'a str, &'a str),
    Bytes(&'a [u8], &'a [u8]),
}

struct Pair {
    ours: Verifier,
    theirs: (DecodingKey, Validation),
    issuer: EncodingKey,
}

static PAIR: LazyLock<Pair> = LazyLock::new(|| {
    let ours = Verifier::builder()
        .secret(SECRET)
        .issuer("a")
        .audience("b")
        .build()
        .expect("the settings are good");
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_nbf = true;
    validation.set_issuer(&["a"]);
    validation.set_audience(&["b"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    let theirs = (DecodingKey::from_secret(SECRET), validation);
    Pair {
        ours,
        theirs,
        issuer: EncodingKey::from_secret(SECRET),
    }
});

fuzz_target!(|input: Input<'_>| {
    let (header, claims) = match input {
        Input::Claims(claims) => (&br#"{"alg":"HS256"}"#[..], claims.as_bytes()),
        Input::Both(header, claims) => (header.as_bytes(), claims.as_bytes()),
        Input::Bytes(header, claims) => (header, claims),
    };
    let message = format!("{}.{}", encode(header), encode(claims));
    let signature = crypto::sign(message.as_bytes(), &PAIR.issuer, Algorithm::HS256)
        .expect("HMAC does not fail");
    let token = format!("{message}.{signature}");

    let (key, validation) = &PAIR.theirs;
    let theirs = jsonwebtoken::decode::<Value>(&token, key, validation);
    let ours = PAIR
        .ours
        .verify::<Value>(&token)
        .now_or_never()
        .expect("fixed keys answer at once");
    if let Ok(ours) = ours {
        assert_eq!(
            theirs.expect("what decode refuses is refused").claims,
            ours.claims
        );
    }
    drop(
        PAIR.ours
            .verify::<HashMap<String, String>>(&token)
            .now_or_never(),
    );
});

fn encode(bytes: &[u8]) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(bytes)
}
