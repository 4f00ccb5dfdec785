//! Clients that disconnect while a lookup of theirs runs, and clients that connect again before it
//! has ended.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthUser, JwtAuthBuilder, MaybeAuthUser, SocketAuth, disconnect_user, jwt_auth, user_room,
};
use socketioxide_jwt_auth_tests::{
    Gate, Raw, Received, Recorder, Records, SECRET, Server, Tracked, join, mint, ready, recorder,
    seconds_from_now, token_valid_for, unauthorized,
};
use tokio::runtime::Handle;

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Whether the lookup waits at the gate.
    slow: Option<bool>,
}

/// A user whose drop is recorded.
struct Member {
    name: String,
    _tracked: Tracked,
}

#[jwt_auth(
    secret = SECRET,
    leeway = "0s",
    guest = true,
    authenticate_event = "authenticate",
    user_key = |member: &Member| member.name.clone()
)]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<Member> {
    if claims.slow.is_some() {
        recorder.record("lookup");
        gate.pass().await;
    }
    Some(Member {
        name: claims.sub,
        _tracked: Tracked::new(&recorder, "member"),
    })
}

async fn on_connect(socket: SocketRef) {
    socket.on_login(async |State(recorder): State<Recorder>| recorder.record("login"));
    socket.on_disconnect(
        async |State(recorder): State<Recorder>, member: MaybeAuthUser<Member>| {
            recorder.record(
                member
                    .as_ref()
                    .map_or("left".to_owned(), |member| format!("{} left", member.name)),
            );
        },
    );
    socket.on(
        "whoami",
        async |ack: AckSender, member: AuthUser<Member>| {
            ack.send(&member.name).unwrap_or_default();
        },
    );
    socket.emit("ready", &()).unwrap();
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> (Server, Records, Gate) {
    let (recorder, records) = recorder();
    let gate = Gate::closed();
    // Long enough for the tests that advance the clock.
    let io = SocketIo::builder().ping_timeout(Duration::from_secs(3600));
    let server = Server::with(io.with_state(recorder).with_state(gate.clone())).await;

    server.io.ns("/", on_connect.with(builder.build().unwrap()));
    server.io.ns("/witness", async |socket: SocketRef| {
        socket.on_disconnect(async |State(recorder): State<Recorder>| {
            recorder.record("connection gone")
        });
        socket.emit("ready", &()).unwrap();
    });
    (server, records, gate)
}

/// Returns a token whose lookup waits at the gate.
fn slow_token(subject: &str) -> String {
    mint(
        &json!({ "sub": subject, "slow": true, "exp": seconds_from_now(3600) }),
        SECRET,
    )
}

fn token(subject: &str) -> String {
    mint(
        &json!({ "sub": subject, "exp": seconds_from_now(3600) }),
        SECRET,
    )
}

fn authenticate(token: &str) -> Value {
    json!(["authenticate", { "token": token }])
}

async fn expect_whoami(raw: &mut Raw, name: &str) {
    raw.emit_with_ack("/", 9, &json!(["whoami"])).await;
    raw.expect("/", Received::ack(json!(name))).await;
}

fn alive_tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

async fn assert_nothing_is_left(server: &Server, tasks: usize) {
    assert_eq!(server.sockets_in("/"), 0);
    assert_eq!(server.io.of("/").unwrap().rooms().await.unwrap(), [""; 0]);
    Server::wait_for_tasks_at_most(tasks).await;
}

/// Waits until the token expires on a separate server, then advances the clock of the timers.
async fn let_expire_and_jump(token: &str, jump: Duration) {
    let (server, _records, _gate) = serve(log_in::builder()).await;
    ready(&server, "/", Some(token))
        .await
        .expect("/", unauthorized("token_expired"))
        .await;
    tokio::time::pause();
    tokio::time::advance(jump).await;
    tokio::time::resume();
}

#[tokio::test]
async fn nothing_remains_after_a_connection_breaks_during_the_lookup() {
    let (server, mut records, gate) = serve(log_in::builder()).await;
    let tasks = alive_tasks();
    let mut raw = ready(&server, "/witness", None).await;
    raw.connect_with_token("/", &slow_token("ada")).await;
    assert_eq!(records.next().await, "lookup");
    drop(raw);
    assert_eq!(records.next().await, "connection gone");
    gate.open_once();
    assert_eq!(records.next().await, "member dropped");
    assert_nothing_is_left(&server, tasks).await;
    assert_eq!(records.unread(), [""; 0]);
}

#[tokio::test]
async fn nothing_remains_after_a_client_disconnects_during_the_lookup() {
    let (server, mut records, gate) = serve(log_in::builder()).await;
    let tasks = alive_tasks();

    let mut raw = ready(&server, "/witness", None).await;
    raw.connect_with_token("/", &slow_token("ada")).await;
    assert_eq!(records.next().await, "lookup");
    raw.leave("/").await;

    // To socketioxide it is not in the namespace yet, and any other packet there closes the
    // connection.
    raw.expect("", Received::Closed).await;
    assert_eq!(records.next().await, "connection gone");
    gate.open_once();
    assert_eq!(records.next().await, "member dropped");
    drop(raw);
    assert_nothing_is_left(&server, tasks).await;
}

#[tokio::test]
async fn nothing_remains_after_a_connection_breaks_during_a_login() {
    let (server, mut records, gate) = serve(log_in::builder()).await;
    let tasks = alive_tasks();
    let mut raw = ready(&server, "/", None).await;

    raw.emit("/", &authenticate(&slow_token("ada"))).await;
    assert_eq!(records.next().await, "lookup");

    drop(raw);
    assert_eq!(records.next().await, "left");

    gate.open_once();
    assert_eq!(records.next().await, "member dropped");
    assert_nothing_is_left(&server, tasks).await;
    assert_eq!(
        records.unread(),
        [""; 0],
        "a client that has left does not log in"
    );
}

#[tokio::test]
async fn nothing_remains_after_a_connection_breaks_during_a_renewal() {
    let (server, mut records, gate) = serve(log_in::builder().expiry_warning("60s")).await;
    let tasks = alive_tasks();
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    raw.emit("/", &authenticate(&slow_token("ada"))).await;
    assert_eq!(records.next().await, "lookup");
    drop(raw);
    assert_eq!(records.next().await, "ada left");
    gate.open_once();
    assert_eq!(records.next().await, "member dropped");
    assert_eq!(records.next().await, "member dropped");
    assert_nothing_is_left(&server, tasks).await;
}

/// The rooms are those of the connection, and `disconnect_user` must still find the client.
#[tokio::test]
async fn a_renewal_that_ends_after_a_reconnect_does_not_change_the_rooms() {
    let (server, mut records, gate) = serve(log_in::builder()).await;
    for (before, during, after) in [
        (Some("ada"), "ada", "ada"),
        (None, "ada", "grace"),
        (None, "ada", "ada"),
    ] {
        let first = before.map(token);
        let mut raw = ready(&server, "/", first.as_deref()).await;
        raw.emit("/", &authenticate(&slow_token(during))).await;
        assert_eq!(records.next().await, "lookup");
        raw.leave("/").await;
        assert!(records.next().await.ends_with("left"));
        join(&mut raw, "/", Some(&token(after))).await;
        gate.open_once();
        for _ in 0..1 + usize::from(before.is_some()) {
            assert_eq!(records.next().await, "member dropped");
        }

        assert_eq!(
            server.io.sockets().pop().unwrap().rooms(),
            [user_room(after)]
        );
        disconnect_user(&server.io, after).await.unwrap();
        raw.expect_ended("/", "session_ended").await;
        assert_eq!(records.next().await, format!("{after} left"));
        assert_eq!(records.next().await, "member dropped");
    }
}

#[tokio::test]
async fn the_expiry_of_a_session_does_not_end_the_session_after_a_reconnect() {
    let (server, mut records, _gate) = serve(log_in::builder()).await;
    let (short, _) = token_valid_for(0.8, "ada");
    let mut raw = ready(&server, "/", Some(&short)).await;
    let kept = server.io.sockets().pop().unwrap();
    raw.leave("/").await;
    assert_eq!(records.next().await, "ada left");
    join(&mut raw, "/", Some(&token("ada"))).await;
    let_expire_and_jump(&short, Duration::from_secs(120)).await;

    assert!(
        kept.auth_user::<Member>().is_none(),
        "its session has ended"
    );
    expect_whoami(&mut raw, "ada").await;
    assert_eq!(
        server.io.sockets().pop().unwrap().rooms(),
        [user_room("ada")]
    );
}

/// The middlewares that run after this one may take any time.
#[tokio::test]
async fn a_session_that_expires_while_a_later_middleware_runs_for_minutes_ends() {
    async fn wait(State(gate): State<Gate>) -> Result<(), std::convert::Infallible> {
        gate.pass().await;
        Ok(())
    }

    let (server, _records, gate) = serve(log_in::builder()).await;
    server.io.ns(
        "/patient",
        on_connect
            .with(wait)
            .with(log_in::builder().build().unwrap()),
    );

    let (short, _) = token_valid_for(0.8, "ada");
    let mut raw = ready(&server, "/witness", None).await;
    raw.connect_with_token("/patient", &short).await;
    let_expire_and_jump(&short, Duration::from_secs(120)).await;
    gate.open_once();
    raw.expect("/patient", Received::Connected).await;
    raw.expect("/patient", Received::event("ready", json!(null)))
        .await;
    raw.expect_ended("/patient", "token_expired").await;
}

#[tokio::test]
async fn timers_end_with_their_sockets() {
    let (server, _records, _gate) =
        serve(log_in::builder().expiry_warning("60s").guest_timeout("1h")).await;
    let tasks = alive_tasks();

    for token in [Some(token("ada")), None].iter().cycle().take(20) {
        let mut left = ready(&server, "/", token.as_deref()).await;
        left.leave("/").await;
        drop(ready(&server, "/", token.as_deref()).await);
    }

    assert!(alive_tasks() > tasks);

    while server.sockets_in("/") > 0 {
        tokio::task::yield_now().await;
    }

    Server::wait_for_tasks_at_most(tasks).await;
}

#[tokio::test]
async fn timers_end_with_the_session_that_is_renewed() {
    let (server, _records, _gate) = serve(log_in::builder().expiry_warning("60s")).await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    let tasks = alive_tasks();
    for _ in 0..9 {
        raw.emit_with_ack("/", 1, &authenticate(&token("ada")))
            .await;
        raw.next().await.1.assert_renewal();
    }
    Server::wait_for_tasks_at_most(tasks).await;
    expect_whoami(&mut raw, "ada").await;
}
