//! A forced logout on one node ends the sockets of the user on every node.

use serde_json::json;
use socketioxide_jwt_auth::{AuthError, DisconnectError, disconnect_user, disconnect_user_because};
use socketioxide_jwt_auth_tests::{
    Raw, Received, Records, join, renew, token, unauthorized, unauthorized_denied, within,
};

use crate::cluster::{
    Cluster,
    node::{NAMESPACES, Node, expect_everywhere, expect_in},
};

#[tokio::test]
async fn a_logout_ends_all_sockets_of_a_user_on_both_nodes_and_no_others() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut adas = [
        cluster.here.everywhere("ada").await,
        cluster.there.everywhere("ada").await,
        cluster.there.everywhere("ada").await,
    ];
    let mut graces = [
        cluster.here.everywhere("grace").await,
        cluster.there.everywhere("grace").await,
    ];
    disconnect_user(&cluster.here.io, "ada").await.unwrap();

    // The sockets are gone when `disconnect_user` returns.
    assert_eq!(
        NAMESPACES.map(|namespace| (
            cluster.here.sockets_in(namespace),
            cluster.there.sockets_in(namespace)
        )),
        [(1, 1); 2]
    );

    for ada in &mut adas {
        expect_everywhere(
            ada,
            &[unauthorized("session_ended"), Received::Disconnected],
        )
        .await;
    }

    for grace in &mut graces {
        expect_in(grace, "grace").await;
    }
}

#[tokio::test]
async fn every_socket_is_told_once_why_it_ends() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut adas = [
        cluster.here.everywhere("ada").await,
        cluster.there.everywhere("ada").await,
    ];
    let mut grace = cluster.there.everywhere("grace").await;
    let reason = AuthError::denied("removed by a moderator");
    disconnect_user_because(&cluster.here.io, "ada", &reason)
        .await
        .unwrap();
    for ada in &mut adas {
        expect_everywhere(
            ada,
            &[
                unauthorized_denied("removed by a moderator"),
                Received::Disconnected,
            ],
        )
        .await;
    }
    expect_in(&mut grace, "grace").await;
}

#[tokio::test]
async fn a_user_who_logged_in_on_an_open_socket_ends_too() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut late = cluster.there.client("/", None).await;
    let mut guest = cluster.there.client("/", None).await;
    renew(&mut late, &token("ada")).await.assert_renewal();
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    late.expect_ended("/", "session_ended").await;
    renew(&mut guest, &token("grace")).await.assert_renewal();
}

#[tokio::test]
async fn a_dynamic_namespace_that_both_nodes_know_ends_too() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut grace = cluster.here.client("/room/1", Some("grace")).await;
    let mut ada = cluster.there.client("/room/1", Some("ada")).await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    ada.expect_ended("/room/1", "session_ended").await;
    grace
        .emit_with_ack("/room/1", 1, &json!(["whoami", null]))
        .await;
    grace.expect("/room/1", Received::ack(json!("grace"))).await;
}

/// The documentation names this limit. socketioxide creates a dynamic namespace at its first
/// client.
#[tokio::test]
async fn a_dynamic_namespace_that_only_the_other_node_knows_is_not_reached() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut ada = cluster.there.client("/room/1", Some("ada")).await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    ada.emit_with_ack("/room/1", 1, &json!(["whoami", null]))
        .await;
    ada.expect("/room/1", Received::ack(json!("ada"))).await;
    disconnect_user(&cluster.there.io, "ada").await.unwrap();
    ada.expect_ended("/room/1", "session_ended").await;
}

/// Connects a client of `ada` that does not read, and fills its channel.
async fn slow(node: &Node, records: &mut Records) -> Raw {
    let mut slow = node.client("/", Some("ada")).await;
    slow.emit("/", &json!(["flood"])).await;
    assert_eq!(records.next().await, "flooded");
    slow
}

#[tokio::test]
async fn a_slow_reader_on_the_other_node_ends_when_it_reads() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut slow = slow(&cluster.there, &mut cluster.records).await;
    let mut quick = cluster.there.client("/", Some("ada")).await;
    let io = cluster.here.io.clone();
    let ending = tokio::spawn(async move { disconnect_user(&io, "ada").await });
    quick.expect_ended("/", "session_ended").await;

    loop {
        match slow.next().await.1 {
            Received::Event(name, _) if ["flood", "unauthorized"].contains(&&*name) => {}
            received => break assert_eq!(received, Received::Disconnected),
        }
    }

    within("the end of the user", ending)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(cluster.there.sockets_in("/"), 0);
}

#[tokio::test]
async fn a_client_on_the_other_node_that_never_reads_is_reported() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let _slow = slow(&cluster.there, &mut cluster.records).await;
    let ended = within("an answer", disconnect_user(&cluster.here.io, "ada")).await;
    assert!(
        matches!(ended, Err(DisconnectError::SlowClient)),
        "{ended:?}"
    );
}

#[tokio::test]
async fn a_user_may_come_back_on_any_node() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut ada = cluster.there.client("/", Some("ada")).await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    ada.expect_ended("/", "session_ended").await;
    join(&mut ada, "/", Some(&token("ada"))).await;
    expect_in(&mut ada, "ada").await;
    let mut elsewhere = cluster.here.client("/", Some("ada")).await;
    disconnect_user(&cluster.there.io, "ada").await.unwrap();
    ada.expect_ended("/", "session_ended").await;
    elsewhere.expect_ended("/", "session_ended").await;
}
