//! A verification that asks a store with 100,000 revocations, against one that asks none: in memory,
//! and in the Redis whose URL is the argument.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin revocations redis://127.0.0.1:6379`

use std::{
    env,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::{join_all, try_join_all};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use socketioxide_jwt_auth::{
    RedisRevocations, Revocation, RevocationStore, Revocations, Verifier, VerifierBuilder,
};
use socketioxide_jwt_auth_benches::{Result, in_an_hour, median};

const ENTRIES: usize = 100_000;
const ROUNDS: usize = 101;
const TOKENS_PER_ROUND: u32 = 200;
const SECRET: &str = "the secret of the benchmarks, 32 bytes or more";

#[tokio::main]
async fn main() -> Result<()> {
    let memory = Revocations::in_memory();
    fill(&memory).await?;
    let mut verifiers = vec![
        ("without", builder().build()?),
        ("in memory", builder().revocations(memory).build()?),
    ];
    if let Some(url) = env::args().nth(1) {
        let redis = RedisRevocations::connect(url).await?;
        fill(&redis).await?;
        verifiers.push(("in Redis", builder().revocations(redis).build()?));
    }

    let token = token()?;
    println!("{:10} {:>12} {:>16}", "", "one by one", "200 at once, each");
    // Measured in turns, so that all see the same machine.
    let mut times = vec![(Vec::new(), Vec::new()); verifiers.len()];
    for _ in 0..ROUNDS {
        for ((_, verifier), (single, together)) in verifiers.iter().zip(&mut times) {
            single.push(one_by_one(verifier, &token).await);
            together.push(at_once(verifier, &token).await);
        }
    }
    for ((name, _), (single, together)) in verifiers.iter().zip(times) {
        println!(
            "{name:10} {:>12?} {:>16?}",
            median(single),
            median(together)
        );
    }
    Ok(())
}

fn builder() -> VerifierBuilder {
    Verifier::builder().secret(SECRET)
}

async fn fill(store: &impl RevocationStore) -> Result<()> {
    let numbers: Vec<_> = (0..ENTRIES).collect();
    for batch in numbers.chunks(500) {
        let revoked = batch
            .iter()
            .map(|number| store.revoke(Revocation::token(format!("revoked-{number}"))));
        try_join_all(revoked).await?;
    }
    Ok(())
}

fn token() -> Result<String> {
    let seconds = |time: SystemTime| time.duration_since(UNIX_EPOCH).map(|time| time.as_secs());
    let claims = json!({
        "sub": "user-1",
        "sid": "a session",
        "jti": "0b0c5a0e-7f4c-4c0c-9b5e-0b0c5a0e7f4c",
        "iat": seconds(SystemTime::now())?,
        "exp": seconds(in_an_hour())?,
    });
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    Ok(encode(&Header::default(), &claims, &key)?)
}

async fn one_by_one(verifier: &Verifier, token: &str) -> Duration {
    let start = Instant::now();
    for _ in 0..TOKENS_PER_ROUND {
        verify(verifier, token).await;
    }
    start.elapsed() / TOKENS_PER_ROUND
}

async fn at_once(verifier: &Verifier, token: &str) -> Duration {
    let start = Instant::now();
    join_all((0..TOKENS_PER_ROUND).map(|_| verify(verifier, token))).await;
    start.elapsed() / TOKENS_PER_ROUND
}

async fn verify(verifier: &Verifier, token: &str) {
    let verified = verifier.verify::<Value>(token).await;
    assert!(verified.is_ok(), "every token is good");
}
