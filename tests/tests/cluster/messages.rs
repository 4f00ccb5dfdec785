//! What is sent to a user on one node reaches it on every node.

use socketioxide_jwt_auth::{disconnect_user, user_room};
use socketioxide_jwt_auth_tests::{ODD_KEYS, Told, renew, token};

use crate::{
    Cluster,
    node::{expect_everywhere, expect_in, mail},
};

#[tokio::test]
async fn a_message_reaches_a_user_on_both_nodes_in_all_namespaces_and_nobody_else() {
    let Some(Cluster { here, there, redis: _redis, .. }) = Cluster::start().await else { return };
    let mut adas = [here.everywhere("ada").await, there.everywhere("ada").await];
    let mut graces = [here.everywhere("grace").await, there.everywhere("grace").await];
    here.send_to("ada", "from here").await;
    for ada in &mut adas {
        expect_everywhere(ada, &[mail("from here")]).await;
    }
    there.send_to("ada", "from there").await;
    for ada in &mut adas {
        expect_everywhere(ada, &[mail("from there")]).await;
    }
    here.send_to("grace", "for grace").await;
    for grace in &mut graces {
        expect_everywhere(grace, &[mail("for grace")]).await;
    }
}

#[tokio::test]
async fn a_guest_is_in_no_room_until_it_logs_in_on_the_open_socket() {
    let Some(Cluster { here, there, redis: _redis, .. }) = Cluster::start().await else { return };
    let mut guest = there.client("/", None).await;
    for key in ["", "guest", "ada"] {
        here.io.to(user_room(key)).emit("mail", "not for guests").await.unwrap();
    }
    assert!(matches!(renew(&mut guest, &token("ada")).await, Told::Ack(_)));
    here.io.to(user_room("ada")).emit("mail", "for ada").await.unwrap();
    guest.expect("/", mail("for ada")).await;
}

#[tokio::test]
async fn a_key_of_odd_characters_reaches_nobody_else() {
    let Some(Cluster { here, there, redis: _redis, .. }) = Cluster::start().await else { return };
    let mut users = Vec::new();
    for key in ODD_KEYS {
        users.push((key, there.client("/", Some(key)).await));
    }
    for key in ODD_KEYS {
        here.io.to(user_room(key)).emit("mail", key).await.unwrap();
    }
    for (key, user) in &mut users {
        user.expect("/", mail(key)).await;
    }
    while let Some((key, mut user)) = users.pop() {
        disconnect_user(&here.io, key).await.unwrap();
        user.expect("/", Told::Disconnected).await;
        for (key, user) in &mut users {
            expect_in(user, key).await;
        }
    }
}

#[tokio::test]
async fn an_empty_key_is_a_key_like_any_other() {
    let Some(Cluster { here, there, redis: _redis, .. }) = Cluster::start().await else { return };
    let mut nameless = there.client("/", Some("")).await;
    let mut ada = there.client("/", Some("ada")).await;
    here.io.to(user_room("")).emit("mail", "for the nameless").await.unwrap();
    nameless.expect("/", mail("for the nameless")).await;
    disconnect_user(&here.io, "").await.unwrap();
    nameless.expect("/", Told::Disconnected).await;
    expect_in(&mut ada, "ada").await;
}
