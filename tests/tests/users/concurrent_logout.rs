//! A forced logout during a connection, a login or a renewal of its user.

use serde_json::json;
use socketioxide::{
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, SocketAuth, disconnect_user, jwt_auth, user_room};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, Raw, Received, Recorder, Records, SECRET, Server, emit_with_ack, join, ready,
    refused_ack, token, unauthorized,
};

struct Member {
    name: String,
}

#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    user_key = |member: &Member| member.name.clone()
)]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<Member> {
    // `ada` waits, and `ada!` is the same user without waiting.
    let waits = !claims.sub.ends_with('!');

    if waits {
        recorder.record("lookup");
        gate.pass().await;
    }
    Some(Member {
        name: claims.sub.trim_end_matches('!').to_owned(),
    })
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "whoami",
        async |ack: AckSender, member: AuthUser<Member>| ack.send(&member.name).unwrap_or_default(),
    );
    socket.emit("ready", &()).unwrap();
}

async fn serve() -> (Server, Records, Gate) {
    let (server, records, gate) = Server::with_gate().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));
    server
        .io
        .dyn_ns("/room/{id}", on_connect.with(log_in::middleware().unwrap()))
        .unwrap();
    (server, records, gate)
}

#[tokio::test]
async fn a_connection_whose_lookup_runs_during_the_logout_is_refused() {
    let (server, mut records, gate) = serve().await;
    for namespace in ["/", "/room/1"] {
        let mut raw = server.raw().await;
        raw.connect_with_token(namespace, &token("ada")).await;
        assert_eq!(records.next().await, "lookup");
        disconnect_user(&server.io, "ada").await.unwrap();
        gate.open_once();
        raw.expect(namespace, Received::refused("session_ended"))
            .await;

        // A later attempt begins after the logout.
        gate.open_once();
        join(&mut raw, namespace, Some(&token("ada"))).await;
        assert_eq!(records.next().await, "lookup");
    }
}

#[tokio::test]
async fn a_logout_of_one_user_does_not_refuse_another_one() {
    let (server, mut records, gate) = serve().await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("grace")).await;
    assert_eq!(records.next().await, "lookup");
    disconnect_user(&server.io, "ada").await.unwrap();
    gate.open_once();
    raw.expect("/", Received::Connected).await;
}

#[tokio::test]
async fn a_logout_on_one_server_does_not_refuse_the_users_of_another_one() {
    let (server, mut records, gate) = serve().await;
    let (other, _other_records, _) = serve().await;
    let mut raw = server.raw().await;

    raw.connect_with_token("/", &token("ada")).await;
    assert_eq!(records.next().await, "lookup");

    disconnect_user(&other.io, "ada").await.unwrap();
    gate.open_once();
    raw.expect("/", Received::Connected).await;
    raw.expect("/", Received::event("ready", json!(null))).await;
    disconnect_user(&other.io, "ada").await.unwrap();
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("ada"))
    );
}

#[tokio::test]
async fn a_guest_whose_login_is_under_way_stays_a_guest() {
    let (server, mut records, gate) = serve().await;
    let mut raw = ready(&server, "/", None).await;
    raw.emit_with_ack("/", 1, &json!(["authenticate", { "token": token("ada") }]))
        .await;
    assert_eq!(records.next().await, "lookup");
    disconnect_user(&server.io, "ada").await.unwrap();
    gate.open_once();
    raw.expect("/", refused_ack("session_ended")).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        refused_ack("login_required")
    );
    assert_eq!(server.io.to(user_room("ada")).sockets().len(), 0);

    gate.open_once();
    raw.emit_with_ack("/", 2, &json!(["authenticate", { "token": token("ada") }]))
        .await;
    raw.next().await.1.assert_renewal();
}

#[tokio::test]
async fn a_renewal_that_is_under_way_does_not_bring_the_session_back() {
    let (server, mut records, gate) = serve().await;
    let mut raw = ready(&server, "/", Some(&token("ada!"))).await;

    raw.emit_with_ack("/", 1, &json!(["authenticate", { "token": token("ada") }]))
        .await;
    // The two names are not the same subject, so the lookup runs first and the refusal comes later.
    assert_eq!(records.next().await, "lookup");
    disconnect_user(&server.io, "ada").await.unwrap();
    raw.expect_ended("/", "session_ended").await;

    gate.open_once();
    let (_, received) = raw.next().await;
    assert!(
        matches!(&received, Received::Ack(answer) if answer[0].get("error").is_some()),
        "{received:?}"
    );
    assert_eq!(server.sockets_in("/"), 0);
}

/// A middleware of the application that runs after the lookup.
async fn waits(
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Result<(), std::convert::Infallible> {
    recorder.record("later middleware");
    gate.pass().await;
    Ok(())
}

async fn serve_with_later_middleware() -> (Server, Records, Gate) {
    let (server, records, gate) = Server::with_gate().await;
    // The last one runs first.
    server.io.ns(
        "/",
        on_connect.with(waits).with(log_in::middleware().unwrap()),
    );
    (server, records, gate)
}

#[tokio::test]
async fn a_connection_in_a_later_middleware_is_ended_as_soon_as_it_is_connected() {
    let (server, mut records, gate) = serve_with_later_middleware().await;

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada!")).await;
    assert_eq!(records.next().await, "later middleware");
    disconnect_user(&server.io, "ada").await.unwrap();
    gate.open_once();
    raw.expect("/", Received::Connected).await;
    raw.expect("/", Received::event("ready", json!(null))).await;
    raw.emit_with_ack("/", 1, &json!(["whoami"])).await;

    loop {
        match raw.next().await.1 {
            Received::Disconnected => break,
            received => assert!(
                [refused_ack("session_ended"), unauthorized("session_ended")].contains(&received),
                "{received:?}"
            ),
        }
    }

    assert_eq!(server.sockets_in("/"), 0);
}

#[tokio::test]
async fn a_connection_in_a_later_middleware_is_told_the_reason_once() {
    use socketioxide_jwt_auth::{AuthError, disconnect_user_because};

    async fn for_users(_: AuthUser<Member>) {}
    let (server, mut records, gate) = Server::with_gate().await;
    server.io.ns(
        "/",
        for_users.with(waits).with(log_in::middleware().unwrap()),
    );
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada!")).await;
    assert_eq!(records.next().await, "later middleware");
    disconnect_user_because(&server.io, "ada", &AuthError::internal("a cause"))
        .await
        .unwrap();
    gate.open_once();
    raw.expect("/", Received::Connected).await;
    raw.expect_ended("/", "internal_error").await;
}

/// Sends a login together with CONNECT: socketioxide takes events of a socket that it has not
/// marked connected yet.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_that_comes_with_the_connect_is_in_its_room_and_welcomed_once() {
    async fn on_connect(socket: SocketRef) {
        socket.on_login(async |socket: SocketRef, member: AuthUser<Member>| {
            socket.emit("welcome", &member.name).ok();
        });
    }

    let (server, _records, _gate) = Server::with_gate().await;
    server
        .io
        .ns("/", on_connect.with(log_in::middleware().unwrap()));

    let login = json!(["authenticate", { "token": token("ada!") }]);
    let mut complete = 0;

    for round in 0..ROUNDS {
        let mut raw: Raw = server.raw().await;
        raw.connect("/", "").await;
        raw.emit_with_ack("/", 1, &login).await;
        let mut received = Vec::new();
        // socketioxide closes the connection of an event that comes before it knows the socket.
        while received.len() < 3 && !received.contains(&Received::Closed) {
            received.push(raw.next().await.1);
        }
        if received.contains(&Received::Closed) {
            continue;
        }
        complete += 1;
        assert!(
            received.contains(&Received::event("welcome", json!("ada"))),
            "round {round}: {received:?}"
        );
        assert_eq!(
            server.io.to(user_room("ada")).sockets().len(),
            1,
            "round {round}"
        );
        disconnect_user(&server.io, "ada").await.unwrap();
        raw.expect_ended("/", "session_ended").await;
    }

    assert!(complete > 0);
}

/// The window is some microseconds wide: about one round in a thousand met it before it was closed.
const ROUNDS: usize = 1000;
