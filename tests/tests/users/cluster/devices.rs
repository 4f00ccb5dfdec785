//! The logins of a user on several devices, which are connected to different nodes.

use serde_json::json;
use socketioxide_jwt_auth::{disconnect_session, user_room};
use socketioxide_jwt_auth_tests::{
    Raw, Received, SECRET, emit_with_ack, join, mint, refused_ack, renew, seconds_from_now, token,
    unauthorized,
};

use crate::cluster::{
    Cluster,
    node::{NAMESPACES, Node, expect_everywhere, expect_in, expect_waiting},
};

fn of_device(subject: &str, sid: &str) -> String {
    let claims = json!({ "sub": subject, "sid": sid, "exp": seconds_from_now(3600) });
    mint(&claims, SECRET)
}

async fn device(node: &Node, subject: &str, sid: &str) -> Raw {
    let mut raw = node.raw().await;
    join(&mut raw, "/", Some(&of_device(subject, sid))).await;
    raw
}

async fn expect_ended(raw: &mut Raw) {
    raw.expect_ended("/", "session_ended").await;
}

async fn end_others(raw: &mut Raw) -> Received {
    emit_with_ack(raw, "end_others", &json!(null)).await
}

/// The sockets of this crate's rooms are in no others once nothing is under way.
fn assert_no_marks(nodes: [&Node; 2]) {
    for node in nodes {
        for namespace in NAMESPACES {
            for socket in node.io.of(namespace).unwrap().sockets() {
                let rooms = socket.rooms();
                let is_own = |room: &str| {
                    room.starts_with("jwt_auth:user:") || room.starts_with("jwt_auth:session:")
                };
                assert!(rooms.iter().all(|room| is_own(room)), "{rooms:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_logout_of_a_device_ends_its_sockets_on_both_nodes_and_no_others() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut phones = [
        device(&cluster.here, "ada", "phone").await,
        device(&cluster.there, "ada", "phone").await,
        device(&cluster.there, "ada", "phone").await,
    ];
    let mut tablet = device(&cluster.there, "ada", "tablet").await;

    let ended = disconnect_session(&cluster.here.io, "phone").await.unwrap();
    assert_eq!(ended, 1, "on this node");
    for phone in &mut phones {
        expect_ended(phone).await;
    }
    expect_in(&mut tablet, "ada").await;
}

#[tokio::test]
async fn a_late_logout_of_the_old_key_does_not_end_a_renewed_session_of_the_other_node() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut raw = device(&cluster.there, "ada", "old").await;
    renew(&mut raw, &of_device("ada", "new"))
        .await
        .assert_renewal();
    disconnect_session(&cluster.here.io, "old").await.unwrap();
    expect_in(&mut raw, "ada").await;
    disconnect_session(&cluster.here.io, "new").await.unwrap();
    expect_ended(&mut raw).await;
}

#[tokio::test]
async fn the_other_sockets_of_a_user_end_on_both_nodes_but_those_of_the_same_device() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut phone = device(&cluster.here, "ada", "phone").await;
    let mut same = device(&cluster.there, "ada", "phone").await;
    let mut others = [
        device(&cluster.here, "ada", "tablet").await,
        device(&cluster.there, "ada", "tablet").await,
        cluster.there.client("/", Some("ada")).await,
    ];
    let mut grace = device(&cluster.there, "grace", "tablet").await;

    assert_eq!(end_others(&mut phone).await, Received::ack(json!(1)));
    for other in &mut others {
        expect_ended(other).await;
    }
    for (raw, name) in [
        (&mut phone, "ada"),
        (&mut same, "ada"),
        (&mut grace, "grace"),
    ] {
        expect_in(raw, name).await;
    }
    assert_no_marks([&cluster.here, &cluster.there]);

    // Later renewals are accepted.
    for _ in 0..2 {
        renew(&mut same, &of_device("ada", "tablet"))
            .await
            .assert_renewal();
    }
}

#[tokio::test]
async fn without_a_session_key_the_sockets_of_the_connection_stay_and_all_others_end() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut own = cluster.here.everywhere("ada").await;
    let mut near = cluster.here.everywhere("ada").await;
    let mut far = cluster.there.everywhere("ada").await;
    assert_eq!(end_others(&mut own).await, Received::ack(json!(2)));
    for other in [&mut near, &mut far] {
        expect_everywhere(
            other,
            &[unauthorized("session_ended"), Received::Disconnected],
        )
        .await;
    }
    expect_in(&mut own, "ada").await;
    assert_eq!(
        NAMESPACES.map(|namespace| (
            cluster.here.sockets_in(namespace),
            cluster.there.sockets_in(namespace)
        )),
        [(1, 0); 2]
    );
    assert_no_marks([&cluster.here, &cluster.there]);
    assert_eq!(cluster.here.io.to(user_room("ada")).sockets().len(), 1);
}

#[tokio::test]
async fn attempts_on_the_other_node_are_refused_unless_they_are_of_the_same_device() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut phone = device(&cluster.here, "ada", "phone").await;
    let mut attempts = Vec::new();
    for (subject, sid, answer) in [
        ("ada", "phone", Received::Connected),
        ("ada", "tablet", Received::refused("session_ended")),
        ("grace", "tablet", Received::Connected),
    ] {
        let mut raw = cluster.there.raw().await;
        raw.connect_with_token("/slow", &of_device(subject, sid))
            .await;
        attempts.push((raw, answer));
    }
    let mut without = cluster.there.raw().await;
    without.connect_with_token("/slow", &token("ada")).await;
    attempts.push((without, Received::refused("session_ended")));
    expect_waiting(&mut cluster.records, 4).await;

    assert_eq!(end_others(&mut phone).await, Received::ack(json!(0)));
    for _ in 0..4 {
        cluster.gate.open_once();
    }
    for (raw, answer) in &mut attempts {
        raw.expect("/slow", answer.clone()).await;
    }
    assert_no_marks([&cluster.here, &cluster.there]);
}

#[tokio::test]
async fn attempts_of_a_device_on_the_other_node_are_refused() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut connecting = cluster.there.raw().await;
    connecting
        .connect_with_token("/slow", &of_device("ada", "phone"))
        .await;
    let mut guest = cluster.there.client("/slow", None).await;
    let login = json!(["authenticate", { "token": of_device("ada", "phone") }]);
    guest.emit_with_ack("/slow", 1, &login).await;
    let mut tablet = cluster.there.raw().await;
    tablet
        .connect_with_token("/slow", &of_device("ada", "tablet"))
        .await;
    expect_waiting(&mut cluster.records, 3).await;

    disconnect_session(&cluster.here.io, "phone").await.unwrap();
    for _ in 0..3 {
        cluster.gate.open_once();
    }
    connecting
        .expect("/slow", Received::refused("session_ended"))
        .await;
    guest.expect("/slow", refused_ack("session_ended")).await;
    tablet.expect("/slow", Received::Connected).await;
}

#[tokio::test]
async fn a_connection_in_a_later_middleware_of_the_other_node_ends_with_its_device_only() {
    let Some(mut cluster) = Cluster::start().await else {
        return;
    };

    let mut phone = device(&cluster.here, "ada", "phone").await;
    let mut same = cluster.there.raw().await;
    same.connect_with_token("/later", &of_device("ada", "phone"))
        .await;
    let mut tablet = cluster.there.raw().await;
    tablet
        .connect_with_token("/later", &of_device("ada", "tablet"))
        .await;
    expect_waiting(&mut cluster.records, 2).await;
    assert_eq!(end_others(&mut phone).await, Received::ack(json!(0)));
    cluster.gate.open_once();
    cluster.gate.open_once();

    tablet.expect("/later", Received::Connected).await;
    while tablet.next().await.1 != Received::Disconnected {}
    same.expect("/later", Received::Connected).await;
    same.expect("/later", Received::event("ready", json!(null)))
        .await;
    same.emit_with_ack("/later", 1, &json!(["whoami"])).await;
    same.expect("/later", Received::ack(json!("ada"))).await;
}
