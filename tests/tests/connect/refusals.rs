//! What a client receives when its event or its connection is refused.

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthClaims, AuthError, AuthUser, ErrorCode, MaybeAuthUser, Reply};
use socketioxide_jwt_auth_tests::{
    Admin, Claims, Client, Log, OtherClaims, OtherUser, Raw, Received, Recorder, Server, User,
    authenticate, recorder, refused_ack, token, unauthorized, unauthorized_event,
};

async fn on_connect(socket: SocketRef) {
    socket.on("post", async |user: AuthUser<User>, ack: AckSender| {
        ack.send(user.name).unwrap()
    });
    socket.on(
        "claims",
        async |claims: AuthClaims<Claims>, ack: AckSender| ack.send(&claims.sub).unwrap(),
    );
    socket.on(
        "delete",
        async |user: AuthUser<User, Admin>, ack: AckSender| ack.send(user.name).unwrap(),
    );
    socket.on(
        "other",
        async |user: AuthUser<OtherUser>, ack: AckSender| ack.send(&user.id).unwrap(),
    );
    socket.on(
        "maybe other",
        async |_: MaybeAuthUser<OtherUser>, ack: AckSender| ack.send("called").unwrap(),
    );
    socket.on(
        "other claims",
        async |claims: AuthClaims<OtherClaims>, ack: AckSender| ack.send(&claims.id).unwrap(),
    );
    socket.on(
        "open to guests",
        async |_: MaybeAuthUser<User>, ack: AckSender| ack.send("called").unwrap(),
    );
}

async fn server() -> Server {
    let server = Server::start().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );
    server
}

async fn admitted(server: &Server, subject: &str) -> Client {
    server.client().token(&token(subject)).admitted().await
}

#[tokio::test]
async fn an_event_with_an_acknowledgement_is_refused_in_it() {
    let server = server().await;
    let mut guest = server.client().admitted().await;
    for event in ["post", "claims", "delete"] {
        guest.emit_with_ack(event, json!(null)).await;
        guest.expect(refused_ack("login_required")).await;
    }
}

#[tokio::test]
async fn an_event_without_an_acknowledgement_is_refused_by_an_event() {
    let server = server().await;
    let mut guest = server.client().admitted().await;
    for event in ["post", "claims", "delete"] {
        guest.emit(event, json!(null)).await;
        guest
            .expect(unauthorized_event("login_required", event))
            .await;
    }
}

#[tokio::test]
async fn a_refused_guest_stays_connected_and_can_send_other_events() {
    let server = server().await;
    let mut guest = server.client().admitted().await;
    guest.emit("post", json!(null)).await;
    guest
        .expect(unauthorized_event("login_required", "post"))
        .await;
    guest.emit_with_ack("open to guests", json!(null)).await;
    guest.expect(Received::ack(json!("called"))).await;
}

#[tokio::test]
async fn a_user_that_the_policy_denies_is_forbidden() {
    let server = server().await;
    let mut grace = admitted(&server, "grace").await;
    grace.emit_with_ack("delete", json!(null)).await;
    grace.expect(refused_ack("forbidden")).await;
    grace.emit("delete", json!(null)).await;
    grace
        .expect(unauthorized_event("forbidden", "delete"))
        .await;
    grace.emit_with_ack("post", json!(null)).await;
    grace.expect(Received::ack(json!("Grace"))).await;
}

#[tokio::test]
async fn a_user_that_the_policy_allows_is_accepted() {
    let server = server().await;
    let mut ada = admitted(&server, "ada").await;
    ada.emit_with_ack("delete", json!(null)).await;
    ada.expect(Received::ack(json!("Ada"))).await;
}

#[tokio::test]
async fn a_wrong_user_type_is_internal_error_and_is_logged() {
    let log = Log::capture();
    let server = server().await;
    let mut ada = admitted(&server, "ada").await;
    for event in ["other", "maybe other", "other claims"] {
        ada.emit_with_ack(event, json!(null)).await;
        ada.expect(refused_ack("internal_error")).await;
        ada.emit(event, json!(null)).await;
        ada.expect(unauthorized_event("internal_error", event))
            .await;
    }
    assert_named_in_error(&log, "OtherUser");
    assert_named_in_error(&log, "OtherClaims");
}

#[tokio::test]
async fn a_wrong_user_type_is_internal_error_for_a_guest() {
    let server = server().await;
    let mut guest = server.client().admitted().await;
    for event in ["other", "maybe other", "other claims"] {
        guest.emit_with_ack(event, json!(null)).await;
        guest.expect(refused_ack("internal_error")).await;
    }
}

#[tokio::test]
async fn a_namespace_without_the_middleware_is_internal_error_and_is_logged() {
    let log = Log::capture();
    let server = Server::start().await;
    server.io.ns("/", on_connect);
    let mut client = server.client().token(&token("ada")).admitted().await;
    for event in ["post", "claims", "delete", "open to guests"] {
        client.emit_with_ack(event, json!(null)).await;
        client.expect(refused_ack("internal_error")).await;
    }
    assert_named_in_error(&log, "User");
}

fn assert_named_in_error(log: &Log, name: &str) {
    let lines = log.lines_with(name);
    let explained = |line: &String| line.contains("ERROR") && line.contains(".with(");
    assert!(
        lines.iter().any(explained),
        "no error names {name} and the missing .with(…): {}",
        log.text()
    );
}

#[tokio::test]
async fn a_connect_handler_that_takes_a_user_disconnects_a_guest() {
    async fn members_only(State(recorder): State<Recorder>, user: AuthUser<User>) {
        recorder.record(user.name);
    }
    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server.io.ns(
        "/",
        members_only.with(authenticate::builder().guest(true).build().unwrap()),
    );

    let mut guest = server.client().admitted().await;
    guest.expect(unauthorized("login_required")).await;
    guest.expect(Received::Disconnected).await;
    assert_eq!(server.sockets_in("/"), 0);
    admitted(&server, "ada").await;
    assert_eq!(
        records.next().await,
        "Ada",
        "the handler was not called for the guest"
    );
}

#[tokio::test]
async fn a_connect_handler_without_the_middleware_disconnects_every_client() {
    async fn members_only(_: AuthUser<User>) {}
    let server = Server::start().await;
    server.io.ns("/", members_only);
    let mut client = server.client().token(&token("ada")).admitted().await;
    client.expect(unauthorized("internal_error")).await;
    client.expect(Received::Disconnected).await;
    assert_eq!(server.sockets_in("/"), 0);
}

#[tokio::test]
async fn a_middleware_that_takes_a_user_refuses_a_guest_in_the_connect_error() {
    async fn check(_: AuthUser<User, Admin>) -> Result<(), AuthError> {
        Ok(())
    }

    let server = Server::start().await;
    // The last one runs first.
    server.io.ns(
        "/",
        on_connect
            .with(check)
            .with(authenticate::builder().guest(true).build().unwrap()),
    );
    assert_eq!(server.client().refusal().await, "login_required");
    assert_eq!(
        server.client().token(&token("grace")).refusal().await,
        "forbidden"
    );
    admitted(&server, "ada").await;
}

#[tokio::test]
async fn a_fallback_handler_is_refused_under_the_name_of_the_event() {
    async fn on_connect(socket: SocketRef) {
        socket.on_fallback(async |_: AuthUser<User>, ack: AckSender| ack.send("called").unwrap());
    }

    let server = Server::start().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );
    let mut guest = server.client().admitted().await;
    guest.emit("whatever", json!(null)).await;
    guest
        .expect(unauthorized_event("login_required", "whatever"))
        .await;
}

#[tokio::test]
async fn binary_events_are_refused_like_others() {
    let server = server().await;
    let mut raw = guest_connection(&server).await;
    let event = json!(["post", { "_placeholder": true, "num": 0 }]);
    raw.send(&format!("451-{event}")).await;
    raw.send_binary(b"\0\xff").await;
    raw.expect("/", unauthorized_event("login_required", "post"))
        .await;
    raw.send(&format!("451-17{event}")).await;
    raw.send_binary(b"\0\xff").await;
    raw.expect("/", refused_ack("login_required")).await;
}

#[tokio::test]
async fn events_with_any_number_of_arguments_are_refused() {
    let server = server().await;
    let mut raw = guest_connection(&server).await;
    for event in [json!(["post"]), json!(["post", 1, [2], { "three": 3 }])] {
        raw.emit("/", &event).await;
        raw.expect("/", unauthorized_event("login_required", "post"))
            .await;
        raw.emit_with_ack("/", 3, &event).await;
        raw.expect("/", refused_ack("login_required")).await;
    }
}

#[tokio::test]
async fn unusual_event_names_are_returned_unchanged() {
    // Without characters that JSON escapes: socketioxide 0.18.9 closes the connection at those.
    let strange = ["", "unauthorized", "новость 🦀"];
    async fn on_connect(socket: SocketRef) {
        socket.on_fallback(async |_: AuthUser<User>| ());
    }

    let server = Server::start().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );

    let mut raw = guest_connection(&server).await;
    for event in strange {
        raw.emit("/", &json!([event, Value::Null])).await;
        raw.expect("/", unauthorized_event("login_required", event))
            .await;
    }
}

async fn guest_connection(server: &Server) -> Raw {
    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    raw
}

/// Every code as clients see it. Programs rely on code and action, people read the message.
const ON_THE_WIRE: &[(&str, &str, &str)] = &[
    ("token_missing", "Log in first.", "login"),
    ("token_malformed", "Log in again.", "login"),
    ("token_too_large", "Log in again.", "login"),
    ("token_signature_invalid", "Log in again.", "login"),
    ("token_algorithm_not_allowed", "Log in again.", "login"),
    ("token_key_unknown", "Your login must be renewed.", "renew"),
    ("token_expired", "Your login has expired.", "renew"),
    (
        "token_not_yet_valid",
        "Your login is not valid yet.",
        "retry",
    ),
    ("token_issuer_invalid", "Log in again.", "login"),
    ("token_audience_invalid", "Log in again.", "login"),
    ("token_claim_missing", "Log in again.", "login"),
    ("token_claims_invalid", "Log in again.", "login"),
    ("origin_not_allowed", "This site may not connect.", "none"),
    ("user_not_found", "Log in again.", "login"),
    ("denied", "Access denied.", "none"),
    ("login_required", "Log in first.", "login"),
    ("forbidden", "You may not do this.", "none"),
    (
        "subject_mismatch",
        "Reconnect to change the user.",
        "reconnect",
    ),
    (
        "session_ended",
        "Your session has ended. Log in again.",
        "login",
    ),
    ("token_revoked", "Log in again.", "login"),
    (
        "too_many_attempts",
        "Too many attempts. Try again later.",
        "retry",
    ),
    (
        "keys_unavailable",
        "Logging in is not possible right now. Try again later.",
        "retry",
    ),
    (
        "revocations_unavailable",
        "Logging in is not possible right now. Try again later.",
        "retry",
    ),
    (
        "lookup_timeout",
        "The server is busy. Try again later.",
        "retry",
    ),
    (
        "internal_error",
        "Something went wrong. Try again later.",
        "retry",
    ),
];

#[tokio::test]
async fn every_code_reaches_the_client_with_its_message_and_its_action() {
    async fn on_connect(socket: SocketRef) {
        socket.on("refuse", async |Data(name): Data<String>, reply: Reply| {
            let code = ErrorCode::ALL.iter().find(|code| **code == name).unwrap();
            reply.send::<(), _>(Err(AuthError::from(*code)));
        });
    }
    let names: Vec<_> = ErrorCode::ALL.iter().map(|code| code.as_str()).collect();
    let listed: Vec<_> = ON_THE_WIRE.iter().map(|(code, ..)| *code).collect();
    assert_eq!(listed, names);

    let server = Server::start().await;
    server.io.ns("/", on_connect);
    let mut raw = guest_connection(&server).await;
    for (code, message, action) in ON_THE_WIRE {
        let refusal = json!({ "code": code, "message": message, "action": action });
        raw.emit_with_ack("/", 1, &json!(["refuse", code])).await;
        raw.expect("/", Received::ack(json!({ "error": refusal })))
            .await;

        let event =
            json!({ "code": code, "message": message, "action": action, "event": "refuse" });
        raw.emit("/", &json!(["refuse", code])).await;
        raw.expect("/", Received::event("unauthorized", event))
            .await;
    }
}
