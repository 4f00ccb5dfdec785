//! A message to a user on one node reaches its sockets on every node.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::json;
use socketioxide_jwt_auth::{disconnect_user, user_room};
use socketioxide_jwt_auth_tests::{Gate, ODD_KEYS, Received, recorder, renew, token};
use tokio::time::timeout;

use crate::cluster::{
    Cluster,
    node::{Node, expect_everywhere, expect_in, mail},
    redis::Redis,
};

#[tokio::test]
async fn a_message_reaches_a_user_on_both_nodes_in_all_namespaces_and_no_other_user() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut adas = [
        cluster.here.everywhere("ada").await,
        cluster.there.everywhere("ada").await,
    ];
    let mut graces = [
        cluster.here.everywhere("grace").await,
        cluster.there.everywhere("grace").await,
    ];
    cluster.here.send_to("ada", "from here").await;

    for ada in &mut adas {
        expect_everywhere(ada, &[mail("from here")]).await;
    }

    cluster.there.send_to("ada", "from there").await;

    for ada in &mut adas {
        expect_everywhere(ada, &[mail("from there")]).await;
    }

    cluster.here.send_to("grace", "for grace").await;

    for grace in &mut graces {
        expect_everywhere(grace, &[mail("for grace")]).await;
    }
}

#[tokio::test]
async fn a_guest_is_in_no_room_until_it_logs_in_on_the_open_socket() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut guest = cluster.there.client("/", None).await;
    for key in ["", "guest", "ada"] {
        cluster
            .here
            .io
            .to(user_room(key))
            .emit("mail", "not for guests")
            .await
            .unwrap();
    }
    renew(&mut guest, &token("ada")).await.assert_renewal();
    cluster
        .here
        .io
        .to(user_room("ada"))
        .emit("mail", "for ada")
        .await
        .unwrap();
    guest.expect("/", mail("for ada")).await;
}

#[tokio::test]
async fn a_key_with_special_characters_reaches_only_its_user() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut users = Vec::new();
    for key in ODD_KEYS {
        users.push((key, cluster.there.client("/", Some(key)).await));
    }

    for key in ODD_KEYS {
        cluster
            .here
            .io
            .to(user_room(key))
            .emit("mail", key)
            .await
            .unwrap();
    }

    for (key, user) in &mut users {
        user.expect("/", mail(key)).await;
    }

    while let Some((key, mut user)) = users.pop() {
        disconnect_user(&cluster.here.io, key).await.unwrap();
        user.expect_ended("/", "session_ended").await;
        for (key, user) in &mut users {
            expect_in(user, key).await;
        }
    }
}

#[tokio::test]
async fn an_empty_key_is_a_key_like_any_other() {
    let Some(cluster) = Cluster::start().await else {
        return;
    };

    let mut empty = cluster.there.client("/", Some("")).await;
    let mut ada = cluster.there.client("/", Some("ada")).await;
    cluster
        .here
        .io
        .to(user_room(""))
        .emit("mail", "for the empty key")
        .await
        .unwrap();
    empty.expect("/", mail("for the empty key")).await;
    disconnect_user(&cluster.here.io, "").await.unwrap();
    empty.expect_ended("/", "session_ended").await;
    expect_in(&mut ada, "ada").await;
}

/// The driver keeps 32 messages by default until the adapter has read them.
#[tokio::test]
async fn broadcasts_that_are_sent_at_once_all_reach_the_other_node() {
    const BROADCASTS: usize = 1_000;
    let Some(redis) = Redis::start() else { return };
    let (recorder, _records) = recorder();
    let here =
        Node::start_with_buffer(&redis.url(), recorder.clone(), Gate::closed(), BROADCASTS).await;
    let there = Node::start_with_buffer(&redis.url(), recorder, Gate::closed(), BROADCASTS).await;
    let mut client = there.client("/", Some("ada")).await;

    let sending =
        join_all((0..BROADCASTS).map(async |number| here.io.emit("number", &number).await));
    let mut arrived = Vec::new();
    let receiving = async {
        while arrived.len() < BROADCASTS {
            arrived.push(client.next().await);
        }
    };
    // If some are lost, the test reports how many arrived.
    let (sent, all_arrived) = join(sending, timeout(Duration::from_secs(5), receiving)).await;

    assert!(sent.iter().all(Result::is_ok));
    assert!(
        all_arrived.is_ok(),
        "{} of {BROADCASTS} broadcasts came",
        arrived.len()
    );
    let expected: Vec<_> = (0..BROADCASTS)
        .map(|number| ("/".to_owned(), Received::event("number", json!(number))))
        .collect();
    assert!(
        arrived == expected,
        "they came in another order, or one came twice"
    );
    expect_in(&mut client, "ada").await;
}
