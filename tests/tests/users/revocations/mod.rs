//! Revocations in a real Redis, which nodes share.

mod changes;
mod entries;
mod outage;
mod raw_redis;
mod sockets;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use raw_redis::RawRedis;
use socketioxide_jwt_auth::{
    RedisRevocations, Revocation, RevocationChange, RevocationChanges, RevocationQuery,
    RevocationScope, RevocationStatus, RevocationStore,
};
use socketioxide_jwt_auth_tests::within;

use crate::cluster::redis::Redis;

async fn connect(redis: &Redis) -> RedisRevocations {
    RedisRevocations::connect(redis.url()).await.unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn token(jti: &str) -> RevocationQuery<'_> {
    let mut query = RevocationQuery::default();
    query.token_id = Some(jti);
    query
}

fn user(key: &str, issued_at: u64) -> RevocationQuery<'_> {
    let mut query = RevocationQuery::default();
    query.user = Some(key);
    query.issued_at = Some(at(issued_at));
    query
}

async fn is_revoked(store: &RedisRevocations, query: RevocationQuery<'_>) -> bool {
    store.check(query).await.unwrap() == RevocationStatus::Revoked
}

/// Checks until Redis answers, and returns its answer.
async fn answer(store: &RedisRevocations, query: RevocationQuery<'_>) -> RevocationStatus {
    let tries = async {
        loop {
            if let Ok(status) = store.check(query).await {
                return status;
            }
            // A check of a Redis that is away ends after its time limit, or at once.
            tokio::task::yield_now().await;
        }
    };
    within("an answer of Redis", tries).await
}

fn changes(store: &RedisRevocations) -> RevocationChanges {
    RevocationStore::notifier(store).unwrap().subscribe()
}

/// Waits until a revocation is told that concerns the token.
async fn told(changes: &mut RevocationChanges, query: RevocationQuery<'_>) {
    let found = async {
        loop {
            match changes.next().await {
                Some(RevocationChange::Revoked(entry)) if entry.concerns(&query) => return,
                Some(_) => {}
                None => panic!("the notifier is gone"),
            }
        }
    };
    within("a revocation", found).await;
}

async fn swept(changes: &mut RevocationChanges) {
    let found = async { while !matches!(changes.next().await, Some(RevocationChange::Sweep)) {} };
    within("a sweep", found).await;
}

async fn revoke_token(store: &RedisRevocations, jti: &str) {
    store.revoke(Revocation::token(jti)).await.unwrap();
}
