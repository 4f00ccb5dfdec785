//! A forced logout at every moment of a connection, a renewal, an expiry and another logout.
//!
//! Each try has a user of its own. Whatever the order is, the socket is out once the logout has
//! returned and its client was told, and a login that came after the logout stays.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthUser, MaybeAuthUser, SocketAuth, disconnect_session, disconnect_user, jwt_auth, user_room,
};
use socketioxide_jwt_auth_tests::{
    Raw, Received, SECRET, Server, emit_with_ack, let_run, now, race, ready, refused_ack,
    renewed_until, token_valid_for, unauthorized, within,
};

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

struct Member {
    name: String,
}

/// How many lookups have begun for each user.
#[derive(Debug, Clone, Default)]
struct Lookups(Arc<Mutex<HashMap<String, usize>>>);

impl Lookups {
    fn begin(&self, name: &str) {
        *self.0.lock().unwrap().entry(name.to_owned()).or_default() += 1;
    }

    /// Waits until this number of lookups has begun for a user.
    async fn wait_for(&self, number: usize, name: &str) {
        within("a lookup", async {
            while self.0.lock().unwrap().get(name).copied() < Some(number) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

/// The user and the login have the same key.
#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    leeway = "0s",
    user_key = |member: &Member| member.name.clone(),
    session_key = |claims: &Claims| Some(claims.sub.clone()),
)]
async fn log_in(claims: Claims, lookups: State<Lookups>) -> Option<Member> {
    lookups.begin(&claims.sub);
    // Logouts come while it runs, too.
    let_run(40).await;
    Some(Member { name: claims.sub })
}

/// Each user has a room of the application.
async fn on_connect(socket: SocketRef, member: MaybeAuthUser<Member>) {
    if let Some(member) = member.as_ref() {
        socket.join(room_of(&member.name));
    }

    socket.on_login(async |socket: SocketRef, member: AuthUser<Member>| {
        socket.join(room_of(&member.name));
    });
    socket.on(
        "whoami",
        async |member: AuthUser<Member>, ack: AckSender| {
            ack.send(&member.name).unwrap_or_default();
        },
    );
    // The logout may have come before.
    socket.emit("ready", &()).ok();
}

fn room_of(name: &str) -> String {
    format!("the room of {name}")
}

async fn serve() -> (Server, Lookups) {
    let lookups = Lookups::default();
    let server = Server::with(SocketIo::builder().with_state(lookups.clone())).await;
    let middleware = log_in::middleware().unwrap();
    server.io.ns("/", on_connect.with(middleware));
    server.io.ns("/fence", async || {});
    (server, lookups)
}

fn token(name: &str) -> String {
    token_valid_for(3600.0, name).0
}

/// What a client hears until its socket is disconnected.
async fn until_disconnected(client: &mut Raw) -> Vec<Received> {
    let mut heard = Vec::new();
    loop {
        match client.next().await.1 {
            Received::Disconnected => return heard,
            received => heard.push(received),
        }
    }
}

/// Asserts that a client whose socket has ended hears nothing of its rooms any more, and that a
/// socket of the same user which connected after the logout does.
///
/// Returns what the client hears late: the answer to its renewal, or once more why it was
/// disconnected.
async fn late(server: &Server, mut gone: Raw, mut later: Raw, name: &str) -> Vec<Received> {
    for room in [user_room(name), room_of(name)] {
        let news = server.io.to(room.clone()).emit("news", &room).await;
        news.unwrap();
        later
            .expect("/", Received::event("news", json!(room)))
            .await;
        assert_eq!(server.io.to(room).sockets().len(), 1);
    }
    let answer = emit_with_ack(&mut later, "whoami", &Value::Null).await;
    assert_eq!(answer, Received::ack(json!(name)));

    // Nothing else arrives before the answer of another namespace.
    gone.connect("/fence", "").await;
    let mut heard = Vec::new();
    loop {
        match gone.next().await {
            (namespace, Received::Connected) if namespace == "/fence" => return heard,
            // Each of two that end a session disconnects its socket.
            (_, Received::Disconnected) => {}
            (_, late) => heard.push(late),
        }
    }
}

#[derive(Debug, PartialEq)]
enum End {
    /// The connection or the renewal was refused.
    Refused,
    /// It was accepted, and then ended.
    Ended,
    /// The token expired first.
    Expired,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_connection_stays_whenever_its_user_is_logged_out() {
    let (server, lookups) = serve().await;
    race([End::Refused, End::Ended], async |number| {
        let name = format!("user {number}");
        let mut client = server.raw().await;
        client.connect_with_token("/", &token(&name)).await;
        // An attempt that begins after the logout is a new login.
        lookups.wait_for(1, &name).await;
        let_run(number % 12).await;
        disconnect_user(&server.io, &name).await.unwrap();

        let later = ready(&server, "/", Some(&token(&name))).await;
        let (_, first) = client.next().await;
        if first == Received::refused("session_ended") {
            assert_eq!(late(&server, client, later, &name).await, []);
            return End::Refused;
        }
        assert_eq!(first, Received::Connected);
        let mut heard = until_disconnected(&mut client).await;
        heard.extend(late(&server, client, later, &name).await);
        let ready = Received::event("ready", json!(null));
        let possible = [ready, unauthorized("session_ended")];
        assert!(heard.iter().all(|one| possible.contains(one)), "{heard:?}");
        End::Ended
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_renewal_keeps_a_socket_whenever_its_user_is_logged_out() {
    let (server, lookups) = serve().await;
    race([End::Refused, End::Ended], async |number| {
        let name = format!("user {number}");
        let mut client = ready(&server, "/", Some(&token(&name))).await;
        let renewal = json!(["authenticate", { "token": token(&name) }]);
        client.emit_with_ack("/", 1, &renewal).await;
        lookups.wait_for(2, &name).await;
        let_run(number % 12).await;
        assert_eq!(disconnect_user(&server.io, &name).await.unwrap(), 1);

        let later = ready(&server, "/", Some(&token(&name))).await;
        let mut heard = until_disconnected(&mut client).await;
        assert!(heard.contains(&unauthorized("session_ended")), "{heard:?}");
        heard.extend(late(&server, client, later, &name).await);
        heard.retain(|one| *one != unauthorized("session_ended"));
        // The answer may not be sent any more.
        match &heard[..] {
            [] => End::Refused,
            [refused] if *refused == refused_ack("session_ended") => End::Refused,
            [renewed] if renewed.is_renewal() => End::Ended,
            other => panic!("{name}: {other:?}"),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_whose_token_expires_during_the_logout_ends() {
    let (server, _) = serve().await;
    race([End::Expired, End::Ended], async |number| {
        let name = format!("user {number}");
        let mut client = ready(&server, "/", None).await;
        // A machine that is busy may be too slow for the first token.
        let expires_at = loop {
            let (short, expires_at) = token_valid_for(0.3, &name);
            let login = json!(["authenticate", { "token": short }]);
            client.emit_with_ack("/", 1, &login).await;
            match client.next().await.1 {
                refused if refused == refused_ack("token_expired") => {}
                // Then the session has begun and ended before the answer was sent.
                ended if ended == unauthorized("token_expired") => break expires_at,
                answer => {
                    renewed_until(&answer);
                    break expires_at;
                }
            }
        };
        // From 4 ms before the expiry to 7 ms after it: the moment is what is tried.
        let offset = f64::from(u32::try_from(number % 12).unwrap()) / 1000.0 - 0.004;
        let pause = (expires_at + offset - now()).max(0.0);
        tokio::time::sleep(Duration::from_secs_f64(pause)).await;
        let ended = disconnect_user(&server.io, &name).await.unwrap();

        let later = ready(&server, "/", Some(&token(&name))).await;
        let mut heard = until_disconnected(&mut client).await;
        heard.extend(late(&server, client, later, &name).await);
        // The answer to the login.
        heard.retain(|one| !matches!(one, Received::Ack(_)));
        // Both may tell it, and the first may have been heard before.
        let reasons = ["token_expired", "session_ended"].map(unauthorized);
        assert!(heard.iter().all(|one| reasons.contains(one)), "{heard:?}");
        match ended {
            0 => End::Expired,
            1 => End::Ended,
            _ => panic!("{name}: {ended} sockets"),
        }
    })
    .await;
}

/// Each socket is counted by one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_logouts_at_once_end_a_socket_once() {
    let (server, _) = serve().await;
    race([[1, 0], [0, 1]], async |number| {
        let name = format!("user {number}");
        let mut client = ready(&server, "/", Some(&token(&name))).await;
        let logout = |by_user: bool, wait: usize| {
            let (io, name) = (server.io.clone(), name.clone());
            tokio::spawn(async move {
                let_run(wait).await;
                match by_user {
                    true => disconnect_user(&io, &name).await.unwrap(),
                    false => disconnect_session(&io, &name).await.unwrap(),
                }
            })
        };
        // Two of the same kind, or one of each.
        let first = logout(true, number % 5);
        let second = logout(number % 3 == 0, number % 7);
        let ended = [first.await.unwrap(), second.await.unwrap()];

        let later = ready(&server, "/", Some(&token(&name))).await;
        let mut heard = until_disconnected(&mut client).await;
        heard.extend(late(&server, client, later, &name).await);
        // Each may tell it.
        heard.dedup();
        assert_eq!(heard, [unauthorized("session_ended")]);
        ended
    })
    .await;
}
