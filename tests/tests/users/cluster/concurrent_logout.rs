//! A logout on one node during a connection or a login of its user on the other.

use serde_json::json;
use socketioxide_jwt_auth::disconnect_user;
use socketioxide_jwt_auth_tests::{Received, emit_with_ack, refused_ack, token};

use crate::cluster::{
    Cluster,
    node::{expect_in, expect_waiting},
};

#[tokio::test]
async fn a_connection_whose_lookup_runs_on_the_other_node_is_refused() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut ada = cluster.there.raw().await;
    ada.connect_with_token("/slow", &token("ada")).await;
    let mut grace = cluster.there.raw().await;
    grace.connect_with_token("/slow", &token("grace")).await;
    expect_waiting(&mut cluster.records, 2).await;

    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    cluster.gate.open_once();
    cluster.gate.open_once();
    ada.expect("/slow", Received::refused("session_ended"))
        .await;
    grace.expect("/slow", Received::Connected).await;

    // A later attempt begins after the logout.
    cluster.gate.open_once();
    ada.connect_with_token("/slow", &token("ada")).await;
    ada.expect("/slow", Received::Connected).await;
}

#[tokio::test]
async fn a_guest_whose_login_runs_on_the_other_node_stays_a_guest() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut ada = cluster.there.client("/slow", None).await;
    let mut grace = cluster.there.client("/slow", None).await;
    for (raw, subject) in [(&mut ada, "ada"), (&mut grace, "grace")] {
        raw.emit_with_ack(
            "/slow",
            1,
            &json!(["authenticate", { "token": token(subject) }]),
        )
        .await;
    }
    expect_waiting(&mut cluster.records, 2).await;

    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    cluster.gate.open_once();
    cluster.gate.open_once();
    ada.expect("/slow", refused_ack("session_ended")).await;
    grace.next().await.1.assert_renewal();

    // No trace of the logout remains, so a later login succeeds.
    ada.emit_with_ack("/slow", 2, &json!(["whoami"])).await;
    ada.expect("/slow", refused_ack("login_required")).await;
    cluster.gate.open_once();
    ada.emit_with_ack(
        "/slow",
        3,
        &json!(["authenticate", { "token": token("ada") }]),
    )
    .await;
    ada.next().await.1.assert_renewal();
    for socket in cluster.there.io.of("/slow").unwrap().sockets() {
        let rooms = socket.rooms();
        assert!(
            rooms.iter().all(|room| room.starts_with("jwt_auth:user:")),
            "{rooms:?}"
        );
    }
}

#[tokio::test]
async fn a_connection_in_a_later_middleware_of_the_other_node_is_ended_once_it_is_connected() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut ada = cluster.there.raw().await;
    ada.connect_with_token("/later", &token("ada")).await;
    expect_waiting(&mut cluster.records, 1).await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    cluster.gate.open_once();
    ada.expect("/later", Received::Connected).await;
    while ada.next().await.1 != Received::Disconnected {}
    assert_eq!(cluster.there.sockets_in("/later"), 0);
}

#[tokio::test]
async fn the_hook_of_the_other_node_is_told_how_an_attempt_under_way_ended() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    // During the lookup there is no session yet, so it is refused.
    let mut slow = cluster.there.raw().await;
    slow.connect_with_token("/slow", &token("ada")).await;
    expect_waiting(&mut cluster.records, 1).await;
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    cluster.gate.open_once();
    slow.expect("/slow", Received::refused("session_ended"))
        .await;
    assert_eq!(
        cluster.there.events.line().await,
        "Refused /slow - session_ended"
    );

    // In a later middleware there is one, which was accepted.
    let mut later = cluster.there.raw().await;
    later.connect_with_token("/later", &token("ada")).await;
    expect_waiting(&mut cluster.records, 1).await;
    assert_eq!(cluster.there.events.line().await, "Accepted /later ada -");
    disconnect_user(&cluster.here.io, "ada").await.unwrap();
    cluster.gate.open_once();
    assert_eq!(
        cluster.there.events.line().await,
        "Ended /later ada session_ended"
    );
    while later.next().await.1 != Received::Disconnected {}
    assert_eq!(cluster.there.events.unread(), Vec::<String>::new());
}

#[tokio::test]
async fn a_connection_leaves_no_rooms_of_its_attempt() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut ada = cluster.there.client("/", Some("ada")).await;
    expect_in(&mut ada, "ada").await;
    emit_with_ack(&mut ada, "authenticate", &json!({ "token": token("ada") }))
        .await
        .assert_renewal();
    let _guest = cluster.there.client("/", None).await;
    let mut rooms: Vec<_> = cluster
        .there
        .io
        .sockets()
        .iter()
        .map(|socket| socket.rooms())
        .collect();
    rooms.sort();
    assert_eq!(
        rooms,
        [
            vec![],
            vec![std::borrow::Cow::Borrowed("jwt_auth:user:ada")]
        ]
    );
}
