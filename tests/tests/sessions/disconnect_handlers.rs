//! Disconnect handlers of the application that panic or take long: socketioxide keeps the socket in
//! its namespace until the handler has run.

use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{disconnect_user, jwt_auth, user_room};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, Raw, Received, SECRET, Server, User, find_user, join, ready, token,
    token_valid_for, within,
};

#[jwt_auth(secret = SECRET, leeway = "0s", user_key = |user: &User| user.name)]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// Panics while the socket leaves.
async fn panicking(socket: SocketRef) {
    socket.on_disconnect(async || panic!("this is the test's own"));
    socket.emit("ready", &()).unwrap();
}

/// Waits at a gate while the socket leaves.
async fn waiting(socket: SocketRef) {
    socket.on_disconnect(async |State(gate): State<Gate>| gate.pass().await);
    socket.emit("ready", &()).unwrap();
}

async fn serve() -> (Server, Gate) {
    let gate = Gate::closed();
    let server = Server::with(SocketIo::builder().with_state(gate.clone())).await;
    let middleware = log_in::middleware().unwrap();
    server.io.ns("/", panicking.with(middleware.clone()));
    server.io.ns("/slow", waiting.with(middleware));
    server.io.ns("/other", async |socket: SocketRef| {
        socket.emit("ready", &()).unwrap();
    });
    (server, gate)
}

async fn wait_until_removed(server: &Server, namespace: &str) {
    let removed = async {
        while server.sockets_in(namespace) > 0 {
            tokio::task::yield_now().await;
        }
    };
    within("the removal of the socket", removed).await;
}

/// Waits until socketioxide removes the socket, and tells the client so.
async fn expect_removed(server: &Server, raw: &mut Raw) {
    wait_until_removed(server, "/").await;
    raw.expect("/", Received::Disconnected).await;
}

/// Checks that the client hears nothing that is sent to the namespace or to the user.
async fn expect_deaf(server: &Server, raw: &mut Raw) {
    server.io.emit("news", &json!(1)).await.ok();
    server
        .io
        .to(user_room("Ada"))
        .emit("mail", &json!(1))
        .await
        .ok();
    join(raw, "/other", None).await;
}

#[tokio::test]
async fn a_client_hears_nothing_after_its_end_if_its_disconnect_handler_panicked() {
    let (server, _gate) = serve().await;
    let (token, _) = token_valid_for(1.0, "ada");
    let mut raw = ready(&server, "/", Some(&token)).await;

    raw.expect_ended("/", "token_expired").await;
    expect_removed(&server, &mut raw).await;
    expect_deaf(&server, &mut raw).await;
}

#[tokio::test]
async fn a_client_that_left_before_its_end_hears_nothing_after_it_if_its_disconnect_handler_panicked()
 {
    let (server, _gate) = serve().await;
    let (token, _) = token_valid_for(1.0, "ada");
    let mut raw = ready(&server, "/", Some(&token)).await;

    raw.leave("/").await;
    expect_removed(&server, &mut raw).await;
    expect_deaf(&server, &mut raw).await;
}

#[tokio::test]
async fn a_logout_removes_a_socket_whose_disconnect_handler_panicked_before() {
    let (server, _gate) = serve().await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    raw.leave("/").await;

    disconnect_user(&server.io, "Ada").await.unwrap();
    wait_until_removed(&server, "/").await;
}

#[tokio::test]
async fn a_socket_stays_until_its_disconnect_handler_has_run_and_a_logout_does_not_wait_for_it() {
    let (server, gate) = serve().await;
    let mut raw = ready(&server, "/slow", Some(&token("ada"))).await;

    let ended = disconnect_user(&server.io, "Ada").await;
    assert_eq!(ended.unwrap(), 1);
    raw.expect_ended("/slow", "session_ended").await;
    join(&mut raw, "/other", None).await;
    assert_eq!(server.sockets_in("/slow"), 1);
    gate.open_once();
    wait_until_removed(&server, "/slow").await;
}
