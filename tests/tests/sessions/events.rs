//! `on_event` after a connection: logins, renewals, and every way in which a session ends.

use std::{sync::Mutex, time::Duration};

use serde::Deserialize;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthError, AuthEvent, AuthEventKind, AuthUser, ErrorCode, JwtAuthBuilder, Policy,
    disconnect_others, disconnect_session, disconnect_user, disconnect_user_because, jwt_auth,
    refresh_user,
};
use socketioxide_jwt_auth_tests::{
    AuditLog, Gate, Raw, Received, Recorder, Records, SECRET, Server, User, answer, audit,
    find_user, join, mint, ready, recorder, refused_ack, renew, seconds_from_now, unauthorized,
    unauthorized_denied,
};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: Option<String>,
}

/// The users whose next lookup refuses them.
#[derive(Clone, Copy)]
struct Suspended(&'static Mutex<Vec<String>>);

#[jwt_auth(
    secret = SECRET,
    leeway = "0s",
    guest = true,
    authenticate_event = "authenticate",
    user_key = |user: &User| user.name,
    session_key = |claims: &Claims| claims.sid.clone(),
)]
async fn log_in(
    claims: Claims,
    State(suspended): State<Suspended>,
    State(gate): State<Gate>,
    State(recorder): State<Recorder>,
) -> Result<Option<User>, AuthError> {
    if claims.sid.as_deref() == Some("slow") {
        recorder.record("lookup");
        gate.pass().await;
    }

    if suspended.0.lock().unwrap().contains(&claims.sub) {
        return Err(AuthError::denied("suspended").with_detail("by the moderator"));
    }
    Ok(find_user(&claims.sub))
}

struct Started {
    server: Server,
    events: AuditLog,
    gate: Gate,
    lookups: Records,
    suspended: Suspended,
}

async fn start(builder: JwtAuthBuilder<log_in>) -> Started {
    let suspended = Suspended(Box::leak(Box::default()));
    let gate = Gate::closed();
    let (hook, events) = audit();
    let (recorder, lookups) = recorder();
    let io = SocketIo::builder()
        .with_state(recorder)
        .with_state(suspended)
        .with_state(gate.clone());
    let server = Server::with(io).await;
    let middleware = builder.on_event(hook).build().unwrap();

    server.io.ns("/", answer.with(middleware.clone()));
    server.io.ns("/admin", administrate.with(middleware));
    Started {
        server,
        events,
        gate,
        lookups,
        suspended,
    }
}

struct Administrator;

impl Policy<User> for Administrator {
    fn allows(user: &User) -> bool {
        user.admin
    }
}

async fn administrate(socket: SocketRef, _: AuthUser<User, Administrator>) {
    socket.emit("ready", &()).unwrap();
}

fn token_of(subject: &str, sid: &str) -> String {
    let exp = seconds_from_now(3600);
    mint(&json!({ "sub": subject, "sid": sid, "exp": exp }), SECRET)
}

async fn client(started: &mut Started, subject: &str) -> Raw {
    let raw = ready(&started.server, "/", Some(&token_of(subject, "phone"))).await;
    let event = started.events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Accepted);
    raw
}

/// Shows that no other event came before this one.
async fn expect_no_other(started: &mut Started) {
    ready(&started.server, "/", None).await;
    assert_eq!(started.events.line().await, "Accepted / - - guest");
    assert_eq!(started.events.unread(), [""; 0]);
}

#[tokio::test]
async fn a_login_is_accepted_and_a_renewal_is_renewed_with_all_fields() {
    let mut started = start(log_in::builder()).await;
    let mut raw = ready(&started.server, "/", None).await;
    assert_eq!(started.events.line().await, "Accepted / - - guest");

    renew(&mut raw, &token_of("ada", "phone"))
        .await
        .assert_renewal();
    let event = started.events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Accepted);
    assert_eq!((event.user_key(), event.code()), (Some("Ada"), None));
    assert!(!event.is_guest());

    renew(&mut raw, &token_of("ada", "laptop"))
        .await
        .assert_renewal();
    let event = started.events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Renewed);
    assert_eq!(event.namespace(), "/");
    assert_eq!(event.socket_id(), started.server.io.sockets()[0].id);
    assert_eq!((event.user_key(), event.code()), (Some("Ada"), None));
    assert_eq!((event.detail(), event.is_guest()), (None, false));
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_refused_login_is_that_of_a_guest_and_a_refused_renewal_has_the_key_of_its_user() {
    let mut started = start(log_in::builder()).await;
    let mut guest = ready(&started.server, "/", None).await;
    assert_eq!(started.events.line().await, "Accepted / - - guest");
    renew(&mut guest, "blabla").await;
    assert_eq!(
        started.events.line().await,
        "Refused / - token_malformed guest"
    );

    let mut raw = client(&mut started, "ada").await;
    renew(&mut raw, &token_of("grace", "phone")).await;
    let event = started.events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Refused);
    assert_eq!(event.user_key(), Some("Ada"));
    assert_eq!(event.code(), Some(ErrorCode::SubjectMismatch));
    assert!(event.detail().unwrap().contains("`sub`"));
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_renewal_past_the_limits_is_refused() {
    let mut started = start(log_in::builder()).await;
    let mut raw = client(&mut started, "ada").await;
    for _ in 0..20 {
        renew(&mut raw, &token_of("ada", "phone"))
            .await
            .assert_renewal();
        assert_eq!(started.events.line().await, "Renewed / Ada -");
    }
    assert_eq!(
        renew(&mut raw, &token_of("ada", "phone")).await,
        refused_ack("too_many_attempts")
    );
    assert_eq!(
        started.events.line().await,
        "Refused / Ada too_many_attempts"
    );
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_renewal_that_a_newer_one_replaces_is_refused() {
    let mut started = start(log_in::builder()).await;
    let mut raw = client(&mut started, "ada").await;

    for number in 1..=3 {
        let argument = json!({ "token": token_of("ada", "slow") });
        raw.emit_with_ack("/", number, &json!(["authenticate", argument]))
            .await;
    }

    raw.expect("/", refused_ack("too_many_attempts")).await;
    assert_eq!(
        started.events.line().await,
        "Refused / Ada too_many_attempts"
    );
    started.gate.open_once();
    assert_eq!(started.events.line().await, "Renewed / Ada -");
}

#[tokio::test]
async fn an_expired_session_ends_with_code_and_detail() {
    let mut started = start(log_in::builder()).await;
    let (short, _) = socketioxide_jwt_auth_tests::token_valid_for(0.7, "ada");
    let mut raw = ready(&started.server, "/", Some(&short)).await;
    let accepted = started.events.next().await;

    raw.expect("/", unauthorized("token_expired")).await;
    let ended = started.events.next().await;
    assert_eq!(ended.kind(), AuthEventKind::Ended);
    assert_eq!(ended.namespace(), "/");
    assert_eq!(ended.socket_id(), accepted.socket_id());
    assert_eq!(ended.user_key(), Some("Ada"));
    assert_eq!(ended.code(), Some(ErrorCode::TokenExpired));
    assert_eq!(ended.detail(), Some("`exp` plus leeway has passed"));
    assert!(!ended.is_guest());
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_guest_that_does_not_log_in_ends() {
    let limit = Duration::from_millis(300);
    let mut started = start(log_in::builder().guest_timeout(limit)).await;
    let mut guest = ready(&started.server, "/", None).await;
    guest.expect("/", unauthorized("login_required")).await;
    assert_eq!(started.events.line().await, "Accepted / - - guest");
    assert_eq!(
        started.events.line().await,
        "Ended / - login_required guest"
    );
}

#[tokio::test]
async fn a_login_that_has_lasted_too_long_ends() {
    let limit = Duration::from_millis(300);
    let mut started = start(log_in::builder().max_session(limit)).await;
    let _raw = client(&mut started, "ada").await;
    let ended = started.events.next().await;
    assert_eq!(ended.code(), Some(ErrorCode::SessionEnded));
    assert!(ended.detail().unwrap().contains("`max_session`"));
}

#[tokio::test]
async fn a_logout_of_a_user_ends_each_of_its_sockets_once() {
    let mut started = start(log_in::builder()).await;
    let mut raw = client(&mut started, "ada").await;
    join(&mut raw, "/admin", Some(&token_of("ada", "phone"))).await;
    assert_eq!(started.events.line().await, "Accepted /admin Ada -");
    let _grace = client(&mut started, "grace").await;

    let reason = AuthError::denied("suspended").with_detail("by the moderator");
    let (first, second) = tokio::join!(
        disconnect_user_because(&started.server.io, "Ada", &reason),
        disconnect_user(&started.server.io, "Ada"),
    );
    assert_eq!(first.unwrap() + second.unwrap(), 2);
    raw.expect("/", unauthorized_denied("suspended")).await;
    let mut ends = Vec::new();
    for _ in 0..2 {
        let end = started.events.next().await;
        assert_eq!(end.kind(), AuthEventKind::Ended);
        assert_eq!(end.user_key(), Some("Ada"));
        assert_eq!(end.code(), Some(ErrorCode::Denied));
        assert_eq!(end.detail(), Some("by the moderator"));
        ends.push(end.namespace().to_owned());
    }
    ends.sort();
    assert_eq!(ends, ["/", "/admin"]);
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_logout_of_a_session_or_of_the_others_ends_them() {
    let mut started = start(log_in::builder()).await;
    let _phone = client(&mut started, "ada").await;
    disconnect_session(&started.server.io, "phone")
        .await
        .unwrap();
    assert_eq!(started.events.line().await, "Ended / Ada session_ended");

    let _phone = client(&mut started, "ada").await;
    let socket = started.server.io.sockets().pop().unwrap();
    let _tablet = ready(&started.server, "/", Some(&token_of("ada", "tablet"))).await;
    let tablet = started.events.next().await;
    disconnect_others(&socket).await.unwrap();
    let ended = started.events.next().await;
    assert_eq!(ended.kind(), AuthEventKind::Ended);
    assert_eq!(ended.socket_id(), tablet.socket_id());
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_re_check_that_refuses_ends_the_session() {
    let mut started = start(log_in::builder()).await;
    let _raw = client(&mut started, "ada").await;
    started.suspended.0.lock().unwrap().push("ada".to_owned());
    refresh_user(&started.server.io, "Ada").await;
    let ended = started.events.next().await;
    assert_eq!(ended.kind(), AuthEventKind::Ended);
    assert_eq!(ended.code(), Some(ErrorCode::Denied));
    assert_eq!(ended.detail(), Some("by the moderator"));
    disconnect_user(&started.server.io, "Ada").await.unwrap();
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_connect_handler_whose_extractor_refuses_ends_the_session() {
    let mut started = start(log_in::builder()).await;
    let mut raw = started.server.raw().await;

    raw.connect_with_token("/admin", &token_of("grace", "phone"))
        .await;
    raw.expect("/admin", Received::Connected).await;
    raw.expect("/admin", unauthorized("forbidden")).await;
    assert_eq!(started.events.line().await, "Accepted /admin Grace -");

    let ended = started.events.next().await;
    assert_eq!(ended.kind(), AuthEventKind::Ended);
    assert_eq!(ended.code(), Some(ErrorCode::Forbidden));
    assert!(ended.detail().unwrap().contains("Administrator"));
    disconnect_user(&started.server.io, "Grace").await.unwrap();
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_connection_that_is_logged_out_during_its_lookup_is_only_refused() {
    let mut started = start(log_in::builder()).await;
    let mut raw = started.server.raw().await;
    raw.connect_with_token("/", &token_of("ada", "slow")).await;
    assert_eq!(started.lookups.next().await, "lookup");
    disconnect_user(&started.server.io, "Ada").await.unwrap();
    started.gate.open_once();
    raw.expect("/", Received::refused("session_ended")).await;
    assert_eq!(started.events.line().await, "Refused / - session_ended");
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn the_end_of_a_socket_by_its_client_or_the_application_is_not_reported() {
    let mut started = start(log_in::builder()).await;
    let mut raw = client(&mut started, "ada").await;
    raw.leave("/").await;
    let mut second = client(&mut started, "ada").await;
    for socket in started.server.io.sockets() {
        socket.disconnect().ok();
    }
    second.expect("/", Received::Disconnected).await;
    expect_no_other(&mut started).await;
}

#[tokio::test]
async fn a_panic_of_the_hook_stops_no_end_and_no_renewal() {
    let (seen, mut events) = audit();
    let hook = move |event: &AuthEvent| {
        seen(event);
        panic!("on purpose");
    };
    let started = start(log_in::builder()).await;
    let middleware = log_in::builder().on_event(hook).build().unwrap();
    started.server.io.ns("/", answer.with(middleware));

    let mut raw = ready(&started.server, "/", Some(&token_of("ada", "phone"))).await;
    renew(&mut raw, &token_of("ada", "phone"))
        .await
        .assert_renewal();
    renew(&mut raw, "blabla").await;
    assert_eq!(disconnect_user(&started.server.io, "Ada").await.unwrap(), 1);
    raw.expect_ended("/", "session_ended").await;
    for line in [
        "Accepted / Ada -",
        "Renewed / Ada -",
        "Refused / Ada token_malformed",
        "Ended / Ada session_ended",
    ] {
        assert_eq!(events.line().await, line);
    }
    assert_eq!(events.unread(), [""; 0]);
}
