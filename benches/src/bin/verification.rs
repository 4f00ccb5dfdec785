//! A whole verification against `jsonwebtoken::decode` with the same backend: time (A B A B,
//! medians) and allocations.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin verification`

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use futures_util::FutureExt;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use socketioxide_jwt_auth::Verifier;
use socketioxide_jwt_auth_benches::{allocations, median};

const ROUNDS: usize = 201;
const TOKENS_PER_ROUND: u32 = 500;

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    exp: u64,
}

/// A key pair of the test fixtures, or a secret.
struct Case {
    algorithm: Algorithm,
    encoding: EncodingKey,
    decoding: DecodingKey,
    verifier: Verifier,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!(
        "{:8} {:>12} {:>12} {:>7}  allocations",
        "", "decode", "verify", "ratio"
    );
    for case in cases()? {
        let claims = Claims {
            sub: "user-1".to_owned(),
            exp: 4_102_444_800,
        };
        let token = encode(&Header::new(case.algorithm), &claims, &case.encoding)?;
        let mut validation = Validation::new(case.algorithm);
        validation.validate_nbf = true;

        let decoded = || {
            decode::<Claims>(black_box(&token), &case.decoding, &validation)
                .map(|data| data.claims.exp)
        };
        // With keys that are at hand nothing is waited for.
        let verified = || {
            case.verifier
                .verify::<Claims>(black_box(&token))
                .now_or_never()
                .is_some_and(|read| read.is_ok())
        };
        let (decode_time, verify_time) = alternate(|| decoded().is_ok(), verified);
        println!(
            "{:8} {:>12?} {:>12?} {:>7.2}  {} against {}",
            format!("{:?}", case.algorithm),
            decode_time,
            verify_time,
            verify_time.as_secs_f64() / decode_time.as_secs_f64(),
            allocations(verified).0,
            allocations(|| decoded().is_ok()).0,
        );
    }
    Ok(())
}

fn cases() -> Result<Vec<Case>, Box<dyn std::error::Error>> {
    let secret = b"a secret of thirty-two bytes or more";
    let rsa = (
        include_bytes!("../../keys/rsa.pem"),
        include_bytes!("../../keys/rsa.pub.pem"),
    );
    let ec = (
        include_bytes!("../../keys/p256.pem"),
        include_bytes!("../../keys/p256.pub.pem"),
    );
    let ed = (
        include_bytes!("../../keys/ed25519.pem"),
        include_bytes!("../../keys/ed25519.pub.pem"),
    );
    let public = |pem: &[u8], name| Verifier::builder().public_key(pem).algorithm(name).build();

    Ok(vec![
        Case {
            algorithm: Algorithm::HS256,
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            verifier: Verifier::builder().secret(secret).build()?,
        },
        Case {
            algorithm: Algorithm::RS256,
            encoding: EncodingKey::from_rsa_pem(rsa.0)?,
            decoding: DecodingKey::from_rsa_pem(rsa.1)?,
            verifier: public(rsa.1, "RS256")?,
        },
        Case {
            algorithm: Algorithm::ES256,
            encoding: EncodingKey::from_ec_pem(ec.0)?,
            decoding: DecodingKey::from_ec_pem(ec.1)?,
            verifier: public(ec.1, "ES256")?,
        },
        Case {
            algorithm: Algorithm::EdDSA,
            encoding: EncodingKey::from_ed_pem(ed.0)?,
            decoding: DecodingKey::from_ed_pem(ed.1)?,
            verifier: public(ed.1, "EdDSA")?,
        },
    ])
}

/// The median time of one call of each, measured in turns, so that both see the same machine.
fn alternate(first: impl Fn() -> bool, second: impl Fn() -> bool) -> (Duration, Duration) {
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        firsts.push(time(&first));
        seconds.push(time(&second));
    }
    (median(firsts), median(seconds))
}

fn time(call: &impl Fn() -> bool) -> Duration {
    let start = Instant::now();
    for _ in 0..TOKENS_PER_ROUND {
        assert!(black_box(call()), "every token is good");
    }
    start.elapsed() / TOKENS_PER_ROUND
}
