//! Several namespaces on one connection, each with its own secret, claims and user.

use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthClaims, AuthUser, MaybeAuthUser, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Log, OTHER_SECRET, OtherClaims, OtherUser, Raw, Received, Recorder, SECRET, Server,
    User, authenticate, find_user, mint, recorder, seconds_from_now, token, unauthorized,
};

#[jwt_auth(secret = OTHER_SECRET)]
async fn authenticate_other(claims: OtherClaims) -> Option<OtherUser> {
    (claims.id != 0).then_some(OtherUser { id: claims.id })
}

#[jwt_auth(secret = SECRET)]
async fn counted(claims: Claims, State(recorder): State<Recorder>) -> Option<User> {
    recorder.record(format!("lookup of {}", claims.sub));
    find_user(&claims.sub)
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "who",
        async |user: AuthUser<User>, claims: AuthClaims<Claims>, ack: AckSender| {
            ack.send(&json!([user.name, claims.sub])).unwrap();
        },
    );
}

async fn on_connect_other(socket: SocketRef) {
    socket.on(
        "who",
        async |user: AuthUser<OtherUser>, claims: AuthClaims<OtherClaims>, ack: AckSender| {
            ack.send(&json!([user.id, claims.id])).unwrap();
        },
    );
}

async fn server() -> Server {
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(authenticate::middleware().unwrap()));
    server.io.ns(
        "/other",
        on_connect_other.with(authenticate_other::middleware().unwrap()),
    );
    server
}

fn other_token(id: u64) -> String {
    mint(
        &json!({ "id": id, "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    )
}

async fn expect_who(raw: &mut Raw, namespace: &str, who: serde_json::Value) {
    raw.emit_with_ack(namespace, 1, &json!(["who", null])).await;
    raw.expect(namespace, Received::ack(who)).await;
}

#[tokio::test]
async fn two_namespaces_have_their_own_secret_claims_and_user() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.connect_with_token("/other", &other_token(7)).await;
    raw.expect("/other", Received::Connected).await;
    expect_who(&mut raw, "/", json!(["Ada", "ada"])).await;
    expect_who(&mut raw, "/other", json!([7, 7])).await;
}

#[tokio::test]
async fn the_token_of_one_namespace_is_not_valid_in_another() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &other_token(7)).await;
    raw.expect("/", Received::refused("token_signature_invalid"))
        .await;
    raw.connect_with_token("/other", &token("ada")).await;
    raw.expect("/other", Received::refused("token_signature_invalid"))
        .await;
}

#[tokio::test]
async fn admission_to_one_namespace_does_not_admit_to_another() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.connect("/other", "").await;
    raw.expect("/other", Received::refused("token_missing"))
        .await;
    expect_who(&mut raw, "/", json!(["Ada", "ada"])).await;
}

#[tokio::test]
async fn events_to_a_namespace_that_refused_are_not_handled() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/other", &other_token(0)).await;
    raw.expect("/other", Received::refused("user_not_found"))
        .await;
    raw.emit_with_ack("/other", 1, &json!(["who", null])).await;
    // socketioxide closes the connection of an event to a namespace that is not connected.
    raw.expect("", Received::Closed).await;
}

#[tokio::test]
async fn a_dynamic_namespace_requires_a_token_on_every_path() {
    let server = Server::start().await;
    server
        .io
        .dyn_ns(
            "/room/{id}",
            on_connect.with(authenticate::middleware().unwrap()),
        )
        .unwrap();

    let mut raw = server.raw().await;
    for (namespace, subject, name) in [("/room/1", "ada", "Ada"), ("/room/2", "grace", "Grace")] {
        raw.connect_with_token(namespace, &token(subject)).await;
        raw.expect(namespace, Received::Connected).await;
        expect_who(&mut raw, namespace, json!([name, subject])).await;
    }

    raw.connect("/room/3", "").await;
    raw.expect("/room/3", Received::refused("token_missing"))
        .await;
    expect_who(&mut raw, "/room/1", json!(["Ada", "ada"])).await;
}

#[tokio::test]
async fn a_second_connect_changes_nothing() {
    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server
        .io
        .ns("/", on_connect.with(counted::middleware().unwrap()));

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.connect_with_token("/", &token("grace")).await;
    raw.connect_with_token("/", "blabla").await;
    raw.connect("/", "").await;
    expect_who(&mut raw, "/", json!(["Ada", "ada"])).await;
    assert_eq!(records.unread(), ["lookup of ada"]);
    assert_eq!(server.sockets_in("/"), 1);
}

#[tokio::test]
async fn a_client_may_reconnect_as_another_user() {
    let server = server().await;
    let mut raw = server.raw().await;
    for (subject, name) in [("ada", "Ada"), ("grace", "Grace"), ("ada", "Ada")] {
        raw.connect_with_token("/", &token(subject)).await;
        raw.expect("/", Received::Connected).await;
        expect_who(&mut raw, "/", json!([name, subject])).await;
        raw.leave("/").await;
    }
}

#[tokio::test]
async fn a_refused_client_may_try_again_on_the_same_connection() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::refused("token_missing")).await;
    raw.connect_with_token("/", "blabla").await;
    raw.expect("/", Received::refused("token_malformed")).await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    expect_who(&mut raw, "/", json!(["Ada", "ada"])).await;
}

#[tokio::test]
async fn one_middleware_serves_several_namespaces() {
    let server = Server::start().await;
    let middleware = authenticate::middleware().unwrap();
    server.io.ns("/a", on_connect.with(middleware.clone()));
    server.io.ns("/b", on_connect.with(middleware));
    let mut raw = server.raw().await;
    for (namespace, subject, name) in [("/a", "ada", "Ada"), ("/b", "grace", "Grace")] {
        raw.connect_with_token(namespace, &token(subject)).await;
        raw.expect(namespace, Received::Connected).await;
        expect_who(&mut raw, namespace, json!([name, subject])).await;
    }
    expect_who(&mut raw, "/a", json!(["Ada", "ada"])).await;
}

#[tokio::test]
async fn two_middlewares_in_one_namespace_are_internal_error_and_logged() {
    let log = Log::capture();
    let server = Server::start().await;
    let both = on_connect
        .with(authenticate::middleware().unwrap())
        .with(counted_free::middleware().unwrap());

    server.io.ns("/", both);
    assert_eq!(
        server.client().token(&token("ada")).refusal().await,
        "internal_error"
    );
    assert_eq!(server.sockets_in("/"), 0);

    let explained = log.lines_with("two jwt_auth middlewares");
    assert!(
        explained.len() == 1 && explained[0].contains("ERROR"),
        "{}",
        log.text()
    );
}

#[jwt_auth(secret = SECRET)]
async fn counted_free(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn the_user_type_of_another_namespace_is_internal_error() {
    async fn wrong(_: MaybeAuthUser<OtherUser>) {}

    let server = server().await;
    server
        .io
        .ns("/wrong", wrong.with(authenticate::middleware().unwrap()));
    let mut client = server
        .client()
        .namespace("/wrong")
        .token(&token("ada"))
        .admitted()
        .await;
    client.expect(unauthorized("internal_error")).await;
    client.expect(Received::Disconnected).await;
}

#[tokio::test]
async fn a_namespace_without_the_middleware_requires_no_token() {
    let server = server().await;
    server.io.ns("/public", async |socket: SocketRef| {
        socket.emit("hello", "everyone").unwrap()
    });

    let mut client = server
        .client()
        .namespace("/public")
        .auth(json!({ "token": 5 }))
        .admitted()
        .await;
    client
        .expect(Received::event("hello", json!("everyone")))
        .await;
}
