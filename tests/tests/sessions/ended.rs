//! `AuthUser::ended()`: a handler that runs long notices the end of its session.

use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, JwtAuthBuilder, SocketAuth, disconnect_user, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Raw, Received, Recorder, Records, SECRET, Server, User, find_user, ready, recorder,
    renew, token, token_valid_for, within,
};
use tokio::task::yield_now;

#[jwt_auth(
    secret = SECRET,
    leeway = "0s",
    guest = true,
    authenticate_event = "authenticate",
    user_key = |user: &User| user.name,
)]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "watch",
        async |user: AuthUser<User>, ack: AckSender, State(recorder): State<Recorder>| {
            ack.send("watching").unwrap();
            let name = user.name;
            user.ended().await;
            recorder.record(format!("{name} ended"));
        },
    );
    socket.on("watch from the connect handler", {
        let user = socket.auth_user::<User>();
        async |socket: SocketRef, ack: AckSender, State(recorder): State<Recorder>| {
            ack.send("watching").unwrap();
            watch_once_left(&socket, &user.unwrap(), &recorder).await;
        }
    });
    socket.on(
        "watch once left",
        async |socket: SocketRef,
               user: AuthUser<User>,
               ack: AckSender,
               State(recorder): State<Recorder>| {
            ack.send("watching").unwrap();
            watch_once_left(&socket, &user, &recorder).await;
        },
    );
    socket.on("whoami", async |user: AuthUser<User>, ack: AckSender| {
        ack.send(user.name).unwrap();
    });
    socket.emit("ready", &()).unwrap();
}

/// Begins to wait after the client has left, and holds the socket meanwhile.
async fn watch_once_left(socket: &SocketRef, user: &AuthUser<User>, recorder: &Recorder) {
    while socket.connected() {
        yield_now().await;
    }
    user.ended().await;
    recorder.record(format!("{} ended", user.name));
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> (Server, Records) {
    let (recorder, records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server.io.ns("/", on_connect.with(builder.build().unwrap()));
    (server, records)
}

async fn watching(server: &Server, token: &str) -> Raw {
    let mut raw = ready(server, "/", Some(token)).await;
    watch(&mut raw).await;
    raw
}

async fn watch(raw: &mut Raw) {
    raw.emit_with_ack("/", 1, &json!(["watch"])).await;
    raw.expect("/", Received::ack(json!("watching"))).await;
}

#[tokio::test]
async fn ended_resolves_at_the_expiry() {
    let (server, mut records) = serve(log_in::builder()).await;
    let _raw = watching(&server, &token_valid_for(0.8, "ada").0).await;
    assert_eq!(records.next().await, "Ada ended");
}

#[tokio::test]
async fn ended_resolves_at_the_limit_of_the_login() {
    let (server, mut records) = serve(log_in::builder().max_session("500ms")).await;
    let _raw = watching(&server, &token("ada")).await;
    assert_eq!(records.next().await, "Ada ended");
}

#[tokio::test]
async fn ended_resolves_at_a_logout() {
    let (server, mut records) = serve(log_in::builder()).await;
    let _ada = watching(&server, &token("ada")).await;
    let _grace = watching(&server, &token("grace")).await;
    disconnect_user(&server.io, "Ada").await.unwrap();
    assert_eq!(records.next().await, "Ada ended");
    disconnect_user(&server.io, "Grace").await.unwrap();
    assert_eq!(records.next().await, "Grace ended");
}

#[tokio::test]
async fn ended_resolves_when_the_client_leaves_or_its_connection_breaks() {
    let (server, mut records) = serve(log_in::builder()).await;
    let mut ada = watching(&server, &token("ada")).await;
    // The application holds the socket.
    let _kept = server.io.sockets();
    ada.leave("/").await;
    assert_eq!(records.next().await, "Ada ended");

    drop(watching(&server, &token("grace")).await);
    assert_eq!(records.next().await, "Grace ended");
}

#[tokio::test]
async fn ended_resolves_for_a_handler_that_begins_to_wait_after_the_client_has_left() {
    let (server, mut records) = serve(log_in::builder()).await;
    for event in ["watch once left", "watch from the connect handler"] {
        let mut ada = ready(&server, "/", Some(&token("ada"))).await;
        ada.emit_with_ack("/", 1, &json!([event])).await;
        ada.expect("/", Received::ack(json!("watching"))).await;
        ada.leave("/").await;
        assert_eq!(records.next().await, "Ada ended", "{event}");
    }
}

#[tokio::test]
async fn ended_resolves_when_the_server_disconnects_the_socket() {
    let (server, mut records) = serve(log_in::builder()).await;
    let _ada = watching(&server, &token("ada")).await;
    server.io.disconnect().await.unwrap();
    assert_eq!(records.next().await, "Ada ended");
}

#[tokio::test]
async fn a_renewal_does_not_resolve_ended_and_the_end_after_it_does() {
    let (server, mut records) = serve(log_in::builder()).await;
    let mut raw = watching(&server, &token("ada")).await;
    for _ in 0..3 {
        renew(&mut raw, &token("ada")).await.assert_renewal();
    }
    let _grace = watching(&server, &token_valid_for(1.5, "grace").0).await;
    assert_eq!(records.next().await, "Grace ended");
    assert_eq!(records.unread(), [""; 0]);
    disconnect_user(&server.io, "Ada").await.unwrap();
    assert_eq!(records.next().await, "Ada ended");
}

#[tokio::test]
async fn ended_resolves_at_once_for_a_session_that_has_ended() {
    let (server, _records) = serve(log_in::builder()).await;
    let _raw = ready(&server, "/", Some(&token("ada"))).await;
    let kept = server.io.sockets().pop().unwrap();
    let user = kept.auth_user::<User>().unwrap();
    disconnect_user(&server.io, "Ada").await.unwrap();
    within("the end", user.ended()).await;
}

#[tokio::test]
async fn ended_keeps_neither_the_user_nor_the_socket() {
    let (server, _records) = serve(log_in::builder()).await;
    let raw = ready(&server, "/", Some(&token("ada"))).await;
    let (ended, user) = {
        let socket = server.io.sockets().pop().unwrap();
        let user = socket.auth_user::<User>().unwrap();
        (user.ended(), std::sync::Arc::downgrade(&user.into_arc()))
    };
    assert!(user.upgrade().is_some());

    drop(raw);
    within("the drop of the user", async {
        while user.upgrade().is_some() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    within("the end", ended).await;
}

#[tokio::test]
async fn ended_resolves_at_once_in_a_disconnect_handler() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |_socket: SocketRef, user: AuthUser<User>, State(recorder): State<Recorder>| {
                user.ended().await;
                recorder.record(format!("{} left", user.name));
            },
        );
        socket.emit("ready", &()).unwrap();
    }

    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    raw.leave("/").await;
    assert_eq!(records.next().await, "Ada left");
}

#[tokio::test]
async fn many_waiters_all_resolve() {
    let (server, _records) = serve(log_in::builder()).await;
    let _raw = ready(&server, "/", Some(&token("ada"))).await;
    let user = server.io.sockets()[0].auth_user::<User>().unwrap();
    let waiting: Vec<_> = (0..100).map(|_| tokio::spawn(user.ended())).collect();
    tokio::task::yield_now().await;
    disconnect_user(&server.io, "Ada").await.unwrap();
    for waiting in waiting {
        within("the end", waiting).await.unwrap();
    }
}
