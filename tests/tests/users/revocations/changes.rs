//! Revocations that are told to the nodes, or not.

use super::*;

#[tokio::test]
async fn a_revocation_is_told_on_every_node() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (connect(&redis).await, connect(&redis).await);
    let (mut here_told, mut there_told) = (changes(&here), changes(&there));
    here.revoke(Revocation::user("ada").issued_before(at(1000)))
        .await
        .unwrap();
    told(&mut here_told, user("ada", 1000)).await;

    let change = within("a revocation", async {
        loop {
            if let Some(RevocationChange::Revoked(entry)) = there_told.next().await {
                return entry;
            }
        }
    });
    let change = change.await;
    assert!(change.concerns(&user("ada", 1000)));
    assert!(!change.concerns(&user("ada", 1001)));
    assert!(!change.concerns(&user("grace", 1000)));
}

#[tokio::test]
async fn a_lost_connection_is_made_up_for_by_a_sweep() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (connect(&redis).await, connect(&redis).await);
    let mut there_told = changes(&there);
    let mut raw = RawRedis::connect(&redis);
    raw.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    raw.run(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    swept(&mut there_told).await;

    // It is subscribed again by then.
    let _ = answer(&here, token("any")).await;
    revoke_token(&here, "after").await;
    told(&mut there_told, token("after")).await;
}

#[tokio::test]
async fn a_message_that_is_not_of_this_crate_becomes_a_sweep() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let mut told = changes(&store);
    let mut raw = RawRedis::connect(&redis);
    for message in ["", "token", "token:x 1", "door:AAAAAAAAAAAAAAAAAAAAAA 1"] {
        assert_eq!(
            raw.run_one(&["PUBLISH", "{jwt_auth}:revoked:0", message]),
            "1"
        );
        swept(&mut told).await;
    }
}

#[tokio::test]
async fn two_thousand_revocations_at_once_are_all_told_or_swept() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (connect(&redis).await, connect(&redis).await);
    let mut there_told = changes(&there);
    let revoked = (0..2000).map(|number| here.revoke(Revocation::token(number)));
    futures_util::future::try_join_all(revoked).await.unwrap();
    here.revoke(Revocation::token("last")).await.unwrap();

    let mut found = 0;
    let mut has_swept = false;
    let last = token("last");
    within("the last one", async {
        loop {
            match there_told.next().await {
                Some(RevocationChange::Revoked(entry)) if entry.concerns(&last) => return,
                Some(RevocationChange::Revoked(_)) => found += 1,
                _ => has_swept = true,
            }
        }
    })
    .await;
    assert!(found == 2000 || has_swept, "{found}");
}

#[tokio::test]
async fn a_store_that_is_dropped_leaves_no_connection() {
    let Some(redis) = Redis::start() else { return };
    let store = connect(&redis).await;
    let mut raw = RawRedis::connect(&redis);
    let clients = |raw: &mut RawRedis| raw.run_one(&["CLIENT", "LIST"]).lines().count();
    assert_eq!(clients(&mut raw), 2);

    drop(store);
    within("the end of the connection", async {
        while clients(&mut raw) > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
