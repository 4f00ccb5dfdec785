//! Redis fails, and recovers.

use std::time::Duration;

use socketioxide_jwt_auth::{
    AuthError, DisconnectError, disconnect_user, disconnect_user_because, user_room,
};
use socketioxide_jwt_auth_tests::{
    Received, renew, token, unauthorized, unauthorized_denied, within,
};

use crate::cluster::{
    Cluster,
    node::{Node, expect_everywhere, expect_in, mail},
};

#[tokio::test]
async fn without_redis_a_logout_ends_the_sockets_of_this_node_and_returns_an_error() {
    let Some(Cluster {
        here,
        there,
        mut redis,
        ..
    }) = Cluster::start().await
    else {
        return;
    };
    let mut near = here.everywhere("ada").await;
    let mut far = there.everywhere("ada").await;
    redis.stop();

    let io = here.io.clone();
    let reason = AuthError::denied("removed");
    let ending = tokio::spawn(async move { disconnect_user_because(&io, "ada", &reason).await });
    expect_everywhere(
        &mut near,
        &[unauthorized_denied("removed"), Received::Disconnected],
    )
    .await;
    let ended = tokio::time::timeout(Duration::from_secs(20), ending)
        .await
        .expect("it does not hang")
        .unwrap();
    assert!(
        matches!(ended, Err(DisconnectError::Adapter(_))),
        "{ended:?}"
    );
    expect_in(&mut far, "ada").await;

    // The adapter does not send later what it could not send: the caller must try again.
    redis.restart();
    until_seen(&here, "ada").await;
    expect_in(&mut far, "ada").await;
    disconnect_user(&here.io, "ada").await.unwrap();
    expect_everywhere(
        &mut far,
        &[unauthorized("session_ended"), Received::Disconnected],
    )
    .await;
}

#[tokio::test]
async fn with_a_frozen_redis_a_logout_ends_the_sockets_of_this_node() {
    let Some(Cluster { here, redis, .. }) = Cluster::start().await else {
        return;
    };
    let mut near = here.everywhere("ada").await;
    redis.freeze();
    let io = here.io.clone();
    let ending = tokio::spawn(async move { disconnect_user(&io, "ada").await });
    expect_everywhere(
        &mut near,
        &[unauthorized("session_ended"), Received::Disconnected],
    )
    .await;
    let ended = tokio::time::timeout(Duration::from_secs(20), ending)
        .await
        .expect("it does not hang")
        .unwrap();
    assert!(
        matches!(ended, Err(DisconnectError::Adapter(_))),
        "{ended:?}"
    );
    redis.thaw();
}

#[tokio::test]
async fn logging_in_and_renewing_need_no_redis() {
    let Some(Cluster {
        here, mut redis, ..
    }) = Cluster::start().await
    else {
        return;
    };
    redis.stop();
    let mut guest = here.client("/", None).await;
    assert!(matches!(
        renew(&mut guest, &token("ada")).await,
        Received::Ack(_)
    ));
    assert!(matches!(
        renew(&mut guest, &token("ada")).await,
        Received::Ack(_)
    ));
    expect_in(&mut guest, "ada").await;
}

#[tokio::test]
async fn users_are_reached_again_when_redis_is_back() {
    let Some(Cluster {
        here,
        there,
        mut redis,
        ..
    }) = Cluster::start().await
    else {
        return;
    };
    let mut far = there.client("/", Some("ada")).await;
    redis.stop();
    redis.restart();
    until_seen(&here, "ada").await;
    here.io
        .to(user_room("ada"))
        .emit("mail", "back again")
        .await
        .unwrap();
    far.expect("/", mail("back again")).await;
    disconnect_user(&here.io, "ada").await.unwrap();
    far.expect("/", unauthorized("session_ended")).await;
    far.expect("/", Received::Disconnected).await;
}

/// Waits until both nodes are connected to Redis again, and this one sees the user's socket on the
/// other.
async fn until_seen(node: &Node, key: &str) {
    within("the other node", async {
        while !matches!(node.io.to(user_room(key)).fetch_sockets().await, Ok(sockets) if sockets.len() == 1) {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
