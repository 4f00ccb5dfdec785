//! The lookup again on open sockets: `recheck` and `refresh_user`.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use serde::Deserialize;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, JwtAuthBuilder, Policy, RawToken, SocketAuth, disconnect_user, jwt_auth,
    refresh_user,
};
use socketioxide_jwt_auth_tests::{
    Gate, Log, Raw, Received, Recorder, Records, SECRET, Server, emit_with_ack, join, mint, ready,
    recorder, refused_ack, renew, seconds_from_now, token, unauthorized, unauthorized_denied,
    within,
};

const INTERVAL: Duration = Duration::from_millis(300);

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

struct Member {
    key: String,
    role: String,
}

struct Moderator;

impl Policy<Member> for Moderator {
    fn allows(member: &Member) -> bool {
        member.role == "moderator"
    }
}

/// What the lookup answers, and how often it was called.
#[derive(Clone, Default)]
struct Directory {
    roles: Arc<Mutex<HashMap<String, String>>>,
    calls: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    most_at_once: Arc<AtomicUsize>,
}

impl Directory {
    fn set(&self, name: &str, role: &str) {
        let mut roles = self.roles.lock().unwrap();
        roles.insert(name.to_owned(), role.to_owned());
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// Waits until the lookup was called this many times more.
    async fn called(&self, times: usize) {
        let until = self.calls() + times;
        within("a call of the lookup", async {
            while self.calls() < until {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    lookup_timeout = "1s",
    user_key = |member: &Member| &member.key,
)]
async fn log_in(
    claims: Claims,
    encoded: RawToken,
    State(directory): State<Directory>,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Result<Option<Member>, AuthError> {
    assert_eq!(encoded.as_str().split('.').count(), 3);

    let role = directory.roles.lock().unwrap().get(&claims.sub).cloned();
    let role = role.unwrap_or_else(|| "member".to_owned());

    directory.calls.fetch_add(1, Ordering::SeqCst);
    match &*role {
        "gone" => return Ok(None),
        "banned" => return Err(AuthError::denied("banned")),
        "broken" => return Err(AuthError::internal("no database")),
        "panic" => panic!("on purpose"),
        "hangs" => std::future::pending().await,
        "waits" => {
            recorder.record("waits");
            gate.pass().await;
        }
        "slow" => {
            let running = directory.running.fetch_add(1, Ordering::SeqCst) + 1;
            directory.most_at_once.fetch_max(running, Ordering::SeqCst);
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
            directory.running.fetch_sub(1, Ordering::SeqCst);
        }
        _ => {}
    }

    let key = match &*role {
        "renamed" => "another".to_owned(),
        _ => claims.sub,
    };
    Ok(Some(Member { key, role }))
}

async fn on_connect(socket: SocketRef) {
    socket.on("role", async |ack: AckSender, member: AuthUser<Member>| {
        ack.send(&member.role).unwrap_or_default();
    });
    socket.on(
        "moderate",
        async |ack: AckSender, _: AuthUser<Member, Moderator>| ack.send("done").unwrap_or_default(),
    );
    socket.emit("ready", &()).unwrap();
}

struct Setup {
    server: Server,
    directory: Directory,
    records: Records,
    gate: Gate,
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> Setup {
    let (directory, gate) = (Directory::default(), Gate::closed());
    let (recorder, records) = recorder();
    let io = SocketIo::builder()
        .with_state(directory.clone())
        .with_state(recorder)
        .with_state(gate.clone());
    let server = Server::with(io).await;
    let middleware = builder.build().unwrap();

    server.io.ns("/", on_connect.with(middleware.clone()));
    server.io.ns("/b", on_connect.with(middleware));
    Setup {
        server,
        directory,
        records,
        gate,
    }
}

async fn refreshing() -> Setup {
    serve(log_in::builder()).await
}

async fn rechecking() -> Setup {
    serve(log_in::builder().recheck(INTERVAL)).await
}

async fn ada(server: &Server) -> Raw {
    ready(server, "/", Some(&token("ada"))).await
}

async fn expect_role(raw: &mut Raw, role: &str) {
    assert_eq!(
        emit_with_ack(raw, "role", &json!(null)).await,
        Received::ack(json!(role))
    );
}

async fn refresh(server: &Server) -> usize {
    within("the outcome", refresh_user(&server.io, "ada")).await
}

#[tokio::test]
async fn a_changed_user_replaces_the_old_one_and_policies_see_it_at_the_next_event() {
    let setup = refreshing().await;
    let mut raw = ada(&setup.server).await;
    let old = setup.server.io.sockets()[0].auth_user::<Member>().unwrap();
    assert_eq!(
        emit_with_ack(&mut raw, "moderate", &json!(null)).await,
        refused_ack("forbidden")
    );

    setup.directory.set("ada", "moderator");
    assert_eq!(refresh(&setup.server).await, 1);
    expect_role(&mut raw, "moderator").await;
    assert_eq!(
        emit_with_ack(&mut raw, "moderate", &json!(null)).await,
        Received::ack(json!("done"))
    );
    assert_eq!(old.role, "member", "a value that was extracted keeps it");

    setup.directory.set("ada", "member");
    assert_eq!(refresh(&setup.server).await, 1);
    assert_eq!(
        emit_with_ack(&mut raw, "moderate", &json!(null)).await,
        refused_ack("forbidden")
    );
}

#[tokio::test]
async fn all_sockets_of_the_user_are_refreshed_and_no_others() {
    let setup = refreshing().await;
    let mut first = ada(&setup.server).await;

    join(&mut first, "/b", Some(&token("ada"))).await;
    let mut second = ada(&setup.server).await;
    let mut grace = ready(&setup.server, "/", Some(&token("grace"))).await;
    let _guest = ready(&setup.server, "/", None).await;

    for name in ["ada", "grace"] {
        setup.directory.set(name, "moderator");
    }

    let calls = setup.directory.calls();
    assert_eq!(refresh(&setup.server).await, 3);
    assert_eq!(setup.directory.calls(), calls + 3);
    expect_role(&mut first, "moderator").await;
    expect_role(&mut second, "moderator").await;
    expect_role(&mut grace, "member").await;
    assert_eq!(refresh_user(&setup.server.io, "nobody").await, 0);
}

#[tokio::test]
async fn a_user_that_the_lookup_refuses_is_told_why_and_disconnected() {
    let setup = refreshing().await;
    for (role, told) in [
        ("gone", unauthorized("user_not_found")),
        ("banned", unauthorized_denied("banned")),
        ("renamed", unauthorized("subject_mismatch")),
    ] {
        setup.directory.set("ada", "member");
        let mut raw = ada(&setup.server).await;
        let ended = setup.server.io.sockets()[0]
            .auth_user::<Member>()
            .unwrap()
            .ended();
        setup.directory.set("ada", role);
        assert_eq!(refresh(&setup.server).await, 1, "{role}");
        raw.expect("/", told).await;
        raw.expect("/", Received::Disconnected).await;
        within("the end", ended).await;
        assert_eq!(setup.server.sockets_in("/"), 0);
    }
}

#[tokio::test]
async fn a_lookup_that_fails_keeps_the_session_and_is_logged() {
    let setup = refreshing().await;
    let mut raw = ada(&setup.server).await;

    for (role, code) in [
        ("broken", "internal_error"),
        ("panic", "internal_error"),
        ("hangs", "lookup_timeout"),
    ] {
        setup.directory.set("ada", role);
        let log = Log::capture();
        assert_eq!(refresh(&setup.server).await, 0, "{role}");
        let lines = log.lines_with("re-check failed, and the session goes on");
        assert_eq!(lines.len(), 1, "{role}: {}", log.text());
        assert!(lines[0].contains("WARN") && lines[0].contains(code));
        assert!(!log.text().contains(&token("ada")));
        expect_role(&mut raw, "member").await;
    }

    setup.directory.set("ada", "moderator");
    assert_eq!(refresh(&setup.server).await, 1);
    expect_role(&mut raw, "moderator").await;
}

#[tokio::test]
async fn a_refresh_does_not_count_in_the_limits_of_the_client() {
    let setup = refreshing().await;
    let mut raw = ada(&setup.server).await;
    setup.directory.set("ada", "broken");
    for _ in 0..50 {
        refresh(&setup.server).await;
    }
    setup.directory.set("ada", "member");
    for _ in 0..50 {
        assert_eq!(refresh(&setup.server).await, 1);
    }
    renew(&mut raw, &token("ada")).await.assert_renewal();
}

#[tokio::test]
async fn the_lookup_runs_again_at_the_interval_until_the_client_leaves() {
    let setup = rechecking().await;
    let mut raw = ada(&setup.server).await;
    setup.directory.called(3).await;
    setup.directory.set("ada", "moderator");
    setup.directory.called(2).await;
    expect_role(&mut raw, "moderator").await;
    setup.directory.set("ada", "banned");
    raw.expect("/", unauthorized_denied("banned")).await;
    raw.expect("/", Received::Disconnected).await;

    // A socket that has left is not looked up, even if the application holds it.
    setup.directory.set("ada", "member");
    let mut raw = ada(&setup.server).await;
    let _kept = setup.server.io.sockets();
    raw.leave("/").await;
    while setup.server.sockets_in("/") > 0 {
        tokio::task::yield_now().await;
    }
    let calls = setup.directory.calls();
    let other = rechecking().await;
    let _other = ada(&other.server).await;
    other.directory.called(3).await;
    assert!(setup.directory.calls() <= calls + 1);
}

#[tokio::test]
async fn a_failed_lookup_is_tried_again_at_the_next_interval() {
    let setup = rechecking().await;
    let mut raw = ada(&setup.server).await;
    setup.directory.set("ada", "broken");
    setup.directory.called(2).await;
    setup.directory.set("ada", "banned");
    raw.expect("/", unauthorized_denied("banned")).await;
}

#[tokio::test]
async fn a_renewed_session_is_looked_up_again_and_the_old_one_is_not() {
    let setup = rechecking().await;
    let mut raw = ada(&setup.server).await;
    for _ in 0..10 {
        renew(&mut raw, &token("ada")).await.assert_renewal();
    }

    setup.directory.called(1).await;
    let before = setup.directory.calls();
    let other = rechecking().await;
    let _other = ada(&other.server).await;
    other.directory.called(4).await;
    let calls = setup.directory.calls() - before;
    assert!(calls <= 8, "one session is looked up: {calls}");
    setup.directory.set("ada", "banned");
    raw.expect("/", unauthorized_denied("banned")).await;
}

#[tokio::test]
async fn without_recheck_the_lookup_does_not_run_again() {
    let setup = refreshing().await;
    let _raw = ada(&setup.server).await;
    let other = rechecking().await;
    let _other = ada(&other.server).await;
    other.directory.called(3).await;
    assert_eq!(setup.directory.calls(), 1);
}

#[tokio::test]
async fn a_logout_or_a_renewal_during_a_recheck_wins() {
    let mut setup = refreshing().await;
    let mut raw = ada(&setup.server).await;
    let socket = setup.server.io.sockets().pop().unwrap();

    // The answer of the lookup comes after the renewal.
    setup.directory.set("ada", "waits");
    let io = setup.server.io.clone();
    let refreshing = tokio::spawn(async move { refresh_user(&io, "ada").await });
    assert_eq!(setup.records.next().await, "waits");
    setup.directory.set("ada", "moderator");
    renew(&mut raw, &token("ada")).await.assert_renewal();
    setup.gate.open_once();
    within("the outcome", refreshing).await.unwrap();
    expect_role(&mut raw, "moderator").await;

    // The answer of the lookup comes after the logout.
    setup.directory.set("ada", "waits");
    let io = setup.server.io.clone();
    let refreshing = tokio::spawn(async move { refresh_user(&io, "ada").await });
    assert_eq!(setup.records.next().await, "waits");
    disconnect_user(&setup.server.io, "ada").await.unwrap();
    setup.gate.open_once();
    within("the outcome", refreshing).await.unwrap();
    raw.expect_ended("/", "session_ended").await;
    assert!(socket.auth_user::<Member>().is_none());
}

#[tokio::test]
async fn an_answer_never_replaces_that_of_a_later_lookup() {
    let mut setup = refreshing().await;
    let mut raw = ada(&setup.server).await;

    setup.directory.set("ada", "waits");
    let io = setup.server.io.clone();
    let first = tokio::spawn(async move { refresh_user(&io, "ada").await });
    assert_eq!(setup.records.next().await, "waits");
    setup.directory.set("ada", "moderator");
    let io = setup.server.io.clone();
    let second = tokio::spawn(async move { refresh_user(&io, "ada").await });
    tokio::task::yield_now().await;
    setup.gate.open_once();
    assert_eq!(within("the outcome", first).await.unwrap(), 1);
    assert_eq!(within("the outcome", second).await.unwrap(), 1);
    expect_role(&mut raw, "moderator").await;
}

#[tokio::test]
async fn few_lookups_run_at_a_time() {
    let setup = refreshing().await;
    let mut raws = Vec::new();
    for _ in 0..40 {
        raws.push(ada(&setup.server).await);
    }
    setup.directory.set("ada", "slow");
    assert_eq!(refresh(&setup.server).await, 40);
    let most = setup.directory.most_at_once.load(Ordering::SeqCst);
    assert!((2..=16).contains(&most), "{most}");
}

#[tokio::test]
async fn a_token_is_kept_as_it_was_sent() {
    let setup = refreshing().await;
    let claims = json!({ "sub": "ada", "exp": seconds_from_now(3600), "extra": "x".repeat(2000) });
    let _raw = ready(&setup.server, "/", Some(&mint(&claims, SECRET))).await;
    assert_eq!(refresh(&setup.server).await, 1);
}

#[tokio::test]
async fn the_lookups_of_sockets_that_connect_at_once_are_spread_over_the_interval() {
    let setup = serve(log_in::builder().recheck("2s")).await;
    let started = std::time::Instant::now();
    let _raws = join_all((0..60).map(|_| ada(&setup.server))).await;
    let connected = started.elapsed();
    let mut at = Vec::new();
    let mut seen = setup.directory.calls();

    within("the lookups", async {
        while at.len() < 60 {
            let calls = setup.directory.calls();
            at.extend((seen..calls).map(|_| started.elapsed()));
            seen = calls;
            tokio::task::yield_now().await;
        }
    })
    .await;

    let limit = connected + Duration::from_secs(1);
    let early = at.iter().filter(|at| **at < limit).count();
    assert!((10..=50).contains(&early), "{early} in the first second");
}
