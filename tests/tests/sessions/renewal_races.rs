//! Renewals that run concurrently with each other, with the end of their session, or with handlers.

use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, SocketAuth, TokenSource, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Gate, Raw, Received, Recorder, Records, SECRET, Server, User, answer, emit_with_ack, find_user,
    join, mint, now, ready, recorder, refused_ack, renew, renewed_until, seconds_from_now, token,
    token_valid_for, unauthorized,
};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Whether the lookup waits at the gate.
    slow: Option<bool>,
}

#[jwt_auth(secret = SECRET, leeway = "0s", guest = true, authenticate_event = "authenticate")]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<User> {
    recorder.record(format!("lookup {}", claims.sub));
    if claims.slow.is_some() {
        gate.pass().await;
    }
    assert_ne!(claims.sub, "panics", "a bug of the application");
    find_user(&claims.sub)
}

async fn on_connect(socket: SocketRef) {
    socket.on("linger", linger);
    answer(socket).await;
}

/// Runs until the gate opens.
async fn linger(
    socket: SocketRef,
    user: AuthUser<User>,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) {
    recorder.record(format!("for {}", user.name));
    gate.pass().await;
    let current = socket.auth_user::<User>().map(|user| user.name);
    recorder.record(format!("for {}, now {current:?}", user.name));
}

pub(crate) async fn serve() -> (Server, Records, Gate) {
    let (server, records, gate) = Server::with_gate().await;
    let middleware = log_in::middleware().unwrap();
    for namespace in ["/", "/second", "/third", "/fourth"] {
        server.io.ns(namespace, on_connect.with(middleware.clone()));
    }
    (server, records, gate)
}

fn slow_token(expires_at: i64) -> String {
    mint(
        &json!({ "sub": "ada", "exp": expires_at, "slow": true }),
        SECRET,
    )
}

pub(crate) fn authenticate(token: &str) -> Value {
    json!(["authenticate", { "token": token }])
}

pub(crate) fn too_many_attempts() -> Received {
    refused_ack("too_many_attempts")
}

/// Returns when the session of the only socket ends.
fn expiry(server: &Server) -> i64 {
    let user = server
        .io
        .sockets()
        .pop()
        .unwrap()
        .auth_user::<User>()
        .unwrap();
    let since_1970 = user
        .expires_at()
        .unwrap()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap();
    since_1970.as_secs().try_into().unwrap()
}

pub(crate) async fn expect_who(raw: &mut Raw, name: &str) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        Received::ack(json!(name))
    );
}

#[tokio::test]
async fn of_several_renewals_the_first_and_the_newest_succeed() {
    let (server, mut records, gate) = serve().await;

    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    let [first, last] = [100, 400].map(seconds_from_now);

    for (number, expires_at) in [first, first + 100, first + 200, last]
        .into_iter()
        .enumerate()
    {
        raw.emit_with_ack(
            "/",
            u32::try_from(number).unwrap(),
            &authenticate(&slow_token(expires_at)),
        )
        .await;
    }

    // The two in the middle waited for the first, and a newer one replaced each of them.
    raw.expect("/", too_many_attempts()).await;
    raw.expect("/", too_many_attempts()).await;
    gate.open_once();
    assert_eq!(renewed_until(&raw.next().await.1), first);
    gate.open_once();
    assert_eq!(renewed_until(&raw.next().await.1), last);
    assert_eq!(expiry(&server), last);
    assert_eq!(records.unread(), ["lookup ada"; 3]);
}

#[tokio::test]
async fn a_token_that_was_issued_earlier_does_not_replace_a_later_one() {
    let (server, _records, gate) = serve().await;

    let issued = |ago: i64, expires_in: i64| {
        let (issued, expires_at) = (seconds_from_now(-ago), seconds_from_now(expires_in));
        (
            mint(
                &json!({ "sub": "ada", "iat": issued, "exp": expires_at, "slow": true }),
                SECRET,
            ),
            expires_at,
        )
    };
    let (old, _) = issued(30, 3600);
    let (newer, newer_expiry) = issued(20, 100);
    let (newest, newest_expiry) = issued(10, 50);

    // With the same `iat`, which counts seconds, the later attempt wins.
    let (as_new, as_new_expiry) = issued(10, 70);
    let mut raw = ready(&server, "/", None).await;

    for (token, answer) in [
        (&newer, newer_expiry),
        (&old, newer_expiry),
        (&newest, newest_expiry),
        (&old, newest_expiry),
        (&as_new, as_new_expiry),
    ] {
        raw.emit_with_ack("/", 1, &authenticate(token)).await;
        gate.open_once();
        assert_eq!(renewed_until(&raw.next().await.1), answer);
        assert_eq!(expiry(&server), answer);
    }
}

#[tokio::test]
async fn an_older_token_that_arrives_after_the_end_is_refused() {
    let (server, mut records, gate) = serve().await;

    let issued = |ago: i64, expires_at: f64| {
        mint(
            &json!({ "sub": "ada", "iat": seconds_from_now(-ago), "exp": expires_at, "slow": true }),
            SECRET,
        )
    };
    gate.open_once();
    let mut raw = ready(&server, "/", Some(&issued(10, now() + 0.7))).await;
    raw.emit_with_ack("/", 1, &authenticate(&issued(20, now() + 60.0)))
        .await;
    assert_eq!(records.next().await, "lookup ada");
    assert_eq!(records.next().await, "lookup ada");
    raw.expect_ended("/", "token_expired").await;
    gate.open_once();
    raw.expect("/", refused_ack("token_expired")).await;
}

#[tokio::test]
async fn the_namespaces_of_a_connection_are_logged_in_to_at_the_same_time() {
    let (server, mut records, gate) = serve().await;

    let namespaces = ["/", "/second", "/third"];
    let mut raw = server.raw().await;

    for namespace in namespaces {
        join(&mut raw, namespace, None).await;
    }

    let expires_at = seconds_from_now(100);
    for namespace in namespaces {
        raw.emit_with_ack(namespace, 1, &authenticate(&slow_token(expires_at)))
            .await;
        assert_eq!(records.next().await, "lookup ada");
    }

    // A login delays no other event of its client.
    for namespace in namespaces {
        raw.emit_with_ack(namespace, 2, &json!(["ping"])).await;
        raw.expect(namespace, Received::ack(json!("pong"))).await;
        raw.emit_with_ack(namespace, 3, &json!(["whoami"])).await;
        raw.expect(namespace, refused_ack("login_required")).await;
    }

    for _ in namespaces {
        gate.open_once();
    }

    let mut acknowledged = Vec::new();
    for _ in namespaces {
        let (namespace, received) = raw.next().await;
        assert_eq!(renewed_until(&received), expires_at);
        acknowledged.push(namespace);
    }

    acknowledged.sort_unstable();
    assert_eq!(acknowledged, namespaces);

    for namespace in namespaces {
        raw.emit_with_ack(namespace, 4, &json!(["whoami"])).await;
        raw.expect(namespace, Received::ack(json!("Ada"))).await;
    }
}

/// The outcome of a renewal at the time at which its session ends.
#[derive(Debug, PartialEq)]
enum Outcome {
    Renewed,
    Expired,
}

/// Reads until the outcome is known.
async fn outcome(raw: &mut Raw) -> Outcome {
    let mut received = Vec::new();
    while received.len() < 3 {
        match raw.next().await.1 {
            Received::Ack(answer) if answer[0].get("error").is_none() => {
                assert_eq!(received, [], "renewed after the end");
                expect_who(raw, "Ada").await;
                return Outcome::Renewed;
            }
            other => received.push(other),
        }
    }

    // The acknowledgement may be anywhere between the others.
    let refused = received
        .iter()
        .position(|received| *received == refused_ack("token_expired"))
        .expect("the renewal is refused");
    received.remove(refused);
    assert_eq!(
        received,
        [unauthorized("token_expired"), Received::Disconnected]
    );
    Outcome::Expired
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_that_meets_the_end_is_either_in_time_or_too_late() {
    const SOCKETS: u32 = 60;
    let (server, _records, gate) = serve().await;
    let mut raws = Vec::new();
    for _ in 0..SOCKETS {
        raws.push(server.raw().await);
    }
    let renewed_until = seconds_from_now(100);
    let last = now() + 2.5;
    // Some end long before the gate opens, some long after, and the others around that time.
    for (number, raw) in (0..SOCKETS).zip(&mut raws) {
        let expires_at = match number {
            0..5 => last - 0.3,
            5..10 => last + 60.0,
            number => last + 0.002 * f64::from(number % 10) - 0.004,
        };
        let token = mint(&json!({ "sub": "ada", "exp": expires_at }), SECRET);
        join(raw, "/", Some(&token)).await;
        raw.emit_with_ack("/", 1, &authenticate(&slow_token(renewed_until)))
            .await;
    }
    let witness = mint(&json!({ "sub": "ada", "exp": last }), SECRET);
    ready(&server, "/", Some(&witness))
        .await
        .expect("/", unauthorized("token_expired"))
        .await;
    (0..SOCKETS).for_each(|_| gate.open_once());

    let outcomes = join_all(raws.iter_mut().map(outcome)).await;
    let renewed = outcomes
        .iter()
        .filter(|outcome| **outcome == Outcome::Renewed)
        .count();
    println!("{renewed} of {SOCKETS} were renewed in time");
    assert!(
        outcomes[..5]
            .iter()
            .all(|outcome| *outcome == Outcome::Expired),
        "{outcomes:?}"
    );
    assert!(
        outcomes[5..10]
            .iter()
            .all(|outcome| *outcome == Outcome::Renewed),
        "{outcomes:?}"
    );
    // The renewed sessions stay alive: all old tokens but five have expired by now.
    for (raw, _) in raws
        .iter_mut()
        .zip(&outcomes)
        .filter(|(_, outcome)| **outcome == Outcome::Renewed)
    {
        expect_who(raw, "Ada").await;
    }
    assert_eq!(server.sockets_in("/"), renewed);
}

#[tokio::test]
async fn a_handler_that_runs_during_expiry_keeps_its_user_and_sees_the_session_ended() {
    let (server, mut records, gate) = serve().await;
    let mut raw = ready(&server, "/", Some(&token_valid_for(0.8, "ada").0)).await;

    raw.emit("/", &json!(["linger"])).await;
    assert_eq!(records.next().await, "lookup ada");
    assert_eq!(records.next().await, "for Ada");
    raw.expect_ended("/", "token_expired").await;
    assert_eq!(
        server.sockets_in("/"),
        0,
        "a handler does not keep its socket in the namespace"
    );

    gate.open_once();
    assert_eq!(records.next().await, "for Ada, now None");
}

#[tokio::test]
async fn a_handler_that_runs_during_a_renewal_continues() {
    let (server, mut records, gate) = serve().await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    raw.emit("/", &json!(["linger"])).await;
    while records.next().await != "for Ada" {}
    let expires_at = seconds_from_now(50);
    let next = mint(&json!({ "sub": "ada", "exp": expires_at }), SECRET);
    assert_eq!(renewed_until(&renew(&mut raw, &next).await), expires_at);
    gate.open_once();
    assert_eq!(records.next().await, "lookup ada");
    assert_eq!(records.next().await, "for Ada, now Some(\"Ada\")");
}

#[tokio::test]
async fn a_renewal_whose_lookup_hangs_times_out_before_the_next() {
    let (recorder, _records) = recorder();
    let server = Server::with(
        SocketIo::builder()
            .with_state(recorder)
            .with_state(Gate::closed()),
    )
    .await;
    let builder = log_in::builder().lookup_timeout(Duration::from_millis(300));

    server.io.ns("/", on_connect.with(builder.build().unwrap()));
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    let expires_at = seconds_from_now(100);
    raw.emit_with_ack("/", 1, &authenticate(&slow_token(expires_at)))
        .await;
    raw.emit_with_ack(
        "/",
        2,
        &authenticate(&mint(&json!({ "sub": "ada", "exp": expires_at }), SECRET)),
    )
    .await;
    raw.expect("/", refused_ack("lookup_timeout")).await;
    assert_eq!(renewed_until(&raw.next().await.1), expires_at);
}

#[tokio::test]
async fn the_event_accepts_token_and_the_members_of_the_sources() {
    let (recorder, _records) = recorder();
    let server = Server::with(
        SocketIo::builder()
            .with_state(recorder)
            .with_state(Gate::closed()),
    )
    .await;

    let sources = [TokenSource::auth("jwt"), TokenSource::bearer()];
    server.io.ns(
        "/",
        on_connect.with(log_in::builder().token(sources).build().unwrap()),
    );

    for member in ["token", "jwt"] {
        let mut raw = ready(&server, "/", None).await;
        raw.emit_with_ack("/", 1, &json!(["authenticate", { member: token("ada") }]))
            .await;
        assert!(raw.next().await.1.is_renewal(), "{member}");
    }

    let mut raw = ready(&server, "/", None).await;
    raw.emit_with_ack(
        "/",
        1,
        &json!(["authenticate", { "auth_token": token("ada") }]),
    )
    .await;
    raw.expect("/", refused_ack("token_missing")).await;
}

/// The handler keeps the replaced session alive, whose timer must have ended.
#[tokio::test]
async fn a_replaced_session_does_not_warn_while_a_handler_holds_its_user() {
    let (server, mut records, gate) = Server::with_gate().await;
    server.io.ns(
        "/",
        on_connect.with(log_in::builder().expiry_warning("1500ms").build().unwrap()),
    );
    let (short, _) = token_valid_for(3.2, "ada");
    let mut raw = ready(&server, "/", Some(&short)).await;
    raw.emit("/", &json!(["linger"])).await;
    while records.next().await != "for Ada" {}
    renew(&mut raw, &token("ada")).await.assert_renewal();

    // A socket with the short token shows when the warning is due.
    let mut other = ready(&server, "/", Some(&short)).await;
    assert!(matches!(other.next().await.1, Received::Event(name, _) if name == "token_expiring"));
    expect_who(&mut raw, "Ada").await;
    gate.open_once();
}

#[tokio::test]
async fn a_token_that_expires_while_its_lookup_runs_is_refused() {
    let (server, mut records, gate) = serve().await;
    let expiring = |seconds| {
        mint(
            &json!({ "sub": "ada", "exp": now() + seconds, "slow": true }),
            SECRET,
        )
    };
    let mut guest = ready(&server, "/", None).await;
    let mut raw = server.raw().await;
    let dead = expiring(0.5);
    raw.connect_with_token("/", &dead).await;
    guest.emit_with_ack("/", 1, &authenticate(&dead)).await;
    assert_eq!(
        [records.next().await, records.next().await],
        ["lookup ada"; 2]
    );

    // A socket whose token lives longer shows that it has expired.
    let (longer, _) = token_valid_for(0.6, "grace");
    let mut other = ready(&server, "/second", Some(&longer)).await;
    other.expect("/second", unauthorized("token_expired")).await;
    gate.open_once();
    gate.open_once();
    raw.expect("/", Received::refused("token_expired")).await;
    guest.expect("/", refused_ack("token_expired")).await;
    expect_guest(&mut guest).await;
}

async fn expect_guest(raw: &mut Raw) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        refused_ack("login_required")
    );
}
