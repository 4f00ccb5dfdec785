//! Handlers of the application beside those of the crate.

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, Event, SocketRef, State},
    handler::ConnectHandler,
    socket::DisconnectReason,
};
use socketioxide_jwt_auth::{AuthUser, MaybeAuthUser, SocketAuth};
use socketioxide_jwt_auth_tests::{
    Raw, Received, Recorder, Records, Server, User, authenticate, emit_with_ack, ready, recorder,
    refused_ack, renew, token, token_valid_for, unauthorized,
};

/// Registers every kind of handler that socketioxide has. Each records that it was called.
async fn on_connect(socket: SocketRef) {
    socket.on(
        "post",
        async |_: AuthUser<User>,
               Data(text): Data<String>,
               ack: AckSender,
               State(recorder): State<Recorder>| {
            recorder.record(format!("post {text}"));
            ack.send("posted").unwrap();
        },
    );
    socket.on_fallback(
        async |Event(event): Event, Data(_): Data<Value>, State(recorder): State<Recorder>| {
            recorder.record(format!("fallback {event}"));
        },
    );

    socket.on_login(
        async |user: AuthUser<User>, State(recorder): State<Recorder>| {
            recorder.record(format!("login {}", user.name))
        },
    );
    socket.on_disconnect(
        async |user: MaybeAuthUser<User>,
               reason: DisconnectReason,
               State(recorder): State<Recorder>| {
            recorder.record(format!(
                "goodbye {:?} {reason:?}",
                user.as_ref().map(|user| user.name)
            ));
        },
    );
    socket.emit("ready", &()).unwrap();
}

async fn server() -> (Server, Records) {
    let (recorder, records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    let builder = authenticate::builder()
        .guest(true)
        .authenticate_event("authenticate")
        .leeway("0s");
    server.io.ns(
        "/",
        on_connect.with(builder.guest_timeout("1s").build().unwrap()),
    );
    (server, records)
}

async fn post(raw: &mut Raw) -> Received {
    emit_with_ack(raw, "post", &json!("hello")).await
}

#[tokio::test]
async fn application_handlers_are_called_except_for_the_authenticate_event() {
    let (server, mut records) = server().await;
    let mut raw = ready(&server, "/", None).await;
    assert_eq!(post(&mut raw).await, refused_ack("login_required"));
    raw.emit("/", &json!(["unknown", 1])).await;
    assert_eq!(records.next().await, "fallback unknown");

    renew(&mut raw, &token("ada")).await.assert_renewal();
    assert_eq!(records.next().await, "login Ada");
    assert_eq!(post(&mut raw).await, Received::ack(json!("posted")));
    assert_eq!(records.next().await, "post hello");

    renew(&mut raw, &token_valid_for(0.5, "ada").0)
        .await
        .assert_renewal();
    raw.expect_ended("/", "token_expired").await;
    assert_eq!(
        records.next().await,
        "goodbye Some(\"Ada\") ServerNSDisconnect"
    );
    assert_eq!(records.unread(), [""; 0]);
}

#[tokio::test]
async fn the_disconnect_handler_receives_the_user_and_the_reason() {
    let (server, mut records) = server().await;
    let mut raw = ready(&server, "/", None).await;
    raw.leave("/").await;
    assert_eq!(records.next().await, "goodbye None ClientNSDisconnect");

    let mut raw = ready(&server, "/", None).await;
    renew(&mut raw, &token("grace")).await.assert_renewal();
    assert_eq!(records.next().await, "login Grace");
    raw.leave("/").await;
    assert_eq!(
        records.next().await,
        "goodbye Some(\"Grace\") ClientNSDisconnect"
    );

    ready(&server, "/", None)
        .await
        .expect("/", unauthorized("login_required"))
        .await;
    assert_eq!(records.next().await, "goodbye None ServerNSDisconnect");
}

/// The last handler that is registered for an event replaces the earlier ones, as with every event
/// of socketioxide.
#[tokio::test]
async fn an_application_handler_of_the_authenticate_event_replaces_it_and_logs_no_user_in() {
    async fn takes_over(socket: SocketRef) {
        socket.on("authenticate", async |ack: AckSender| {
            ack.send("mine").unwrap()
        });
        on_connect(socket).await;
    }

    let (server, _records) = server().await;
    let builder = authenticate::builder()
        .guest(true)
        .authenticate_event("authenticate");
    server
        .io
        .ns("/own", takes_over.with(builder.build().unwrap()));

    let mut raw = ready(&server, "/own", None).await;
    raw.emit_with_ack(
        "/own",
        1,
        &json!(["authenticate", { "token": token("ada") }]),
    )
    .await;
    raw.expect("/own", Received::ack(json!("mine"))).await;
    raw.emit_with_ack("/own", 2, &json!(["post", "hello"]))
        .await;
    raw.expect("/own", refused_ack("login_required")).await;
}
