//! A whole verification against `jsonwebtoken::decode` with the same backend, and against the bare
//! check of the signature by the backend: time (A B C A B C, medians) and allocations.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin verification`
//!
//! With the name of an algorithm and a number it only verifies a token this often, for a profiler.

use std::{
    env,
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        VerificationAlgorithm,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
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

impl Case {
    fn token(&self) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: "user-1".to_owned(),
            exp: 4_102_444_800,
        };
        encode(&Header::new(self.algorithm), &claims, &self.encoding)
    }

    /// With keys that are at hand nothing is waited for.
    fn verifies(&self, token: &str) -> bool {
        self.verifier
            .verify::<Claims>(black_box(token))
            .now_or_never()
            .is_some_and(|verified| verified.is_ok())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let cases = cases()?;
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [name, times] = &arguments[..] {
        return verify_only(&cases, name, times.parse()?);
    }

    println!(
        "{:8} {:>12} {:>12} {:>12} {:>9} {:>7}  allocations",
        "", "decode", "bare", "verify", "to decode", "to bare"
    );
    for case in &cases {
        let token = case.token()?;
        let mut validation = Validation::new(case.algorithm);
        validation.validate_nbf = true;

        let decoded = || {
            decode::<Claims>(black_box(&token), &case.decoding, &validation)
                .is_ok_and(|data| data.claims.exp > 0)
        };
        let bare = bare_check(case, &token)?;
        let verified = || case.verifies(&token);
        let [decode_time, bare_time, verify_time] = alternate([&decoded, &*bare, &verified]);
        println!(
            "{:8} {decode_time:>12?} {bare_time:>12?} {verify_time:>12?} {:>9.2} {:>7.2}  {} against {}",
            format!("{:?}", case.algorithm),
            verify_time.div_duration_f64(decode_time),
            verify_time.div_duration_f64(bare_time),
            allocations(verified).0,
            allocations(decoded).0,
        );
    }
    Ok(())
}

fn verify_only(cases: &[Case], name: &str, times: u32) -> Result<(), Box<dyn std::error::Error>> {
    let case = cases
        .iter()
        .find(|case| format!("{:?}", case.algorithm) == name)
        .ok_or("HS256, RS256, ES256 or EdDSA, and how often")?;
    let token = case.token()?;
    for _ in 0..times {
        assert!(case.verifies(&token), "the token is good");
    }
    Ok(())
}

/// The check of a signature that was decoded before, with a key that was prepared before.
fn bare_check(
    case: &Case,
    token: &str,
) -> Result<Box<dyn Fn() -> bool>, Box<dyn std::error::Error>> {
    let (message, signature) = token.rsplit_once('.').ok_or("a token has a signature")?;
    let message = message.as_bytes().to_vec();
    let signature = URL_SAFE_NO_PAD.decode(signature)?;
    let key = case.decoding.try_get_as_bytes()?;

    let algorithm: &'static dyn VerificationAlgorithm = match case.algorithm {
        Algorithm::HS256 => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, key);
            return Ok(Box::new(move || {
                hmac::verify(&key, black_box(&message), &signature).is_ok()
            }));
        }
        Algorithm::RS256 => &RSA_PKCS1_2048_8192_SHA256,
        Algorithm::ES256 => &ECDSA_P256_SHA256_FIXED,
        _ => &ED25519,
    };
    let key = ParsedPublicKey::new(algorithm, key)?;
    Ok(Box::new(move || {
        key.verify_sig(black_box(&message), &signature).is_ok()
    }))
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

/// The median time of one call of each, measured in turns, so that all see the same machine.
fn alternate<const N: usize>(calls: [&dyn Fn() -> bool; N]) -> [Duration; N] {
    let mut rounds = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (call, times) in calls.iter().zip(&mut rounds) {
            times.push(time(call));
        }
    }
    rounds.map(median)
}

fn time(call: &dyn Fn() -> bool) -> Duration {
    let start = Instant::now();
    for _ in 0..TOKENS_PER_ROUND {
        assert!(black_box(call()), "every token is good");
    }
    start.elapsed() / TOKENS_PER_ROUND
}
