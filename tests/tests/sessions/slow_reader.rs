//! Clients that do not read: their channel is full when their session ends.

use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthUser, DisconnectError, JwtAuthBuilder, Not, SocketAuth, disconnect_user, jwt_auth,
    user_room,
};
use socketioxide_jwt_auth_tests::{
    Claims, LIMIT, Raw, Received, Recorder, Records, SECRET, Server, User, answer, find_user,
    flood, join, ready, recorder, token, token_valid_for, unauthorized, unauthorized_event, within,
};
use tokio::task::yield_now;

/// The seconds for which tokens are valid: longer than it takes to fill a channel on a slow machine.
const LIFE: f64 = 3.0;

#[jwt_auth(secret = SECRET, leeway = "0s", guest = true, authenticate_event = "authenticate")]
async fn log_in(claims: Claims, State(recorder): State<Recorder>) -> Option<User> {
    recorder.record(format!("lookup {}", claims.sub));
    find_user(&claims.sub)
}

/// Starts a server whose clients have room for few packets.
async fn serve(builder: JwtAuthBuilder<log_in>) -> (Server, Records) {
    let builder = builder.user_key(|user: &User| user.name);
    async fn on_connect(socket: SocketRef) {
        socket.join("members");
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, user: AuthUser<User>| {
                recorder.record(format!("goodbye {}", user.name));
            },
        );
        answer(socket).await;
    }

    let (recorder, records) = recorder();
    let server = Server::with(SocketIo::builder().max_buffer_size(4).with_state(recorder)).await;
    server.io.ns("/", on_connect.with(builder.build().unwrap()));
    (server, records)
}

/// Opens a connection that stops reading, and returns it with its socket.
async fn connect_with_small_buffer(server: &Server, token: Option<&str>) -> (Raw, SocketRef) {
    let others: Vec<_> = server.io.sockets().iter().map(|other| other.id).collect();
    let mut raw = Raw::open_with_small_buffer(server.address()).await;
    join(&mut raw, "/", token).await;

    let mut sockets = server.io.sockets();
    sockets.retain(|socket| !others.contains(&socket.id));
    (raw, sockets.pop().unwrap())
}

/// Waits until the token expires on a separate server.
async fn let_it_expire(token: &str) {
    let server = Server::start().await;
    let builder = socketioxide_jwt_auth_tests::authenticate::builder().leeway("0s");
    server.io.ns("/", answer.with(builder.build().unwrap()));
    ready(&server, "/", Some(token))
        .await
        .expect("/", unauthorized("token_expired"))
        .await;
}

/// Reads again, and returns what arrived after the flood.
async fn after_the_flood(raw: &mut Raw) -> Received {
    loop {
        match raw.next().await.1 {
            Received::Event(name, _) if name == "flood" => {}
            received => return received,
        }
    }
}

/// Waits until handlers refuse the socket and it is in no room. The other server, on which a token
/// expires, may be faster.
async fn until_ended(server: &Server, socket: &SocketRef) {
    let has_ended = || {
        let rooms = ["members".to_owned(), user_room("Ada")];
        socket.auth_user::<User>().is_none() && server.io.to(rooms).sockets().is_empty()
    };
    within("the end of the session", async {
        while !has_ended() {
            yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_session_ends_in_time_and_the_client_is_told_when_it_reads() {
    let (server, mut records) = serve(log_in::builder()).await;
    let (token, _) = token_valid_for(LIFE, "ada");
    let (mut raw, socket) = connect_with_small_buffer(&server, Some(&token)).await;
    assert_eq!(records.next().await, "lookup ada");
    assert_eq!(server.io.to("members").sockets().len(), 1);
    assert_eq!(server.io.to(user_room("Ada")).sockets().len(), 1);
    flood(&socket).await;
    let_it_expire(&token).await;
    until_ended(&server, &socket).await;
    assert!(
        socket.connected(),
        "nothing can be sent to it, not even that it is disconnected"
    );

    assert_eq!(
        after_the_flood(&mut raw).await,
        unauthorized("token_expired")
    );
    raw.expect("/", Received::Disconnected).await;
    assert_eq!(records.next().await, "goodbye Ada");
}

/// A client must not keep its session alive by not reading: the warning waits for room in the
/// channel, the end does not.
#[tokio::test]
async fn a_warning_that_cannot_be_sent_does_not_delay_the_end() {
    let (server, _records) = serve(log_in::builder().expiry_warning("1h")).await;
    let (token, _) = token_valid_for(LIFE, "ada");
    let (mut raw, socket) = connect_with_small_buffer(&server, Some(&token)).await;
    flood(&socket).await;
    let_it_expire(&token).await;
    until_ended(&server, &socket).await;

    assert_eq!(
        after_the_flood(&mut raw).await,
        unauthorized("token_expired")
    );
    raw.expect("/", Received::Disconnected).await;
}

#[tokio::test]
async fn a_session_that_has_ended_is_not_renewed_and_costs_no_lookup() {
    let (server, mut records) = serve(log_in::builder()).await;
    let (first, _) = token_valid_for(LIFE, "ada");
    let (mut raw, socket) = connect_with_small_buffer(&server, Some(&first)).await;
    flood(&socket).await;
    let_it_expire(&first).await;
    raw.emit("/", &json!(["authenticate", { "token": token("ada") }]))
        .await;

    // The refusal of the renewal may arrive as well, if there was room for it first.
    let refused = unauthorized_event("token_expired", "authenticate");
    let mut received = vec![after_the_flood(&mut raw).await];
    while !received.contains(&Received::Disconnected) {
        received.push(raw.next().await.1);
    }
    received.retain(|received| *received != refused);
    assert_eq!(
        received,
        [unauthorized("token_expired"), Received::Disconnected]
    );
    until_ended(&server, &socket).await;
    assert_eq!(records.next().await, "lookup ada");
    assert_eq!(records.next().await, "goodbye Ada");
}

#[tokio::test]
async fn a_guest_that_does_not_read_is_disconnected() {
    let (server, _records) = serve(log_in::builder().guest_timeout("500ms")).await;
    let (mut raw, socket) = connect_with_small_buffer(&server, None).await;
    flood(&socket).await;
    let (mut other, _) = connect_with_small_buffer(&server, None).await;
    other.expect("/", unauthorized("login_required")).await;
    assert!(socket.rooms().is_empty());
    assert!(socket.connected());

    assert_eq!(
        after_the_flood(&mut raw).await,
        unauthorized("login_required")
    );
    raw.expect("/", Received::Disconnected).await;
}

#[tokio::test]
async fn nothing_remains_of_a_client_that_never_reads_and_disconnects() {
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    let (server, mut records) = serve(log_in::builder()).await;
    let (token, _) = token_valid_for(LIFE, "ada");
    let (raw, socket) = connect_with_small_buffer(&server, Some(&token)).await;

    flood(&socket).await;
    let_it_expire(&token).await;
    drop((raw, socket));
    while records.next().await != "goodbye Ada" {}
    assert_eq!(server.sockets_in("/"), 0);

    drop(server);
    Server::wait_for_tasks_at_most(tasks).await;
}

/// A first ping may have taken the only place for a packet; then socketioxide closes the
/// connection.
async fn admitted(server: &Server, namespace: &str) -> Raw {
    for _ in 0..20 {
        let mut raw = server.raw().await;
        raw.connect_with_token(namespace, &token_valid_for(0.5, "ada").0)
            .await;
        match raw.next().await.1 {
            Received::Closed => {}
            received => {
                assert_eq!(received, Received::Connected);
                return raw;
            }
        }
    }

    panic!("never admitted");
}

/// The second packet waits until the first one was sent.
#[tokio::test]
async fn a_channel_for_one_packet_is_enough() {
    async fn refuse_all(_: AuthUser<User, Not<()>>) {}
    let (recorder, _records) = recorder();
    let server = Server::with(SocketIo::builder().max_buffer_size(1).with_state(recorder)).await;
    server
        .io
        .ns("/", (async || ()).with(log_in::middleware().unwrap()));
    server
        .io
        .ns("/refused", refuse_all.with(log_in::middleware().unwrap()));
    let mut raw = admitted(&server, "/").await;
    raw.expect_ended("/", "token_expired").await;

    let mut raw = admitted(&server, "/refused").await;
    raw.expect_ended("/refused", "forbidden").await;
}

#[tokio::test]
async fn a_logout_says_that_a_session_which_expired_before_is_still_connected() {
    let (server, _records) = serve(log_in::builder()).await;
    let (token, _) = token_valid_for(LIFE, "ada");
    let (_raw, socket) = connect_with_small_buffer(&server, Some(&token)).await;

    flood(&socket).await;
    let_it_expire(&token).await;
    until_ended(&server, &socket).await;

    let ended = disconnect_user(&server.io, "Ada").await;
    assert!(
        matches!(ended, Err(DisconnectError::SlowClient)),
        "{ended:?}"
    );
    assert!(socket.connected());
}

#[tokio::test]
async fn a_logout_neither_waits_for_nor_disconnects_a_slow_client_of_another_user() {
    let (server, _records) = serve(log_in::builder()).await;
    let (adas, _) = token_valid_for(LIFE, "ada");
    let (mut ada, adas_socket) = connect_with_small_buffer(&server, Some(&adas)).await;
    flood(&adas_socket).await;
    let (graces, _) = token_valid_for(LIFE, "grace");
    let (mut grace, graces_socket) = connect_with_small_buffer(&server, Some(&graces)).await;
    flood(&graces_socket).await;
    let_it_expire(&graces).await;

    // Ada's client reads again, so that only the socket of Grace remains.
    assert_eq!(
        after_the_flood(&mut ada).await,
        unauthorized("token_expired")
    );
    ada.expect("/", Received::Disconnected).await;

    disconnect_user(&server.io, "Ada").await.unwrap();
    assert!(graces_socket.connected());
    assert_eq!(
        after_the_flood(&mut grace).await,
        unauthorized("token_expired")
    );
    grace.expect("/", Received::Disconnected).await;
}

#[tokio::test]
async fn a_slow_client_leaves_all_rooms_at_a_logout() {
    let (server, _records) = serve(log_in::builder()).await;

    let (mut raw, socket) = connect_with_small_buffer(&server, Some(&token("ada"))).await;
    flood(&socket).await;
    let io = server.io.clone();
    let logout = tokio::spawn(async move { disconnect_user(&io, "Ada").await });

    until_ended(&server, &socket).await;

    // The socket leaves rooms that it joins afterwards as well.
    socket.join("members");
    until_ended(&server, &socket).await;

    assert_eq!(
        after_the_flood(&mut raw).await,
        unauthorized("session_ended")
    );
    raw.expect("/", Received::Disconnected).await;
    tokio::time::timeout(LIMIT, logout)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

/// Broadcasts of the namespace reach a socket until it is disconnected. The room of each packet
/// that the client reads must go to the end of the session, not to another broadcast.
#[tokio::test]
async fn a_client_that_reads_slowly_receives_few_broadcasts_after_its_end() {
    let (server, _records) = serve(log_in::builder()).await;
    let (token, _) = token_valid_for(LIFE, "ada");
    let (mut raw, socket) = connect_with_small_buffer(&server, Some(&token)).await;
    flood(&socket).await;
    let_it_expire(&token).await;

    let io = server.io.clone();
    let broadcasts = tokio::spawn(async move {
        let text = "x".repeat(64 * 1024);
        let mut interval = tokio::time::interval(std::time::Duration::from_millis(2));
        loop {
            interval.tick().await;
            io.emit("news", &text).await.ok();
        }
    });
    let mut heard = 0;
    loop {
        match raw.next().await.1 {
            Received::Event(name, _) if name == "flood" => {}
            Received::Event(name, _) if name == "news" => heard += 1,
            Received::Disconnected => break,
            received => assert_eq!(received, unauthorized("token_expired")),
        }
    }
    broadcasts.abort();
    println!("{heard} broadcasts received");
    assert!(heard < 20, "{heard} broadcasts received");
}
