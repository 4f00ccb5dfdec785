//! Panics in the application's code: the client receives `internal_error`, is not let in, and the
//! server keeps running.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};
use socketioxide::{
    extract::{AckSender, SocketRef},
    handler::{ConnectHandler, FromConnectParts, FromDisconnectParts, Value as Payload},
    socket::{DisconnectReason, Socket},
};
use socketioxide_jwt_auth::{
    AuthError, AuthEvent, AuthUser, KeyRequest, KeySet, KeySource, Policy, Reply, SocketAuth,
    disconnect_user, jwt_auth, user_room,
};
use socketioxide_jwt_auth_tests::{
    Claims, Log, Raw, Received, SECRET, Server, User, answer, emit_with_ack, find_user, join,
    ready, refused_ack, renew, renewed_until, seconds_from_now, token, unauthorized_event,
};

const OWN: &str = "this is the test's own";

/// A cause that must not be logged or sent.
const SECRET_CAUSE: &str = "the password is swordfish";

struct Panics;

impl Policy<User> for Panics {
    fn allows(_: &User) -> bool {
        panic!("{OWN}")
    }
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn expect_alive(server: &Server) {
    let mut raw = ready(server, "/alive", Some(&token("ada"))).await;
    raw.emit_with_ack("/alive", 0, &json!(["whoami"])).await;
    raw.expect("/alive", Received::ack(json!("Ada"))).await;
}

async fn server() -> Server {
    let server = Server::start().await;
    server
        .io
        .ns("/alive", answer.with(log_in::middleware().unwrap()));
    server
}

async fn refusal(server: &Server, namespace: &str, token: &str) -> Received {
    let mut raw = server.raw().await;
    raw.connect_with_token(namespace, token).await;
    raw.next().await.1
}

#[tokio::test]
async fn a_policy_that_panics_in_a_connect_handler_disconnects_the_client() {
    async fn on_connect(_: AuthUser<User, Panics>) {}

    let log = Log::capture();
    let server = server().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.expect_ended("/", "internal_error").await;
    assert_eq!(server.sockets_in("/"), 0);
    assert!(
        log.lines_with("ERROR")
            .iter()
            .any(|line| line.contains("the policy panicked")),
        "{}",
        log.text()
    );
    expect_alive(&server).await;
}

#[tokio::test]
async fn a_policy_that_panics_for_an_event_refuses_it() {
    async fn guarded(_: AuthUser<User, Panics>, ack: AckSender) {
        ack.send("let in").ok();
    }

    async fn on_connect(socket: SocketRef) {
        socket.on("guarded", guarded);
        answer(socket).await;
    }

    let server = server().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    assert_eq!(
        emit_with_ack(&mut raw, "guarded", &Value::Null).await,
        refused_ack("internal_error")
    );
    raw.emit("/", &json!(["guarded"])).await;
    raw.expect("/", unauthorized_event("internal_error", "guarded"))
        .await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &Value::Null).await,
        Received::ack(json!("Ada"))
    );
    expect_alive(&server).await;
}

#[tokio::test]
async fn a_policy_that_panics_in_a_disconnect_handler_leaves_no_socket_behind() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(async |_: AuthUser<User, Panics>| ());
        answer(socket).await;
    }

    let server = server().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    raw.leave("/").await;

    // A second disconnect removes the socket, and its packet reaches the client.
    raw.expect("/", Received::Disconnected).await;
    assert_eq!(server.sockets_in("/"), 0);
    join(&mut raw, "/", Some(&token("ada"))).await;
}

#[derive(Debug)]
struct BrokenError;

impl fmt::Display for BrokenError {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("{OWN}")
    }
}

impl std::error::Error for BrokenError {}

#[tokio::test]
async fn an_error_whose_display_panics_refuses_the_client() {
    #[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
    async fn fails(claims: Claims) -> Result<User, BrokenError> {
        find_user(&claims.sub)
            .filter(|user| !user.admin)
            .ok_or(BrokenError)
    }

    let _log = Log::capture();
    let server = server().await;

    server.io.ns("/", answer.with(fails::middleware().unwrap()));
    assert_eq!(
        refusal(&server, "/", &token("ada")).await,
        Received::refused("internal_error")
    );

    let mut guest = ready(&server, "/", None).await;
    assert_eq!(
        renew(&mut guest, &token("ada")).await,
        refused_ack("internal_error")
    );
    expect_alive(&server).await;
}

#[tokio::test]
async fn an_error_whose_display_panics_answers_the_event() {
    async fn on_connect(socket: SocketRef) {
        socket.on("fail", async |reply: Reply| {
            reply.send::<(), _>(Err(BrokenError))
        });
        answer(socket).await;
    }

    let _log = Log::capture();
    let server = server().await;

    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let mut raw = ready(&server, "/", None).await;
    assert_eq!(
        emit_with_ack(&mut raw, "fail", &Value::Null).await,
        refused_ack("internal_error")
    );
}

#[tokio::test]
async fn a_user_key_that_panics_refuses_the_client() {
    #[jwt_auth(
        secret = SECRET,
        guest = true,
        authenticate_event = "authenticate",
        user_key = |user: &User| if user.admin { panic!("{OWN}") } else { user.name }
    )]
    async fn keyed(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }
    let log = Log::capture();
    let server = server().await;
    server.io.ns("/", answer.with(keyed::middleware().unwrap()));
    assert_eq!(
        refusal(&server, "/", &token("ada")).await,
        Received::refused("internal_error")
    );
    assert!(
        log.lines_with("ERROR")
            .iter()
            .any(|line| line.contains("`user_key` panicked")),
        "{}",
        log.text()
    );

    let mut raw = ready(&server, "/", None).await;
    assert_eq!(
        renew(&mut raw, &token("ada")).await,
        refused_ack("internal_error")
    );
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &Value::Null).await,
        refused_ack("login_required")
    );
    expect_alive(&server).await;
}

#[derive(Debug)]
struct BrokenClaims;

impl<'de> Deserialize<'de> for BrokenClaims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let claims = Claims::deserialize(deserializer)?;
        panic!("{OWN}: {SECRET_CAUSE} {}", claims.sub)
    }
}

#[tokio::test]
async fn claims_that_panic_when_they_are_parsed_refuse_the_client() {
    #[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
    async fn parsed(_claims: BrokenClaims) -> Option<User> {
        find_user("ada")
    }

    let log = Log::capture();
    let server = server().await;
    server
        .io
        .ns("/", answer.with(parsed::middleware().unwrap()));

    assert_eq!(
        refusal(&server, "/", &token("ada")).await,
        Received::refused("internal_error")
    );
    let mut raw = ready(&server, "/", None).await;
    assert_eq!(
        renew(&mut raw, &token("ada")).await,
        refused_ack("internal_error")
    );
    assert!(!log.text().contains(SECRET_CAUSE));
    expect_alive(&server).await;
}

struct BrokenKeys;

impl KeySource for BrokenKeys {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        panic!("{OWN}: {SECRET_CAUSE}")
    }
}

#[tokio::test]
async fn a_key_source_that_panics_refuses_the_client() {
    let log = Log::capture();
    let server = server().await;

    server.io.ns(
        "/",
        answer.with(
            log_in::builder()
                .keys(BrokenKeys)
                .algorithm("HS256")
                .build()
                .unwrap(),
        ),
    );
    assert_eq!(
        refusal(&server, "/", &token("ada")).await,
        Received::refused("internal_error")
    );

    let errors = log.lines_with("ERROR");
    assert!(
        errors
            .iter()
            .any(|line| line.contains("the key source panicked")),
        "{errors:?}"
    );
    assert!(!log.text().contains(SECRET_CAUSE));
    expect_alive(&server).await;
}

/// An extractor that panics.
struct BrokenExtractor;

impl<A: socketioxide::adapter::Adapter> FromConnectParts<A> for BrokenExtractor {
    type Error = std::convert::Infallible;

    fn from_connect_parts(_: &Arc<Socket<A>>, _: &Option<Payload>) -> Result<Self, Self::Error> {
        panic!("{OWN}")
    }
}

impl<A: socketioxide::adapter::Adapter> FromDisconnectParts<A> for BrokenExtractor {
    type Error = std::convert::Infallible;

    fn from_disconnect_parts(_: &Arc<Socket<A>>, _: DisconnectReason) -> Result<Self, Self::Error> {
        panic!("{OWN}")
    }
}

/// socketioxide extracts while it disconnects the socket, and forgets to remove it after a panic.
#[tokio::test]
async fn an_extractor_of_the_disconnect_handler_that_panics_keeps_no_socket_of_a_user() {
    #[jwt_auth(secret = SECRET, user_key = |user: &User| user.name)]
    async fn keyed(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(async |_: BrokenExtractor| ());
        answer(socket).await;
    }

    let log = Log::capture();
    let server = server().await;
    server
        .io
        .ns("/", on_connect.with(keyed::middleware().unwrap()));
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(ready(&server, "/", Some(&token("ada"))).await);
    }

    let ended = disconnect_user(&server.io, "Ada").await;
    assert_eq!(ended.unwrap(), 3);
    for raw in &mut clients {
        raw.expect_ended("/", "session_ended").await;
    }
    assert_eq!(server.sockets_in("/"), 0);
    assert!(
        log.lines_with("ERROR")
            .iter()
            .any(|line| line.contains("disconnect handler")),
        "{}",
        log.text()
    );
    expect_alive(&server).await;
}

/// The application may put sockets of other namespaces into the room of a user.
#[tokio::test]
async fn an_extractor_that_panics_in_a_namespace_without_middleware_stops_no_logout() {
    #[jwt_auth(secret = SECRET, user_key = |user: &User| user.name)]
    async fn keyed(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }
    const PLAIN: [&str; 2] = ["/one", "/two"];

    let server = server().await;
    server.io.ns("/", answer.with(keyed::middleware().unwrap()));
    for namespace in PLAIN {
        server.io.ns(namespace, async |socket: SocketRef| {
            socket.on_disconnect(async |_: BrokenExtractor| ());
            socket.join(user_room("Ada"));
            socket.emit("ready", &()).unwrap();
        });
    }
    let mut clients = Vec::new();
    for namespace in PLAIN {
        clients.push((namespace, ready(&server, namespace, None).await));
    }
    clients.push(("/", ready(&server, "/", Some(&token("ada"))).await));

    disconnect_user(&server.io, "Ada").await.unwrap();
    for (namespace, raw) in &mut clients {
        raw.expect_ended(namespace, "session_ended").await;
    }
    expect_alive(&server).await;
}

/// What a panic carries may panic again when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("{OWN}")
    }
}

#[tokio::test]
async fn a_hook_whose_panic_panics_again_changes_nothing() {
    let server = server().await;
    let hook = |_: &AuthEvent| std::panic::panic_any(Bomb);
    let middleware = log_in::builder().on_event(hook).build();
    server.io.ns("/", answer.with(middleware.unwrap()));

    assert_eq!(
        refusal(&server, "/", "not a token").await,
        Received::refused("token_malformed")
    );
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &Value::Null).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn an_extractor_of_the_login_handler_that_panics_does_not_undo_the_login() {
    async fn on_connect(socket: SocketRef) {
        socket.on_login(async |_: BrokenExtractor| ());
        answer(socket).await;
    }

    let log = Log::capture();
    let server = server().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let mut raw = ready(&server, "/", None).await;
    let expires_at = seconds_from_now(3600);
    let told = renewed_until(&renew(&mut raw, &token("ada")).await);
    assert!([expires_at, expires_at + 1].contains(&told), "{told}");
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &Value::Null).await,
        Received::ack(json!("Ada"))
    );
    assert!(
        log.lines_with("ERROR")
            .iter()
            .any(|line| line.contains("`on_login`")),
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn an_extractor_of_the_lookup_that_panics_refuses_the_client() {
    #[jwt_auth(secret = SECRET)]
    async fn extracts(claims: Claims, _: BrokenExtractor) -> Option<User> {
        find_user(&claims.sub)
    }

    let server = server().await;
    server
        .io
        .ns("/", answer.with(extracts::middleware().unwrap()));
    assert_eq!(
        refusal(&server, "/", &token("ada")).await,
        Received::refused("internal_error")
    );
    expect_alive(&server).await;
}

/// A reply that cannot be serialized.
enum Broken {
    Panics,
    Fails,
}

impl Serialize for Broken {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Panics => panic!("{OWN}"),
            Self::Fails => Err(serde::ser::Error::custom(SECRET_CAUSE)),
        }
    }
}

#[tokio::test]
async fn a_reply_that_cannot_be_serialized_is_internal_error() {
    async fn on_connect(socket: SocketRef) {
        socket.on("panics", async |reply: Reply| {
            reply.send::<_, AuthError>(Ok(Broken::Panics))
        });
        socket.on("fails", async |reply: Reply| {
            reply.send::<_, AuthError>(Ok(Broken::Fails))
        });
        answer(socket).await;
    }

    let log = Log::capture();
    let server = server().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let mut raw: Raw = ready(&server, "/", None).await;
    for event in ["panics", "fails"] {
        assert_eq!(
            emit_with_ack(&mut raw, event, &Value::Null).await,
            refused_ack("internal_error")
        );
        assert!(
            log.lines_with("ERROR")
                .iter()
                .any(|line| line.contains(event)),
            "{}",
            log.text()
        );
    }
}
