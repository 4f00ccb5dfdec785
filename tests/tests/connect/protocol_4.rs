//! Sessions of clients that speak protocol 4 (1.x and 2.x), which have no auth payload and are in
//! `/` without a CONNECT.
#![cfg(feature = "interop")]

use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::JwtAuthBuilder;
use socketioxide_jwt_auth_tests::{
    Raw, Received, Server, answer, authenticate, emit_with_ack, refused_ack, renew, renewed_until,
    seconds_from_now, token, token_expiring_in, token_valid_for, unauthorized_event,
};

fn builder() -> JwtAuthBuilder<authenticate> {
    authenticate::builder()
        .guest(true)
        .authenticate_event("authenticate")
        .leeway("0s")
}

async fn server() -> Server {
    let server = Server::start().await;
    server.io.ns("/", answer.with(builder().build().unwrap()));
    server.io.ns(
        "/second",
        answer.with(builder().guest_timeout("500ms").build().unwrap()),
    );
    server.io.ns(
        "/warned",
        answer.with(builder().expiry_warning("1h").build().unwrap()),
    );
    server
}

/// Opens a client in `/`, with the token in its query string.
async fn open(server: &Server, token: Option<&str>) -> Raw {
    let query = token
        .map(|token| format!("&auth_token={token}"))
        .unwrap_or_default();
    let mut raw = Raw::open_protocol_4(server.address(), &query).await;
    raw.expect("/", Received::Connected).await;
    raw.expect("/", Received::event("ready", json!(null))).await;
    raw
}

async fn join(raw: &mut Raw, namespace: &str) {
    raw.connect(namespace, "").await;
    raw.expect(namespace, Received::Connected).await;
    raw.expect(namespace, Received::event("ready", json!(null)))
        .await;
}

async fn expect_who(raw: &mut Raw, name: &str) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        Received::ack(json!(name))
    );
}

#[tokio::test]
async fn a_guest_logs_in_and_renews() {
    let server = server().await;
    let mut raw = open(&server, None).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        refused_ack("login_required")
    );
    assert_eq!(
        renew(&mut raw, &token("nobody")).await,
        refused_ack("user_not_found")
    );

    let (token, expires_at) = (token_expiring_in(60, "ada"), seconds_from_now(60));
    let told = renewed_until(&renew(&mut raw, &token).await);
    assert!([expires_at, expires_at - 1].contains(&told), "{told}");
    expect_who(&mut raw, "Ada").await;
    renew(&mut raw, &token).await.assert_renewal();
    assert_eq!(
        renew(&mut raw, &token_valid_for(60.0, "grace").0).await,
        refused_ack("subject_mismatch")
    );
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn a_refusal_without_an_acknowledgement_is_an_event() {
    let server = server().await;
    let mut raw = open(&server, None).await;
    raw.emit("/", &json!(["authenticate", { "token": token("nobody") }]))
        .await;
    raw.expect("/", unauthorized_event("user_not_found", "authenticate"))
        .await;
}

#[tokio::test]
async fn a_session_expires_unless_it_is_renewed() {
    let server = server().await;
    let (first, _) = token_valid_for(0.8, "ada");
    let mut expiring = open(&server, Some(&first)).await;
    let mut renewed = open(&server, Some(&first)).await;
    renew(&mut renewed, &token("ada")).await.assert_renewal();
    expiring.expect_ended("/", "token_expired").await;
    expect_who(&mut renewed, "Ada").await;
}

#[tokio::test]
async fn other_namespaces_have_sessions_of_their_own() {
    let server = server().await;
    let mut raw = open(&server, None).await;

    join(&mut raw, "/warned").await;
    raw.emit_with_ack(
        "/warned",
        1,
        &json!(["authenticate", { "token": token_valid_for(1.0, "ada").0 }]),
    )
    .await;
    raw.next().await.1.assert_renewal();

    let (_, received) = raw.next().await;
    assert!(
        matches!(&received, Received::Event(name, _) if name == "token_expiring"),
        "{received:?}"
    );
    raw.expect_ended("/warned", "token_expired").await;
    assert_eq!(
        emit_with_ack(&mut raw, "ping", &json!(null)).await,
        Received::ack(json!("pong"))
    );
}

#[tokio::test]
async fn a_guest_that_does_not_log_in_in_time_is_disconnected() {
    let server = server().await;
    let mut raw = open(&server, None).await;
    join(&mut raw, "/second").await;
    raw.expect_ended("/second", "login_required").await;
}
