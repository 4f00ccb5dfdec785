//! The extractors of handlers: `AuthUser`, `MaybeAuthUser` and `AuthClaims`.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthClaims, AuthUser, MaybeAuthUser, SocketAuth};
use socketioxide_jwt_auth_tests::{
    Admin, Claims, Client, OtherUser, Received, Recorder, Records, SECRET, Server, User,
    authenticate, mint, recorder, seconds_from_now, token, unauthorized,
};

/// A server with this connect handler, which lets guests in.
macro_rules! server {
    ($on_connect:expr) => {
        start(|io| {
            io.ns(
                "/",
                $on_connect.with(authenticate::builder().guest(true).build().unwrap()),
            )
        })
    };
}

async fn start(add: impl FnOnce(&SocketIo)) -> (Server, Records) {
    let (recorder, records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    add(&server.io);
    (server, records)
}

async fn admitted(server: &Server, subject: &str) -> Client {
    server.client().token(&token(subject)).admitted().await
}

#[tokio::test]
async fn a_connect_handler_gets_the_user_and_the_claims() {
    async fn on_connect(
        socket: SocketRef,
        user: AuthUser<User>,
        AuthClaims(claims): AuthClaims<Claims>,
    ) {
        socket
            .emit("hello", &json!([user.name, claims.sub]))
            .unwrap();
    }

    let (server, _records) = server!(on_connect).await;
    let mut client = admitted(&server, "ada").await;
    client
        .expect(Received::event("hello", json!(["Ada", "ada"])))
        .await;
}

#[tokio::test]
async fn a_message_handler_gets_the_user_the_claims_and_its_data() {
    async fn post(
        user: AuthUser<User>,
        maybe: MaybeAuthUser<User>,
        claims: AuthClaims<Claims>,
        ack: AckSender,
        Data(text): Data<String>,
    ) {
        let maybe = maybe.as_ref().map(|user| user.name);
        ack.send(&json!([user.name, maybe, claims.sub, text]))
            .unwrap();
    }

    let (server, _records) = server!(async |socket: SocketRef| socket.on("post", post)).await;

    let mut client = admitted(&server, "grace").await;
    client.emit_with_ack("post", json!("hi")).await;
    client
        .expect(Received::ack(json!(["Grace", "Grace", "grace", "hi"])))
        .await;
}

#[tokio::test]
async fn a_disconnect_handler_gets_the_user_and_the_claims() {
    async fn on_disconnect(
        State(recorder): State<Recorder>,
        user: AuthUser<User>,
        maybe: MaybeAuthUser<User>,
        claims: AuthClaims<Claims>,
    ) {
        recorder.record(format!(
            "{} {} {}",
            user.name,
            maybe.logged_in(),
            claims.sub
        ));
    }

    let (server, mut records) =
        server!(async |socket: SocketRef| socket.on_disconnect(on_disconnect)).await;

    admitted(&server, "ada").await.leave().await;
    assert_eq!(records.next().await, "Ada true ada");
}

#[tokio::test]
async fn a_disconnect_handler_that_takes_maybe_a_user_is_called_for_a_guest() {
    async fn on_disconnect(State(recorder): State<Recorder>, maybe: MaybeAuthUser<User>) {
        recorder.record(format!("{:?}", maybe.as_ref().map(|user| user.name)));
    }
    let (server, mut records) =
        server!(async |socket: SocketRef| socket.on_disconnect(on_disconnect)).await;
    server.client().admitted().await.leave().await;
    assert_eq!(records.next().await, "None");
}

#[tokio::test]
async fn a_disconnect_handler_that_takes_a_user_is_not_called_for_a_guest() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, user: AuthUser<User>| {
                recorder.record(user.name)
            },
        );
    }

    let (server, mut records) = server!(on_connect).await;
    server.io.ns(
        "/next",
        on_connect.with(authenticate::middleware().unwrap()),
    );

    let mut raw = server.raw().await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    raw.connect_with_token("/next", &token("ada")).await;
    raw.expect("/next", Received::Connected).await;

    // The packets of a connection are read in their order.
    raw.leave("/").await;
    raw.leave("/next").await;
    assert_eq!(records.next().await, "Ada");
    assert_eq!(records.unread(), [""; 0]);
}

#[tokio::test]
async fn a_socket_returns_its_user_through_auth_user() {
    async fn on_connect(socket: SocketRef) {
        let name = socket.auth_user::<User>().map(|user| user.name);
        let other = socket.auth_user::<OtherUser>().map(|user| user.id);
        socket.emit("who", &json!([name, other])).unwrap();
    }

    let (server, _records) = server!(on_connect).await;
    admitted(&server, "ada")
        .await
        .expect(Received::event("who", json!(["Ada", null])))
        .await;
    server
        .client()
        .admitted()
        .await
        .expect(Received::event("who", json!([null, null])))
        .await;
}

#[tokio::test]
async fn the_users_of_a_namespace_can_be_listed() {
    let (server, _records) =
        server!(async |socket: SocketRef| socket.emit("ready", &()).unwrap()).await;
    let mut client = admitted(&server, "ada").await;
    assert!(matches!(client.next().await, Received::Event(name, _) if name == "ready"));
    let sockets = server.io.sockets();
    let names: Vec<_> = sockets
        .iter()
        .filter_map(|socket| socket.auth_user::<User>())
        .map(|user| user.name)
        .collect();
    assert_eq!(names, ["Ada"]);
}

#[tokio::test]
async fn every_handler_of_a_socket_shares_one_user() {
    async fn on_connect(socket: SocketRef, user: AuthUser<User>) {
        let first: Arc<User> = user.clone().into_arc();
        let clone: Arc<User> = user.into_arc();
        assert!(Arc::ptr_eq(&first, &clone));
        socket.on("same", async move |user: AuthUser<User>, ack: AckSender| {
            ack.send(&Arc::ptr_eq(&first, &user.into_arc())).unwrap();
        });
    }

    let (server, _records) = server!(on_connect).await;

    let mut client = admitted(&server, "ada").await;
    client.emit_with_ack("same", json!(null)).await;
    client.expect(Received::ack(json!(true))).await;
}

#[tokio::test]
async fn auth_user_returns_when_its_token_expires() {
    async fn on_connect(socket: SocketRef, user: AuthUser<User>) {
        let seconds = |time: SystemTime| {
            time.duration_since(UNIX_EPOCH)
                .as_ref()
                .map_or(0, Duration::as_secs)
        };
        socket
            .emit("expires", &user.expires_at().map(seconds))
            .unwrap();
    }
    let server = Server::start().await;
    let without_required_claims = authenticate::builder()
        .required_claims([""; 0])
        .build()
        .unwrap();
    server.io.ns("/", on_connect.with(without_required_claims));
    let expires = seconds_from_now(3600);

    let dated = mint(&json!({ "sub": "ada", "exp": expires }), SECRET);
    server
        .client()
        .token(&dated)
        .admitted()
        .await
        .expect(Received::event("expires", json!(expires)))
        .await;
    let undated = mint(&json!({ "sub": "ada" }), SECRET);
    server
        .client()
        .token(&undated)
        .admitted()
        .await
        .expect(Received::event("expires", json!(null)))
        .await;
}

#[tokio::test]
async fn a_policy_guards_connect_and_disconnect_handlers() {
    async fn on_connect(
        socket: SocketRef,
        State(recorder): State<Recorder>,
        maybe: MaybeAuthUser<User>,
    ) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, user: AuthUser<User, Admin>| {
                recorder.record(user.name)
            },
        );
        recorder.record(format!(
            "connected {:?}",
            maybe.as_ref().map(|user| user.name)
        ));
    }
    async fn for_administrators(socket: SocketRef, user: AuthUser<User, Admin>) {
        socket.emit("hello", user.name).unwrap();
    }
    let (server, mut records) = server!(on_connect).await;
    server.io.ns(
        "/admin",
        for_administrators.with(authenticate::middleware().unwrap()),
    );

    for (subject, connected) in [
        ("grace", "connected Some(\"Grace\")"),
        ("ada", "connected Some(\"Ada\")"),
    ] {
        let client = admitted(&server, subject).await;
        assert_eq!(records.next().await, connected);
        client.leave().await;
    }
    assert_eq!(
        records.next().await,
        "Ada",
        "the disconnect handler is not called for Grace"
    );

    let admin = server.client().namespace("/admin");
    admin
        .token(&token("ada"))
        .admitted()
        .await
        .expect(Received::event("hello", json!("Ada")))
        .await;
    let mut grace = server
        .client()
        .namespace("/admin")
        .token(&token("grace"))
        .admitted()
        .await;
    grace.expect(unauthorized("forbidden")).await;
    grace.expect(Received::Disconnected).await;
}

#[tokio::test]
async fn debug_of_an_extractor_shows_the_user_and_no_token() {
    async fn on_connect(socket: SocketRef, user: AuthUser<User>, maybe: MaybeAuthUser<User>) {
        socket
            .emit("debug", &format!("{user:?} {maybe:?}"))
            .unwrap();
    }

    let (server, _records) = server!(on_connect).await;
    let shown = r#"AuthUser(User { name: "Ada", admin: true })"#;
    let both = format!("{shown} MaybeAuthUser(Some({shown}))");
    admitted(&server, "ada")
        .await
        .expect(Received::event("debug", json!(both)))
        .await;
}
