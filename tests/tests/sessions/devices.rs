//! The logins of a user on several devices: `session_key`, `disconnect_session` and
//! `disconnect_others`, on one node.

use serde::Deserialize;
use serde_json::json;
use socketioxide::{
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, SocketAuth, disconnect_others, disconnect_session,
    disconnect_session_because, disconnect_user, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Gate, Log, Raw, Received, Recorder, Records, SECRET, Server, emit_with_ack, join, mint,
    outcome_of_child, ready, refused_ack, renew, report, seconds_from_now, token, unauthorized,
    unauthorized_denied,
};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: Option<String>,
    /// Whether the lookup waits at the gate.
    #[serde(default)]
    slow: bool,
}

struct Member {
    name: String,
}

#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    user_key = |member: &Member| &member.name,
    session_key = |claims: &Claims| claims.sid.clone(),
)]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<Member> {
    if claims.slow {
        recorder.record("lookup");
        gate.pass().await;
    }
    Some(Member { name: claims.sub })
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "whoami",
        async |ack: AckSender, member: AuthUser<Member>| ack.send(&member.name).unwrap_or_default(),
    );
    socket.on("end_others", async |socket: SocketRef, ack: AckSender| {
        let ended = disconnect_others(&socket).await.unwrap();
        ack.send(&ended).unwrap_or_default();
    });
    socket.emit("ready", &()).unwrap();
}

async fn serve() -> (Server, Records, Gate) {
    let (server, records, gate) = Server::with_gate().await;
    for namespace in ["/", "/b"] {
        server
            .io
            .ns(namespace, on_connect.with(log_in::middleware().unwrap()));
    }
    (server, records, gate)
}

fn of_device(subject: &str, sid: &str) -> String {
    let claims = json!({ "sub": subject, "sid": sid, "exp": seconds_from_now(3600) });
    mint(&claims, SECRET)
}

fn slow_of_device(subject: &str, sid: &str) -> String {
    let claims = json!({ "sub": subject, "sid": sid, "slow": true, "exp": seconds_from_now(3600) });
    mint(&claims, SECRET)
}

async fn device(server: &Server, subject: &str, sid: &str) -> Raw {
    ready(server, "/", Some(&of_device(subject, sid))).await
}

async fn expect_ended(raw: &mut Raw, namespace: &str) {
    raw.expect_ended(namespace, "session_ended").await;
}

async fn expect_open(raw: &mut Raw, name: &str) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        Received::ack(json!(name))
    );
}

async fn end_others(raw: &mut Raw) -> Received {
    emit_with_ack(raw, "end_others", &json!(null)).await
}

#[tokio::test]
async fn a_logout_of_a_device_ends_its_sockets_in_all_namespaces_and_no_others() {
    let (server, ..) = serve().await;
    let mut phone = device(&server, "ada", "phone").await;
    join(&mut phone, "/b", Some(&of_device("ada", "phone"))).await;
    let mut second = device(&server, "ada", "phone").await;
    let mut tablet = device(&server, "ada", "tablet").await;
    let mut without = ready(&server, "/", Some(&token("ada"))).await;

    let ended = disconnect_session(&server.io, "phone").await.unwrap();
    assert_eq!(ended, 3);
    expect_ended(&mut second, "/").await;
    let mut arrived = Vec::new();
    for _ in 0..4 {
        arrived.push(phone.next().await);
    }
    for namespace in ["/", "/b"] {
        for received in [unauthorized("session_ended"), Received::Disconnected] {
            assert!(arrived.contains(&(namespace.to_owned(), received)));
        }
    }
    expect_open(&mut tablet, "ada").await;
    expect_open(&mut without, "ada").await;
    assert_eq!((server.sockets_in("/"), server.sockets_in("/b")), (2, 0));
    assert_eq!(disconnect_session(&server.io, "phone").await.unwrap(), 0);
    assert_eq!(disconnect_session(&server.io, "nobody").await.unwrap(), 0);
}

#[tokio::test]
async fn the_sockets_of_a_device_are_told_the_given_reason() {
    let (server, ..) = serve().await;
    let mut phone = device(&server, "ada", "phone").await;
    let reason = AuthError::denied("reported as stolen");
    let ended = disconnect_session_because(&server.io, "phone", &reason).await;
    assert_eq!(ended.unwrap(), 1);
    phone
        .expect("/", unauthorized_denied("reported as stolen"))
        .await;
    phone.expect("/", Received::Disconnected).await;
}

/// A token without a session key is not of the device with an empty one.
#[tokio::test]
async fn an_empty_session_key_counts_as_no_key() {
    let (server, ..) = serve().await;
    let mut empty = device(&server, "ada", "").await;
    let mut without = ready(&server, "/", Some(&token("ada"))).await;
    assert_eq!(disconnect_session(&server.io, "").await.unwrap(), 0);
    expect_open(&mut empty, "ada").await;
    expect_open(&mut without, "ada").await;
    assert_eq!(end_others(&mut empty).await, Received::ack(json!(1)));
    expect_ended(&mut without, "/").await;
}

#[tokio::test]
async fn a_renewal_moves_the_socket_to_the_next_session_key() {
    let (server, ..) = serve().await;
    let mut moved = device(&server, "ada", "old").await;
    let mut stayed = device(&server, "ada", "old").await;
    renew(&mut moved, &of_device("ada", "new"))
        .await
        .assert_renewal();
    assert_eq!(
        server.io.sockets().len(),
        2,
        "a socket is not replaced by a renewal"
    );

    // A late logout of the old key does not end the renewed session.
    assert_eq!(disconnect_session(&server.io, "old").await.unwrap(), 1);
    expect_ended(&mut stayed, "/").await;
    expect_open(&mut moved, "ada").await;
    assert_eq!(disconnect_session(&server.io, "new").await.unwrap(), 1);
    expect_ended(&mut moved, "/").await;
}

#[tokio::test]
async fn a_failed_renewal_keeps_the_session_key() {
    let (server, ..) = serve().await;
    let mut raw = device(&server, "ada", "old").await;
    assert_eq!(
        renew(&mut raw, &of_device("grace", "new")).await,
        refused_ack("subject_mismatch")
    );
    assert_eq!(disconnect_session(&server.io, "new").await.unwrap(), 0);
    assert_eq!(disconnect_session(&server.io, "old").await.unwrap(), 1);
    expect_ended(&mut raw, "/").await;
}

#[tokio::test]
async fn a_guest_that_logs_in_gets_a_session_key() {
    let (server, ..) = serve().await;
    let mut raw = ready(&server, "/", None).await;
    renew(&mut raw, &of_device("ada", "phone"))
        .await
        .assert_renewal();
    assert_eq!(disconnect_session(&server.io, "phone").await.unwrap(), 1);
    expect_ended(&mut raw, "/").await;
}

#[tokio::test]
async fn a_connection_whose_lookup_runs_during_the_logout_of_its_device_is_refused() {
    let (server, mut records, gate) = serve().await;
    let mut phone = server.raw().await;

    phone
        .connect_with_token("/", &slow_of_device("ada", "phone"))
        .await;

    let mut tablet = server.raw().await;
    tablet
        .connect_with_token("/", &slow_of_device("ada", "tablet"))
        .await;
    for _ in 0..2 {
        assert_eq!(records.next().await, "lookup");
    }

    assert_eq!(disconnect_session(&server.io, "phone").await.unwrap(), 0);
    gate.open_once();
    gate.open_once();
    phone.expect("/", Received::refused("session_ended")).await;
    tablet.expect("/", Received::Connected).await;
}

#[tokio::test]
async fn a_logout_of_the_old_or_the_new_device_refuses_a_renewal_under_way() {
    let (server, mut records, gate) = serve().await;
    for ended in ["old", "new"] {
        let mut raw = device(&server, "ada", "old").await;
        let renewal = json!(["authenticate", { "token": slow_of_device("ada", "new") }]);
        raw.emit_with_ack("/", 1, &renewal).await;
        assert_eq!(records.next().await, "lookup");
        disconnect_session(&server.io, ended).await.unwrap();
        gate.open_once();
        if ended == "old" {
            expect_ended(&mut raw, "/").await;
            assert_eq!(server.sockets_in("/"), 0);
        } else {
            raw.expect("/", refused_ack("session_ended")).await;
            expect_open(&mut raw, "ada").await;
        }
    }
}

#[tokio::test]
async fn two_logouts_at_once_end_each_socket_once() {
    let (server, ..) = serve().await;
    let mut phone = device(&server, "ada", "phone").await;
    let (session, user) = futures_util::future::join(
        disconnect_session(&server.io, "phone"),
        disconnect_user(&server.io, "ada"),
    )
    .await;
    assert_eq!(session.unwrap() + user.unwrap(), 1);
    expect_ended(&mut phone, "/").await;
    join(&mut phone, "/b", Some(&of_device("ada", "phone"))).await;
}

#[tokio::test]
async fn the_other_sockets_of_a_user_end_but_those_of_the_same_device() {
    let (server, ..) = serve().await;
    let mut phone = device(&server, "ada", "phone").await;
    join(&mut phone, "/b", Some(&of_device("ada", "phone"))).await;
    let mut same = device(&server, "ada", "phone").await;
    let mut tablet = device(&server, "ada", "tablet").await;
    let mut without = ready(&server, "/", Some(&token("ada"))).await;
    let mut grace = device(&server, "grace", "tablet").await;

    assert_eq!(end_others(&mut phone).await, Received::ack(json!(2)));
    expect_ended(&mut tablet, "/").await;
    expect_ended(&mut without, "/").await;
    expect_open(&mut phone, "ada").await;
    expect_open(&mut same, "ada").await;
    expect_open(&mut grace, "grace").await;
    assert_eq!(server.sockets_in("/b"), 1);
}

#[tokio::test]
async fn without_a_session_key_the_sockets_of_the_same_connection_stay() {
    let (server, ..) = serve().await;
    let mut here = ready(&server, "/", Some(&token("ada"))).await;
    join(&mut here, "/b", Some(&token("ada"))).await;
    let mut other = ready(&server, "/", Some(&token("ada"))).await;
    join(&mut other, "/b", Some(&token("ada"))).await;
    assert_eq!(end_others(&mut here).await, Received::ack(json!(2)));
    assert_eq!((server.sockets_in("/"), server.sockets_in("/b")), (1, 1));
    expect_open(&mut here, "ada").await;
}

#[tokio::test]
async fn a_guest_ends_no_others() {
    let (server, ..) = serve().await;
    let mut guest = ready(&server, "/", None).await;
    let mut ada = device(&server, "ada", "phone").await;
    let mut second_guest = ready(&server, "/", None).await;
    assert_eq!(end_others(&mut guest).await, Received::ack(json!(0)));
    expect_open(&mut ada, "ada").await;
    assert_eq!(
        emit_with_ack(&mut second_guest, "whoami", &json!(null)).await,
        refused_ack("login_required")
    );
}

#[tokio::test]
async fn a_session_that_has_ended_ends_no_others() {
    let (server, ..) = serve().await;
    let mut ended = device(&server, "ada", "phone").await;
    let kept = server.io.sockets().pop().unwrap();
    let mut open = device(&server, "ada", "tablet").await;
    disconnect_session(&server.io, "phone").await.unwrap();
    expect_ended(&mut ended, "/").await;
    assert_eq!(disconnect_others(&kept).await.unwrap(), 0);
    expect_open(&mut open, "ada").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_devices_that_end_each_other_at_once_one_remains() {
    let (server, ..) = serve().await;
    for _ in 0..50 {
        let _raws = [
            device(&server, "ada", "phone").await,
            device(&server, "ada", "tablet").await,
        ];
        let ending =
            server.io.sockets().into_iter().map(|socket| {
                tokio::spawn(async move { disconnect_others(&socket).await.unwrap() })
            });
        let ended = futures_util::future::join_all(ending).await;
        let ended: usize = ended.into_iter().map(Result::unwrap).sum();
        let open = server.io.sockets();
        let open = open
            .iter()
            .filter(|socket| socket.auth_user::<Member>().is_some());
        assert_eq!((ended, open.count()), (1, 1));
        disconnect_user(&server.io, "ada").await.unwrap();
    }
}

#[tokio::test]
async fn an_attempt_under_way_is_refused_by_the_end_of_the_others_unless_it_is_of_the_same_device()
{
    let (server, mut records, gate) = serve().await;
    let mut phone = device(&server, "ada", "phone").await;
    let mut same = server.raw().await;
    same.connect_with_token("/", &slow_of_device("ada", "phone"))
        .await;
    let mut tablet = server.raw().await;
    tablet
        .connect_with_token("/", &slow_of_device("ada", "tablet"))
        .await;
    let mut guest = ready(&server, "/", None).await;
    let login = json!(["authenticate", { "token": slow_of_device("ada", "tv") }]);
    guest.emit_with_ack("/", 1, &login).await;
    for _ in 0..3 {
        assert_eq!(records.next().await, "lookup");
    }

    assert_eq!(end_others(&mut phone).await, Received::ack(json!(0)));
    for _ in 0..3 {
        gate.open_once();
    }
    same.expect("/", Received::Connected).await;
    tablet.expect("/", Received::refused("session_ended")).await;
    guest.expect("/", refused_ack("session_ended")).await;
}

#[tokio::test]
async fn a_session_key_that_panics_refuses_the_connection() {
    #[jwt_auth(secret = SECRET, session_key = |claims: &Claims| -> String { panic!("{}", claims.sub) })]
    async fn broken(claims: Claims) -> Option<Member> {
        Some(Member { name: claims.sub })
    }

    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(broken::middleware().unwrap()));
    let client = server.client().token(&token("ada"));
    assert_eq!(client.refusal().await, "internal_error");
    assert_eq!(server.io.of("/").unwrap().rooms().await.unwrap(), [""; 0]);
}

/// No other test of this process must build a middleware.
#[test]
fn a_logout_without_a_key_in_the_process_is_warned_of() {
    let outcome = outcome_of_child("devices::warns_without_keys", |_| {});
    assert_eq!(
        outcome,
        "disconnect_user user_key, disconnect_session session_key, disconnect_others user_key"
    );
}

#[tokio::test]
#[ignore = "runs in a process of its own"]
async fn warns_without_keys() {
    #[jwt_auth(secret = SECRET)]
    async fn without_keys(claims: Claims) -> Option<Member> {
        Some(Member { name: claims.sub })
    }

    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(without_keys::middleware().unwrap()));
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    let log = Log::capture();
    assert_eq!(disconnect_user(&server.io, "ada").await.unwrap(), 0);
    assert_eq!(disconnect_session(&server.io, "phone").await.unwrap(), 0);
    assert_eq!(end_others(&mut raw).await, Received::ack(json!(0)));

    let written = log.text();
    let found: Vec<_> = written
        .lines()
        .filter(|line| line.contains("WARN"))
        .filter_map(|line| {
            let functions = ["disconnect_user", "disconnect_session", "disconnect_others"];
            let function = functions
                .iter()
                .find(|name| line.contains(&format!("{name} finds no sockets")))?;
            let key = ["user_key", "session_key"]
                .into_iter()
                .find(|key| line.contains(&format!("add `{key} = ")))?;
            Some(format!("{function} {key}"))
        })
        .collect();
    report(found.join(", "));
}

#[tokio::test]
async fn a_logout_with_a_key_in_the_process_is_not_warned_of() {
    let (server, ..) = serve().await;
    let log = Log::capture();
    disconnect_user(&server.io, "nobody").await.unwrap();
    disconnect_session(&server.io, "nothing").await.unwrap();
    assert!(!log.text().contains("finds no sockets"));
}
