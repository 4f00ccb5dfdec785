//! A forced logout, also of clients that read slowly.

use serde_json::json;
use socketioxide_jwt_auth::{
    AuthError, DisconnectError, disconnect_user, disconnect_user_because, user_room,
};
use socketioxide_jwt_auth_tests::{
    Raw, Received, Records, Server, join, ready, token, unauthorized, unauthorized_denied, within,
};

use super::{NAMESPACES, everywhere, expect_everywhere, expect_in, send_to, server};

#[tokio::test]
async fn a_logout_ends_all_sockets_of_a_user_and_no_others() {
    let (server, ..) = server().await;
    let mut adas = [
        everywhere(&server, "ada").await,
        everywhere(&server, "ada").await,
    ];
    let mut grace = everywhere(&server, "grace").await;

    disconnect_user(&server.io, "ada").await.unwrap();
    for ada in &mut adas {
        expect_everywhere(
            ada,
            &[unauthorized("session_ended"), Received::Disconnected],
        )
        .await;
    }

    expect_in(&mut grace, "grace").await;
    assert_eq!(
        NAMESPACES.map(|namespace| server.sockets_in(namespace)),
        [1, 1]
    );
}

#[tokio::test]
async fn a_user_is_told_once_why_it_is_disconnected() {
    let (server, ..) = server().await;
    let mut ada = everywhere(&server, "ada").await;
    let mut grace = everywhere(&server, "grace").await;
    let reason = AuthError::denied("removed by a moderator");

    disconnect_user_because(&server.io, "ada", &reason)
        .await
        .unwrap();
    expect_everywhere(
        &mut ada,
        &[
            unauthorized_denied("removed by a moderator"),
            Received::Disconnected,
        ],
    )
    .await;
    expect_in(&mut grace, "grace").await;
}

#[tokio::test]
async fn the_cause_of_a_failure_is_not_told() {
    let (server, ..) = server().await;
    let mut ada = everywhere(&server, "ada").await;
    disconnect_user_because(&server.io, "ada", &AuthError::internal("no database"))
        .await
        .unwrap();
    expect_everywhere(
        &mut ada,
        &[unauthorized("internal_error"), Received::Disconnected],
    )
    .await;
}

#[tokio::test]
async fn a_disconnect_handler_still_sees_the_user_and_its_other_rooms() {
    let (server, _, mut records) = server().await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    server.io.to(user_room("ada")).join("lobby").await.unwrap();
    disconnect_user(&server.io, "ada").await.unwrap();
    ada.expect_ended("/", "session_ended").await;
    let record = records.next().await;
    assert!(
        record.starts_with("ada left") && record.contains("lobby"),
        "{record}"
    );
}

#[tokio::test]
async fn a_logout_of_an_unknown_user_disconnects_no_socket() {
    let (server, ..) = server().await;
    let mut ada = everywhere(&server, "ada").await;
    disconnect_user(&server.io, "nobody").await.unwrap();
    disconnect_user(&server.io, 5).await.unwrap();
    expect_in(&mut ada, "ada").await;
}

#[tokio::test]
async fn a_disconnected_user_comes_back_only_if_the_lookup_lets_it() {
    let (server, directory, _) = server().await;
    let mut ada = ready(&server, "/", Some(&token("ada"))).await;
    disconnect_user(&server.io, "ada").await.unwrap();
    ada.expect_ended("/", "session_ended").await;
    join(&mut ada, "/", Some(&token("ada"))).await;
    directory.rename("ada", "");
    disconnect_user(&server.io, "ada").await.unwrap();
    ada.expect_ended("/", "session_ended").await;
    ada.connect_with_token("/", &token("ada")).await;
    ada.expect("/", Received::refused("banned")).await;
}

/// Connects a client of `ada` that does not read, and fills its channel.
async fn slow(server: &Server, records: &mut Records) -> Raw {
    let mut slow = ready(server, "/", Some(&token("ada"))).await;
    slow.emit("/", &json!(["flood"])).await;
    assert_eq!(records.next().await, "flooded");
    slow
}

#[tokio::test]
async fn a_slow_reader_loses_its_user_at_once_and_is_told_when_it_reads() {
    let (server, _, mut records) = server().await;
    let mut slow = slow(&server, &mut records).await;
    let mut other = ready(&server, "/", Some(&token("ada"))).await;
    let io = server.io.clone();
    let reason = AuthError::denied("removed");
    let ending = tokio::spawn(async move { disconnect_user_because(&io, "ada", &reason).await });
    // The other socket of the user does not wait for the slow one.
    other.expect("/", unauthorized_denied("removed")).await;
    other.expect("/", Received::Disconnected).await;
    assert!(records.next().await.starts_with("ada left"));

    slow.emit("/", &json!(["as_user"])).await;
    slow.emit("/", &json!(["as_guest"])).await;
    assert_eq!(records.next().await, "as_guest");
    send_to(&server, "ada", "for users").await;

    let received = read_past_the_flood(&mut slow).await;
    assert_eq!(received, unauthorized_denied("removed"));
    slow.expect("/", Received::Disconnected).await;
    within("the end of the user", ending)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn a_client_that_never_reads_is_reported() {
    let (server, _, mut records) = server().await;
    let _slow = slow(&server, &mut records).await;
    let ended = within("an answer", disconnect_user(&server.io, "ada")).await;
    assert!(
        matches!(ended, Err(DisconnectError::SlowClient)),
        "{ended:?}"
    );
}

async fn read_past_the_flood(raw: &mut Raw) -> Received {
    loop {
        match raw.next().await.1 {
            Received::Event(name, _) if name == "flood" => {}
            received => return received,
        }
    }
}
