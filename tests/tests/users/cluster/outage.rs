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
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut near = cluster.here.everywhere("ada").await;
    let mut far = cluster.there.everywhere("ada").await;
    cluster.redis.stop();

    let io = cluster.here.io.clone();
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
    cluster.redis.restart();
    until_seen(&cluster.here, "ada").await;
    expect_in(&mut far, "ada").await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    expect_everywhere(
        &mut far,
        &[unauthorized("session_ended"), Received::Disconnected],
    )
    .await;
}

#[tokio::test]
async fn with_a_frozen_redis_a_logout_ends_the_sockets_of_this_node() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut near = cluster.here.everywhere("ada").await;
    cluster.redis.freeze();
    let io = cluster.here.io.clone();
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
    cluster.redis.thaw();
}

#[tokio::test]
async fn logging_in_and_renewing_need_no_redis() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    cluster.redis.stop();
    let mut guest = cluster.here.client("/", None).await;
    renew(&mut guest, &token("ada")).await.assert_renewal();
    renew(&mut guest, &token("ada")).await.assert_renewal();
    expect_in(&mut guest, "ada").await;
}

#[tokio::test]
async fn users_are_reached_again_when_redis_is_back() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut far = cluster.there.client("/", Some("ada")).await;
    cluster.redis.stop();
    cluster.redis.restart();
    until_seen(&cluster.here, "ada").await;
    cluster
        .here
        .io
        .to(user_room("ada"))
        .emit("mail", "back again")
        .await
        .unwrap();
    far.expect("/", mail("back again")).await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    far.expect_ended("/", "session_ended").await;
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
