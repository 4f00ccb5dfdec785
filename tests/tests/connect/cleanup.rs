//! Nothing remains of a connection that was refused or has ended.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Deserializer};
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthClaims, AuthError, AuthUser, MaybeAuthUser, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Received, Recorder, Records, SECRET, Server, Tracked, User, authenticate, recorder,
    token,
};

/// Claims whose live values are counted. Each test has its own type, because tests run
/// concurrently.
struct Counted<const TEST: usize>;

const TESTS: usize = 4;
static LIVE: [AtomicUsize; TESTS] = [const { AtomicUsize::new(0) }; TESTS];
static READ: [AtomicUsize; TESTS] = [const { AtomicUsize::new(0) }; TESTS];

impl<'de, const TEST: usize> Deserialize<'de> for Counted<TEST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Claims::deserialize(deserializer)?;
        LIVE[TEST].fetch_add(1, Ordering::SeqCst);
        READ[TEST].fetch_add(1, Ordering::SeqCst);
        Ok(Self)
    }
}

impl<const TEST: usize> Drop for Counted<TEST> {
    fn drop(&mut self) {
        LIVE[TEST].fetch_sub(1, Ordering::SeqCst);
    }
}

fn assert_no_claims_live<const TEST: usize>() {
    assert!(
        READ[TEST].load(Ordering::SeqCst) > 0,
        "the claims were read"
    );
    assert_eq!(LIVE[TEST].load(Ordering::SeqCst), 0);
}

/// A lookup that joins a room and returns a user whose drop is recorded.
macro_rules! tracked_lookup {
    ($name:ident, $test:literal) => {
        #[jwt_auth(secret = SECRET)]
        async fn $name(
            _: Counted<$test>,
            State(recorder): State<Recorder>,
            socket: SocketRef,
        ) -> Option<Tracked> {
            socket.join("members");
            Some(Tracked::new(&recorder, "user"))
        }
    };
}

tracked_lookup!(tracked_0, 0);
tracked_lookup!(tracked_1, 1);
tracked_lookup!(tracked_2, 2);
tracked_lookup!(tracked_3, 3);

async fn server() -> (Server, Records) {
    let (recorder, records) = recorder();
    (
        Server::with(SocketIo::builder().with_state(recorder)).await,
        records,
    )
}

async fn assert_no_sockets_and_rooms(server: &Server) {
    assert_eq!(server.sockets_in("/"), 0);
    assert_eq!(server.io.of("/").unwrap().rooms().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn nothing_remains_after_a_later_middleware_refuses() {
    async fn refuse() -> Result<(), AuthError> {
        Err(AuthError::denied("not today"))
    }

    let (server, mut records) = server().await;
    server.io.ns(
        "/",
        (async || ())
            .with(refuse)
            .with(tracked_0::middleware().unwrap()),
    );

    let mut client = server.client_with_token(&token("ada")).await;
    client.expect(Received::refused("not today")).await;
    assert_eq!(records.next().await, "user dropped");
    assert_no_claims_live::<0>();
    assert_no_sockets_and_rooms(&server).await;
}

#[tokio::test]
async fn nothing_remains_after_a_connect_handler_refuses() {
    async fn wrong(_: AuthUser<User>, _: AuthClaims<Counted<1>>) {}
    let (server, mut records) = server().await;
    server
        .io
        .ns("/", wrong.with(tracked_1::middleware().unwrap()));
    let mut client = server.client().token(&token("ada")).admitted().await;
    assert!(matches!(client.next().await, Received::Event(name, _) if name == "unauthorized"));
    client.expect(Received::Disconnected).await;
    assert_eq!(records.next().await, "user dropped");
    assert_no_claims_live::<1>();
    assert_no_sockets_and_rooms(&server).await;
}

#[tokio::test]
async fn nothing_remains_after_a_client_disconnects() {
    let (server, mut records) = server().await;
    server.io.ns(
        "/",
        (async |_: AuthUser<Tracked>, _: AuthClaims<Counted<2>>| ())
            .with(tracked_2::middleware().unwrap()),
    );

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    assert_eq!(server.sockets_in("/"), 1);
    raw.leave("/").await;
    assert_eq!(records.next().await, "user dropped");
    assert_no_claims_live::<2>();
    assert_no_sockets_and_rooms(&server).await;
}

#[tokio::test]
async fn nothing_remains_after_a_connection_breaks() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, _: AuthUser<Tracked>| {
                recorder.record("goodbye")
            },
        );
    }

    let (server, mut records) = server().await;
    server
        .io
        .ns("/", on_connect.with(tracked_3::middleware().unwrap()));

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    drop(raw);
    assert_eq!(records.next().await, "goodbye");
    assert_eq!(records.next().await, "user dropped");
    assert_no_claims_live::<3>();
    assert_no_sockets_and_rooms(&server).await;
}

/// A server that allows guests. The disconnect handler of `/` requires a user, and `/next` is for
/// waiting.
async fn server_with_user_disconnect_handler() -> (Server, Records) {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, user: AuthUser<User>| {
                recorder.record(user.name)
            },
        );
    }

    let (server, records) = server().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );
    server.io.ns("/next", async || ());
    (server, records)
}

#[tokio::test]
async fn a_guest_that_disconnects_is_removed_though_the_disconnect_handler_requires_a_user() {
    let (server, _records) = server_with_user_disconnect_handler().await;
    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    raw.leave("/").await;
    raw.connect("/next", "").await;
    while raw.next().await != ("/next".to_owned(), Received::Connected) {}
    assert_no_sockets_and_rooms(&server).await;
}

#[tokio::test]
async fn a_guest_whose_connection_breaks_is_removed_though_the_disconnect_handler_requires_a_user()
{
    async fn on_next(socket: SocketRef) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, _: MaybeAuthUser<User>| {
                recorder.record("gone")
            },
        );
    }

    let (server, mut records) = server_with_user_disconnect_handler().await;
    server.io.ns(
        "/last",
        on_next.with(authenticate::builder().guest(true).build().unwrap()),
    );

    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    raw.connect("/last", "").await;
    raw.expect("/last", Received::Connected).await;
    drop(raw);
    assert_eq!(records.next().await, "gone");
    assert_no_sockets_and_rooms(&server).await;
}

#[tokio::test]
async fn a_guest_disconnected_by_the_server_is_removed_though_the_disconnect_handler_requires_a_user()
 {
    let (server, _records) = server_with_user_disconnect_handler().await;
    let mut client = server.client().admitted().await;
    let socket = server.io.sockets().pop().unwrap();
    socket.disconnect().unwrap();
    client.expect(Received::Disconnected).await;
    assert_no_sockets_and_rooms(&server).await;
}

/// The disconnect packet is that of a second disconnect, without which socketioxide would keep the
/// socket. With a handler that takes `MaybeAuthUser` there is none.
#[tokio::test]
async fn a_guest_that_reconnects_at_once_receives_a_disconnect_and_is_admitted() {
    let (server, mut records) = server_with_user_disconnect_handler().await;
    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    raw.leave("/").await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Disconnected).await;
    raw.expect("/", Received::Connected).await;
    raw.leave("/").await;
    assert_eq!(records.next().await, "Ada");
}

#[tokio::test]
async fn a_guest_reconnects_without_a_disconnect_if_the_disconnect_handler_accepts_guests() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, user: MaybeAuthUser<User>| {
                recorder.record(user.as_ref().map_or("guest", |user| user.name));
            },
        );
    }

    let (server, mut records) = server().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );

    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    raw.leave("/").await;

    // The socket is still in the namespace while its handler runs, and a CONNECT would be ignored.
    assert_eq!(records.next().await, "guest");
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.leave("/").await;
    assert_eq!(records.next().await, "Ada");
}

#[tokio::test]
async fn nothing_remains_after_a_refused_token() {
    let (server, _records) = server().await;
    server.io.ns(
        "/",
        (async |socket: SocketRef| socket.join("all")).with(authenticate::middleware().unwrap()),
    );

    let mut raw = server.raw().await;
    for payload in [
        json!({}),
        json!({ "token": "blabla" }),
        json!({ "token": token("nobody") }),
    ] {
        raw.connect("/", &payload.to_string()).await;
        assert!(matches!(raw.next().await, (_, Received::Refused(_))));
    }

    assert_no_sockets_and_rooms(&server).await;
}
