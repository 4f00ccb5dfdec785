//! Shutdown of a server with open sessions and with lookups under way.
//!
//! `SocketIo::close()` of socketioxide 0.18.9 closes the connections, but forgets the sockets: it
//! calls no disconnect handler and never drops them. What this crate adds to them ends with the
//! token at the latest.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, JwtAuthBuilder, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Gate, Raw, Received, Recorder, Records, SECRET, Server, Tracked, join, mint, now, ready, token,
    within,
};

#[derive(Deserialize)]
struct Claims {
    /// Whether the lookup waits at the gate.
    slow: Option<bool>,
}

#[jwt_auth(
    secret = SECRET,
    leeway = "0s",
    guest = true,
    guest_timeout = "1s",
    authenticate_event = "authenticate",
    expiry_warning = "60s"
)]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<Tracked> {
    if claims.slow.is_some() {
        recorder.record("lookup");
        gate.pass().await;
    }
    Some(Tracked::new(&recorder, "user"))
}

async fn on_connect(socket: SocketRef) {
    socket.on_disconnect(
        async |_: AuthUser<Tracked>, State(recorder): State<Recorder>| recorder.record("goodbye"),
    );
    socket.emit("ready", &()).unwrap();
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> (Server, Records, Gate) {
    let (server, records, gate) = Server::with_gate().await;
    server.io.ns("/", on_connect.with(builder.build().unwrap()));
    server.io.ns("/open", async |socket: SocketRef| {
        socket.emit("ready", &()).unwrap()
    });
    (server, records, gate)
}

/// Returns a token that is valid for a second.
fn short_token(mut claims: Value) -> String {
    claims["exp"] = json!(now() + 1.0);
    mint(&claims, SECRET)
}

async fn close(server: &Server) {
    within("the end of the server", server.io.close()).await;
}

async fn expect_closed(raw: &mut Raw) {
    while raw.next().await.1 != Received::Closed {}
}

#[tokio::test]
async fn open_sessions_do_not_delay_shutdown_and_end_with_their_tokens() {
    let (server, mut records, _gate) = serve(log_in::builder()).await;
    let mut user = ready(&server, "/", Some(&short_token(json!({})))).await;
    let mut guest = ready(&server, "/", None).await;
    close(&server).await;
    expect_closed(&mut user).await;
    expect_closed(&mut guest).await;
    drop((user, guest, server));
    assert_eq!(records.next().await, "goodbye");
    assert_eq!(records.next().await, "user dropped");
    Server::wait_for_tasks_at_most(0).await;
}

/// Disconnecting the sockets first lets their disconnect handlers run.
#[tokio::test]
async fn nothing_remains_of_a_server_whose_sockets_are_disconnected_before_it_is_closed() {
    let (server, mut records, _gate) =
        serve(log_in::builder().guest_timeout(Duration::from_secs(3600))).await;

    let mut user = ready(&server, "/", Some(&token("ada"))).await;
    let mut guest = ready(&server, "/", None).await;
    server.io.disconnect().await.unwrap();
    assert_eq!(records.next().await, "goodbye");
    assert_eq!(records.next().await, "user dropped");
    close(&server).await;

    for raw in [&mut user, &mut guest] {
        while raw.next().await.1 != Received::Disconnected {}
    }

    drop((user, guest, server));
    Server::wait_for_tasks_at_most(0).await;
}

#[tokio::test]
async fn a_login_under_way_does_not_delay_shutdown() {
    let (server, mut records, gate) = serve(log_in::builder()).await;
    let mut raw = ready(&server, "/", None).await;

    raw.emit(
        "/",
        &json!(["authenticate", { "token": short_token(json!({ "slow": true })) }]),
    )
    .await;
    assert_eq!(records.next().await, "lookup");

    close(&server).await;
    expect_closed(&mut raw).await;

    drop((raw, server));
    gate.open_once();
    assert_eq!(records.next().await, "goodbye");
    assert_eq!(records.next().await, "user dropped");
    Server::wait_for_tasks_at_most(0).await;
}

#[tokio::test]
async fn nothing_remains_of_a_connection_that_is_under_way() {
    let (server, mut records, gate) = serve(log_in::builder()).await;
    let mut raw = server.raw().await;

    join(&mut raw, "/open", None).await;
    raw.connect_with_token(
        "/",
        &mint(&json!({ "slow": true, "exp": now() + 3600.0 }), SECRET),
    )
    .await;
    assert_eq!(records.next().await, "lookup");

    close(&server).await;
    expect_closed(&mut raw).await;

    gate.open_once();
    assert_eq!(records.next().await, "user dropped");
    drop((raw, server));
    Server::wait_for_tasks_at_most(0).await;
}
