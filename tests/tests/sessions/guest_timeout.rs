//! Guests that do not log in in time.

use std::time::Duration;

use serde_json::json;
use socketioxide::{
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{JwtAuthBuilder, SocketAuth, UserLookup, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, Raw, Received, Recorder, SECRET, Server, User, answer, authenticate,
    emit_with_ack, find_user, now, ready, refused_ack, renew, token,
};

const LIMIT: Duration = Duration::from_millis(700);

#[jwt_auth(secret = SECRET)]
async fn own_guests(claims: Option<Claims>) -> Option<User> {
    find_user(claims.as_ref().map_or("grace", |claims| &claims.sub))
}

fn with_limit<L: UserLookup>(builder: JwtAuthBuilder<L>) -> JwtAuthBuilder<L> {
    builder
        .guest(true)
        .authenticate_event("authenticate")
        .guest_timeout(LIMIT)
}

async fn server() -> Server {
    let server = Server::start().await;
    server.io.ns(
        "/",
        answer.with(with_limit(authenticate::builder()).build().unwrap()),
    );
    server.io.ns(
        "/own",
        answer.with(with_limit(own_guests::builder()).build().unwrap()),
    );
    server
}

async fn expect_timeout(raw: &mut Raw, namespace: &str) {
    raw.expect_ended(namespace, "login_required").await;
}

#[tokio::test]
async fn a_guest_that_does_not_log_in_is_told_and_disconnected() {
    let server = server().await;
    let started = now();
    let mut raw = ready(&server, "/", None).await;
    expect_timeout(&mut raw, "/").await;
    assert!(now() >= started + LIMIT.as_secs_f64());
    assert_eq!(server.sockets_in("/"), 0);
}

#[tokio::test]
async fn a_guest_that_logs_in_stays() {
    let server = server().await;
    let mut user = ready(&server, "/", None).await;
    renew(&mut user, &token("ada")).await.assert_renewal();
    expect_timeout(&mut ready(&server, "/", None).await, "/").await;
    assert_eq!(
        emit_with_ack(&mut user, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn the_limit_does_not_apply_to_users() {
    let server = server().await;
    let mut user = ready(&server, "/", Some(&token("ada"))).await;
    expect_timeout(&mut ready(&server, "/", None).await, "/").await;
    assert_eq!(
        emit_with_ack(&mut user, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn failed_logins_do_not_extend_the_limit() {
    let server = server().await;
    let started = now();
    let mut raw = ready(&server, "/", None).await;
    for _ in 0..3 {
        assert_eq!(
            renew(&mut raw, &token("nobody")).await,
            refused_ack("user_not_found")
        );
    }
    expect_timeout(&mut raw, "/").await;
    assert!(now() < started + 2.0 * LIMIT.as_secs_f64());
}

#[tokio::test]
async fn the_limit_applies_to_a_guest_user_of_the_lookup() {
    let server = server().await;
    let mut raw = ready(&server, "/own", None).await;
    raw.emit_with_ack("/own", 1, &json!(["whoami"])).await;
    raw.expect("/own", Received::ack(json!("Grace"))).await;
    expect_timeout(&mut raw, "/own").await;
}

#[tokio::test]
async fn a_guest_user_of_the_lookup_that_logs_in_stays() {
    let server = server().await;
    let mut user = ready(&server, "/own", None).await;

    user.emit_with_ack(
        "/own",
        1,
        &json!(["authenticate", { "token": token("ada") }]),
    )
    .await;
    user.next().await.1.assert_renewal();
    expect_timeout(&mut ready(&server, "/own", None).await, "/own").await;

    user.emit_with_ack("/own", 2, &json!(["whoami"])).await;
    user.expect("/own", Received::ack(json!("Ada"))).await;
}

#[tokio::test]
async fn each_namespace_has_its_own_limit() {
    let server = server().await;
    server.io.ns(
        "/patient",
        answer.with(authenticate::builder().guest(true).build().unwrap()),
    );
    let mut raw = ready(&server, "/patient", None).await;
    socketioxide_jwt_auth_tests::join(&mut raw, "/", None).await;
    expect_timeout(&mut raw, "/").await;
    raw.emit_with_ack("/patient", 1, &json!(["ping"])).await;
    raw.expect("/patient", Received::ack(json!("pong"))).await;
}

#[tokio::test]
async fn an_endless_limit_never_ends_a_session() {
    let server = Server::start().await;
    let builder = with_limit(authenticate::builder()).guest_timeout(Duration::MAX);
    server.io.ns("/", answer.with(builder.build().unwrap()));
    let mut raw = ready(&server, "/", None).await;
    assert_eq!(
        emit_with_ack(&mut raw, "ping", &json!(null)).await,
        Received::ack(json!("pong"))
    );
}

#[jwt_auth(secret = SECRET, user_key = |user: &User| user.name)]
async fn slow(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<User> {
    recorder.record("lookup");
    gate.pass().await;
    find_user(&claims.sub)
}

#[tokio::test]
async fn a_login_that_is_under_way_at_the_limit_is_too_late() {
    async fn on_connect(socket: SocketRef) {
        socket.on_login(async |State(recorder): State<Recorder>| recorder.record("login"));
        answer(socket).await;
    }
    let (server, mut records, gate) = Server::with_gate().await;
    server.io.ns(
        "/",
        on_connect.with(with_limit(slow::builder()).build().unwrap()),
    );
    server.io.ns(
        "/next",
        answer.with(with_limit(authenticate::builder()).build().unwrap()),
    );

    let mut raw = ready(&server, "/", None).await;
    let kept = server.io.sockets().pop().unwrap();
    raw.emit_with_ack("/", 1, &json!(["authenticate", { "token": token("ada") }]))
        .await;
    assert_eq!(records.next().await, "lookup");
    expect_timeout(&mut raw, "/").await;
    gate.open_once();
    raw.expect("/", refused_ack("login_required")).await;
    assert!(kept.auth_user::<User>().is_none());
    assert!(kept.rooms().is_empty());

    // The client may connect again at once.
    socketioxide_jwt_auth_tests::join(&mut raw, "/next", Some(&token("ada"))).await;
    assert_eq!(records.unread(), [""; 0], "no login took place");
}
