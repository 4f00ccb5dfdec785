//! What is in Redis, and what a check and a revocation cost there.

use serde_json::{Value, json};
use socketioxide_jwt_auth::{RedisRevocations, Verifier};
use socketioxide_jwt_auth_tests::{SECRET, mint, seconds_from_now};

use super::*;

const DAY: u64 = 24 * 60 * 60;
const MARGIN: u64 = 10 * 60;

fn now() -> u64 {
    u64::try_from(seconds_from_now(0)).unwrap()
}

#[tokio::test]
async fn every_scope_is_revoked_on_every_node() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (connect(&redis).await, connect(&redis).await);
    let mut query = RevocationQuery::default();
    query.token_id = Some("7");
    query.session = Some("s");
    query.user = Some("ada");
    query.issued_at = Some(at(now() - 10));

    assert!(!is_revoked(&there, query).await);
    here.revoke(Revocation::session("s")).await.unwrap();
    assert!(is_revoked(&there, query).await);
    query.session = Some("t");
    assert!(!is_revoked(&there, query).await);
    here.revoke(Revocation::user("ada")).await.unwrap();
    assert!(is_revoked(&there, query).await);
    query.issued_at = Some(at(now() + 10));
    assert!(!is_revoked(&there, query).await);
    here.revoke(Revocation::token(7)).await.unwrap();
    assert!(is_revoked(&there, query).await);
    assert!(is_revoked(&here, query).await);
}

#[tokio::test]
async fn a_check_is_one_command_and_a_revocation_one_script() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let verifier = Verifier::builder()
        .secret(SECRET)
        .revocations(store.clone())
        .build()
        .unwrap();
    let claims = json!({ "sub": "ada", "sid": "s", "jti": "7", "iat": now(), "exp": now() + 60 });
    let token = mint(&claims, SECRET);
    let mut raw = RawRedis::connect(&redis);

    raw.run(&["CONFIG", "RESETSTAT"]);
    verifier.verify::<Value>(&token).await.unwrap();
    assert_eq!(raw.calls(), [("mget".to_owned(), 1)]);

    raw.run(&["CONFIG", "RESETSTAT"]);
    store.revoke(Revocation::session("s")).await.unwrap();
    let scripts: Vec<_> = raw
        .calls()
        .into_iter()
        .filter(|(name, _)| name == "eval" || name == "mget")
        .collect();
    assert_eq!(scripts, [("eval".to_owned(), 1)]);
    let error = verifier.verify::<Value>(&token).await.unwrap_err();
    assert_eq!(error.code(), "token_revoked");
}

#[tokio::test]
async fn every_key_has_a_time_to_live_and_shows_nothing_personal() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let odd = "ada@example.com \r\n{x}*?[a]:\u{0}é";
    for revocation in [
        Revocation::token(odd),
        Revocation::session(odd),
        Revocation::user(odd),
        Revocation::token("short").expires_at(at(now() + 60)),
    ] {
        store.revoke(revocation).await.unwrap();
    }
    assert!(is_revoked(&store, token(odd)).await);

    let mut raw = RawRedis::connect(&redis);
    let keys = raw.run(&["KEYS", "*"]);
    assert_eq!(keys.len(), 4);
    let mut times: Vec<u64> = Vec::new();
    for key in &keys {
        assert!(key.starts_with("{jwt_auth}:"), "{key}");
        assert!(!key.contains("ada") && key.is_ascii(), "{key}");
        times.push(raw.run_one(&["TTL", key]).parse().unwrap());
    }
    times.sort_unstable();
    let is_near = |time: u64, expected: u64| (expected - 5..=expected + 1).contains(&time);
    assert!(is_near(times[0], 60 + MARGIN), "{times:?}");
    assert!(
        times[1..].iter().all(|time| is_near(*time, DAY + MARGIN)),
        "{times:?}"
    );
}

#[tokio::test]
async fn the_longest_life_of_a_token_is_a_setting() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis)
        .await
        .max_token_life(Duration::from_secs(60));

    store
        .clone()
        .revoke(Revocation::session("s"))
        .await
        .unwrap();

    let mut raw = RawRedis::connect(&redis);
    let key = raw.run_one(&["KEYS", "*"]);
    let time: u64 = raw.run_one(&["TTL", &key]).parse().unwrap();
    assert!((600..=661).contains(&time), "{time}");
}

#[tokio::test]
async fn of_two_revocations_the_later_time_and_the_longer_life_are_kept() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let mut raw = RawRedis::connect(&redis);
    let (early, late, soon) = (at(1000), at(2000), at(now() + 60));
    for (first, second) in [
        (
            Revocation::user("ada").issued_before(late).expires_at(soon),
            Revocation::user("ada").issued_before(early),
        ),
        (
            Revocation::user("ada").issued_before(early),
            Revocation::user("ada").issued_before(late).expires_at(soon),
        ),
    ] {
        // Another node, which has no memory of its own.
        raw.run(&["FLUSHALL"]);
        let other = connect(&redis).await;
        store.revoke(first).await.unwrap();
        store.revoke(second).await.unwrap();
        assert!(is_revoked(&other, user("ada", 2000)).await);
        assert!(!is_revoked(&other, user("ada", 2001)).await);
        let key = raw.run_one(&["KEYS", "*"]);
        let time: u64 = raw.run_one(&["TTL", &key]).parse().unwrap();
        assert!(time > DAY, "{time}");
    }

    // A session without a time covers every token, whatever comes later.
    let other = connect(&redis).await;
    let mut session = RevocationQuery::default();
    session.session = Some("s");
    session.issued_at = Some(at(u64::from(u32::MAX)));
    store
        .revoke(Revocation::session("s").issued_before(early))
        .await
        .unwrap();
    assert!(!is_revoked(&other, session).await);
    store.revoke(Revocation::session("s")).await.unwrap();
    store
        .revoke(Revocation::session("s").issued_before(early))
        .await
        .unwrap();
    assert!(is_revoked(&other, session).await);
}

#[tokio::test]
async fn a_value_that_is_not_of_this_crate_refuses() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;

    revoke_token(&store, "7").await;
    let mut raw = RawRedis::connect(&redis);
    let key = raw.run_one(&["KEYS", "*"]);
    raw.run(&["SET", &key, "soon"]);
    let error = store.check(token("7")).await.unwrap_err().to_string();
    assert!(
        error.contains("is not a revocation of this crate"),
        "{error}"
    );
    // The next revocation repairs it.
    revoke_token(&store, "7").await;
    assert!(is_revoked(&store, token("7")).await);
}

#[tokio::test]
async fn several_tokens_are_checked_by_one_command() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let ids: Vec<_> = (0..250).map(|number| number.to_string()).collect();
    for id in ids.iter().step_by(10) {
        revoke_token(&store, id).await;
    }
    let other = connect(&redis).await;
    let mut queries: Vec<_> = ids.iter().map(|id| token(id)).collect();
    // Queries have different numbers of keys.
    queries[5] = RevocationQuery::default();
    queries[6].user = Some("ada");

    let mut raw = RawRedis::connect(&redis);
    raw.run(&["CONFIG", "RESETSTAT"]);
    let statuses = other.check_many(&queries).await.unwrap();
    assert_eq!(raw.calls(), [("mget".to_owned(), 1)]);
    for (number, status) in statuses.iter().enumerate() {
        assert_eq!(
            *status == RevocationStatus::Revoked,
            number % 10 == 0,
            "{number}"
        );
    }
    assert_eq!(other.check_many(&[]).await.unwrap(), []);
}

#[tokio::test]
async fn databases_of_one_server_are_separate() {
    let Some(redis) = Redis::start() else { return };
    let first = connect(&redis).await;
    let second = RedisRevocations::connect(format!("{}/1", redis.url()))
        .await
        .unwrap();
    let mut heard = changes(&second);

    revoke_token(&first, "7").await;
    assert!(!is_revoked(&second, token("7")).await);

    revoke_token(&second, "8").await;
    let change = within("a change", async {
        loop {
            if let Some(RevocationChange::Revoked(entry)) = heard.next().await {
                return entry;
            }
        }
    });
    assert!(
        change.await.concerns(&token("8")),
        "the first that it hears is its own"
    );
}

#[tokio::test]
async fn a_hundred_thousand_entries_are_found() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let ids: Vec<_> = (0..100_000).map(|number| number.to_string()).collect();
    for batch in ids.chunks(100) {
        let revoked = batch.iter().map(|id| store.revoke(Revocation::token(id)));
        futures_util::future::try_join_all(revoked).await.unwrap();
    }

    let other = connect(&redis).await;
    let queries: Vec<_> = ids.iter().map(|id| token(id)).collect();
    for batch in queries.chunks(1000) {
        let statuses = other.check_many(batch).await.unwrap();
        assert!(
            statuses
                .iter()
                .all(|status| *status == RevocationStatus::Revoked)
        );
    }
    assert!(!is_revoked(&other, token("100000")).await);
    let mut raw = RawRedis::connect(&redis);
    assert_eq!(raw.run_one(&["DBSIZE"]), "100000");
}
