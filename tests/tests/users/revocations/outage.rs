//! A Redis that is killed, frozen, restarted, or replaced.

use std::time::Instant;

use socketioxide_jwt_auth::Verifier;
use socketioxide_jwt_auth_tests::{Claims, LIMIT, SECRET, token as minted};

use super::*;

/// The time limit of a check is 500 ms; the rest is for a busy machine.
const SOON: Duration = Duration::from_secs(3);

async fn refused_soon(store: &RedisRevocations) {
    let verifier = Verifier::builder()
        .secret(SECRET)
        .revocations(store.clone())
        .build()
        .unwrap();
    let start = Instant::now();
    let error = verifier.verify::<Claims>(&minted("ada")).await.unwrap_err();
    assert_eq!(error.code(), "revocations_unavailable");
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}

#[tokio::test]
async fn without_redis_a_store_does_not_start() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    redis.stop();

    let error = within("an error", RedisRevocations::connect(redis.url()))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the revocation store failed: Redis: "),
        "{error}"
    );
    assert!(RedisRevocations::connect("nonsense").await.is_err());
}

#[tokio::test]
async fn a_killed_redis_refuses_until_it_is_back() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let store = connect(&redis).await;
    redis.stop();
    for _ in 0..3 {
        refused_soon(&store).await;
    }
    let start = Instant::now();
    assert!(store.revoke(Revocation::token("7")).await.is_err());
    assert!(start.elapsed() < SOON);

    redis.restart();
    // It may have kept the revocation that it could not confirm.
    assert_eq!(
        answer(&store, token("8")).await,
        RevocationStatus::NotRevoked
    );
    revoke_token(&store, "7").await;
    assert!(is_revoked(&store, token("7")).await);
}

#[tokio::test]
async fn a_frozen_redis_refuses_until_it_goes_on() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;

    revoke_token(&store, "7").await;
    redis.freeze();
    for _ in 0..3 {
        refused_soon(&store).await;
    }

    redis.thaw();
    assert_eq!(answer(&store, token("7")).await, RevocationStatus::Revoked);
    assert_eq!(
        answer(&store, token("8")).await,
        RevocationStatus::NotRevoked
    );
}

#[tokio::test]
async fn a_storm_of_checks_without_redis_ends_in_time() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;

    redis.freeze();
    let start = Instant::now();
    let checks = (0..20_000).map(|_| store.check(token("7")));
    let answers = futures_util::future::join_all(checks).await;
    assert!(answers.iter().all(Result::is_err));
    assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
    redis.thaw();
    assert_eq!(
        answer(&store, token("7")).await,
        RevocationStatus::NotRevoked
    );
}

#[tokio::test]
async fn after_a_restart_without_data_own_revocations_are_set_again_and_told() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let (here, there) = (connect(&redis).await, connect(&redis).await);
    for number in 0..1000 {
        revoke_token(&here, &number.to_string()).await;
    }
    let mut told_there = changes(&there);
    redis.stop();
    redis.restart();
    assert_eq!(
        answer(&here, token("7")).await,
        RevocationStatus::Revoked,
        "it remembers itself"
    );

    within("the entries", async {
        while answer(&there, token("999")).await != RevocationStatus::Revoked {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within("all entries", async {
        let mut raw = RawRedis::connect(&redis);
        while raw.run_one(&["DBSIZE"]) != "1000" {
            tokio::task::yield_now().await;
        }
        let key = raw.run_one(&["RANDOMKEY"]);
        let time: i64 = raw.run_one(&["TTL", &key]).parse().unwrap();
        assert!(time > 24 * 60 * 60, "{time}");
    })
    .await;
    swept(&mut told_there).await;
}

#[tokio::test]
async fn a_revocation_that_was_made_while_a_node_was_away_is_found_by_its_sweep() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (connect(&redis).await, connect(&redis).await);
    let mut raw = RawRedis::connect(&redis);
    let mut told_there = changes(&there);

    // The message is lost: nothing is published.
    revoke_token(&here, "other").await;
    let key = raw.run_one(&["KEYS", "*"]);
    raw.run(&["RENAME", &key, "kept"]);
    assert!(!is_revoked(&there, token("other")).await);
    raw.run(&["RENAME", "kept", &key]);
    raw.run(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    raw.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);

    swept(&mut told_there).await;
    let statuses = there
        .check_many(&[token("other"), token("none")])
        .await
        .unwrap();
    assert_eq!(
        statuses,
        [RevocationStatus::Revoked, RevocationStatus::NotRevoked]
    );
}

#[tokio::test]
async fn a_primary_that_becomes_a_replica_is_left_for_the_new_one() {
    let Some(mut old) = Redis::start() else {
        return;
    };
    let Some(new) = Redis::start() else { return };
    let store = connect(&old).await;
    revoke_token(&store, "7").await;

    // The address moves to a new primary, which has no data, and the old one only answers reads.
    let mut raw = RawRedis::connect(&old);
    let port = new.port().to_string();
    raw.run(&["REPLICAOF", "127.0.0.1", &port]);
    let start = Instant::now();
    assert!(
        store.revoke(Revocation::token("8")).await.is_err(),
        "READONLY"
    );
    assert!(start.elapsed() < SOON);
    old.stop();
    old.restart();
    assert_eq!(answer(&store, token("7")).await, RevocationStatus::Revoked);
    let other = connect(&old).await;
    within("the entry again", async {
        while !is_revoked(&other, token("7")).await {
            tokio::task::yield_now().await;
        }
    })
    .await;
    revoke_token(&store, "8").await;
    assert!(is_revoked(&other, token("8")).await);
}
