//! A whole verification against `jsonwebtoken::decode` with the same backend, and against the bare
//! check of the signature by the backend: time (A B C D A B C D, medians) and allocations. Also one
//! of a token that `token_cache` knows, and the memory of the cache.
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
use socketioxide_jwt_auth::{Verifier, VerifierBuilder};
use socketioxide_jwt_auth_benches::{
    Comparison, Result, Role, Row, allocations, live_bytes, machine_load, median, per,
};

const ROUNDS: usize = 201;
const TOKENS_PER_ROUND: u32 = 500;
const CACHED_TOKENS: usize = 10_000;

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
    /// The same with `token_cache`.
    cached: Verifier,
}

impl Case {
    fn new(
        algorithm: Algorithm,
        encoding: EncodingKey,
        decoding: DecodingKey,
        builder: VerifierBuilder,
    ) -> Result<Self, socketioxide_jwt_auth::ConfigError> {
        Ok(Self {
            algorithm,
            encoding,
            decoding,
            verifier: builder.clone().build()?,
            cached: builder.token_cache(CACHED_TOKENS).build()?,
        })
    }

    fn token(&self, user: usize) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            sub: format!("user-{user}"),
            exp: 4_102_444_800,
        };
        encode(&Header::new(self.algorithm), &claims, &self.encoding)
    }
}

/// With keys that are at hand nothing is waited for.
fn verifies(verifier: &Verifier, token: &str) -> bool {
    verifier
        .verify::<Claims>(black_box(token))
        .now_or_never()
        .is_some_and(|verified| verified.is_ok())
}

fn main() -> Result<()> {
    let cases = cases()?;
    let arguments: Vec<_> = env::args().skip(1).collect();
    if let [name, times] = &arguments[..] {
        return verify_only(&cases, name, times.parse()?);
    }

    println!(
        "{:8} {:>12} {:>12} {:>12} {:>12} {:>9} {:>7}  allocations",
        "", "decode", "bare", "cached", "verify", "to decode", "to bare"
    );
    let load_average = machine_load()?;
    let mut rows = Vec::new();
    for case in &cases {
        let token = case.token(1)?;
        let mut validation = Validation::new(case.algorithm);
        validation.validate_nbf = true;

        let decoded = || {
            decode::<Claims>(black_box(&token), &case.decoding, &validation)
                .is_ok_and(|data| data.claims.exp > 0)
        };
        let bare = bare_check(case, &token)?;
        let cached = || verifies(&case.cached, &token);
        let verified = || verifies(&case.verifier, &token);
        let rounds = alternate([&decoded, &*bare, &cached, &verified]);
        rows.extend(chart_rows(case.algorithm, &rounds));
        let [decode_time, bare_time, cached_time, verify_time] = rounds.map(median);
        println!(
            "{:8} {decode_time:>12?} {bare_time:>12?} {cached_time:>12?} {verify_time:>12?} {:>9.2} {:>7.2}  {} against {}",
            format!("{:?}", case.algorithm),
            verify_time.div_duration_f64(decode_time),
            verify_time.div_duration_f64(bare_time),
            allocations(verified).0,
            allocations(decoded).0,
        );
    }

    Comparison {
        title: "Verify a token".to_owned(),
        measure: "the time of a verification".to_owned(),
        unit: "µs".to_owned(),
        command: "cargo run --release -p socketioxide-jwt-auth-benches --bin verification"
            .to_owned(),
        conditions: format!(
            "{ROUNDS} rounds of {TOKENS_PER_ROUND}; load average {load_average} before and {} after",
            machine_load()?
        ),
        rows,
    }
    .write("verification")?;
    println!("bytes per token in the cache: {:.1}", cache_memory(&cases)?);
    Ok(())
}

fn chart_rows(algorithm: Algorithm, rounds: &[Vec<Duration>; 4]) -> Vec<Row> {
    let variants = [
        ("jsonwebtoken's decode", Role::Baseline),
        ("only the signature", Role::Other),
        ("this crate, token_cache", Role::Ours),
        ("this crate", Role::Ours),
    ];
    let row = |((name, role), times): ((&str, Role), &Vec<Duration>)| Row {
        group: format!("{algorithm:?}"),
        name: name.to_owned(),
        role,
        rounds: times.iter().map(|time| time.as_secs_f64() * 1e6).collect(),
    };
    variants.into_iter().zip(rounds).map(row).collect()
}

/// The memory of a full cache, per token.
fn cache_memory(cases: &[Case]) -> Result<f64> {
    let case = cases
        .iter()
        .find(|case| case.algorithm == Algorithm::EdDSA)
        .ok_or("there are keys for EdDSA")?;
    // One more than fit, the first of which is there already.
    let tokens = (1..=CACHED_TOKENS + 1).map(|user| case.token(user));
    let tokens = tokens.collect::<Result<Vec<_>, _>>()?;

    let verifier = case.cached.clone();
    assert!(verifies(&verifier, &tokens[0]), "every token is good");
    let before = live_bytes();
    for token in &tokens[1..] {
        assert!(verifies(&verifier, token), "every token is good");
    }
    let growth = i64::try_from(live_bytes())? - i64::try_from(before)?;
    Ok(per(growth, CACHED_TOKENS - 1))
}

fn verify_only(cases: &[Case], name: &str, times: u32) -> Result<()> {
    let case = cases
        .iter()
        .find(|case| format!("{:?}", case.algorithm) == name)
        .ok_or("HS256, RS256, ES256 or EdDSA, and how often")?;
    let token = case.token(1)?;
    for _ in 0..times {
        assert!(verifies(&case.verifier, &token), "the token is good");
    }
    Ok(())
}

/// The check of a signature that was decoded before, with a key that was prepared before.
fn bare_check(case: &Case, token: &str) -> Result<Box<dyn Fn() -> bool>> {
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

fn cases() -> Result<Vec<Case>> {
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
    let builder = Verifier::builder;
    let public = |pem: &[u8], name| builder().public_key(pem).algorithm(name);

    Ok(vec![
        Case::new(
            Algorithm::HS256,
            EncodingKey::from_secret(secret),
            DecodingKey::from_secret(secret),
            builder().secret(secret),
        )?,
        Case::new(
            Algorithm::RS256,
            EncodingKey::from_rsa_pem(rsa.0)?,
            DecodingKey::from_rsa_pem(rsa.1)?,
            public(rsa.1, "RS256"),
        )?,
        Case::new(
            Algorithm::ES256,
            EncodingKey::from_ec_pem(ec.0)?,
            DecodingKey::from_ec_pem(ec.1)?,
            public(ec.1, "ES256"),
        )?,
        Case::new(
            Algorithm::EdDSA,
            EncodingKey::from_ed_pem(ed.0)?,
            DecodingKey::from_ed_pem(ed.1)?,
            public(ed.1, "EdDSA"),
        )?,
    ])
}

/// The times of one call of each, measured in turns, so that all see the same machine.
fn alternate<const N: usize>(calls: [&dyn Fn() -> bool; N]) -> [Vec<Duration>; N] {
    let mut rounds = [const { Vec::new() }; N];
    for _ in 0..ROUNDS {
        for (call, times) in calls.iter().zip(&mut rounds) {
            times.push(time(call));
        }
    }
    rounds
}

fn time(call: &dyn Fn() -> bool) -> Duration {
    let start = Instant::now();
    for _ in 0..TOKENS_PER_ROUND {
        assert!(black_box(call()), "every token is good");
    }
    start.elapsed() / TOKENS_PER_ROUND
}
