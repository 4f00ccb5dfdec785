//! Stores that do not answer, and sweeps.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use socketioxide_jwt_auth::{
    Expiry, RevocationError, RevocationNotifier, RevocationQuery, RevocationStatus,
    disconnect_user, refresh_user,
};
use socketioxide_jwt_auth_tests::{Log, now, refused_ack, renew, renewed_until, within};

use super::*;

const FAILURES: [Behaviour; 4] = [
    Behaviour::Fails,
    Behaviour::Panics,
    Behaviour::PanicsInTheCall,
    Behaviour::Hangs,
];

/// A server whose store has the default time limit.
async fn scripted() -> (Test, Scripted) {
    let test = Test::start().await;
    let store = Scripted::new(&test.recorder, &test.gate);
    let builder = log_in::builder()
        .user_key(|member: &Member| member.name.clone())
        .revocations(store.clone());
    test.serve("/", builder);
    (test, store)
}

#[tokio::test]
async fn a_store_that_does_not_answer_refuses_and_keeps_what_is_open() {
    for failure in FAILURES {
        let log = Log::capture();
        let (test, store) = scripted().await;
        let mut open = test.ready(json!({})).await;
        store.behave(failure);
        assert_eq!(
            test.outcome(json!({})).await,
            "revocations_unavailable",
            "{failure:?}"
        );
        assert_eq!(
            renew(&mut open, &good(json!({ "jti": "8" }))).await,
            refused_ack("revocations_unavailable"),
            "{failure:?}"
        );
        assert_eq!(refresh_user(&test.server.io, "ada").await, 0, "{failure:?}");
        expect_open(&mut open, "ada").await;
        let warned = log.lines_with("re-check failed, and the session goes on");
        assert!(
            warned[0].contains("WARN") && warned[0].contains("revocations_unavailable"),
            "{warned:?}"
        );

        store.behave(Behaviour::Answers);
        renewed_until(&renew(&mut open, &good(json!({ "jti": "8" }))).await);
        assert_eq!(test.outcome(json!({})).await, "good", "{failure:?}");
    }
}

#[tokio::test]
async fn a_recheck_ends_a_session_whose_store_tells_nothing() {
    /// A store without a notifier.
    struct Silent(Revocations);

    impl RevocationStore for Silent {
        async fn check(
            &self,
            query: RevocationQuery<'_>,
        ) -> Result<RevocationStatus, RevocationError> {
            self.0.check(query).await
        }
    }

    let (test, store) = (Test::start().await, Revocations::in_memory());
    let builder = log_in::builder()
        .user_key(|member: &Member| member.name.clone())
        .revocations(Silent(store.clone()));
    test.serve("/", builder);
    let mut client = test.ready(json!({})).await;
    revoke(&store, Revocation::token("7")).await;
    expect_open(&mut client, "ada").await;
    assert_eq!(refresh_user(&test.server.io, "ada").await, 1);
    expect_revoked(&mut client).await;
}

#[tokio::test]
async fn every_connection_of_a_storm_is_refused_while_the_store_is_down() {
    let (test, store) = scripted().await;
    store.behave(Behaviour::Hangs);

    let start = Instant::now();
    let storm = (0..100).map(|_| test.outcome(json!({})));
    let outcomes = within("all refusals", join_all(storm)).await;
    assert!(
        outcomes
            .iter()
            .all(|outcome| outcome == "revocations_unavailable"),
        "{outcomes:?}"
    );

    // The limit is 500 ms; the rest is for a busy machine.
    assert!(start.elapsed() < Duration::from_secs(5));
    assert_eq!(test.server.sockets_in("/"), 0);
    store.behave(Behaviour::Answers);
    assert_eq!(test.outcome(json!({})).await, "good");
}

#[tokio::test]
async fn what_was_refused_leaves_no_room_and_no_session() {
    let (test, store) = scripted().await;
    store.behave(Behaviour::Fails);
    for _ in 0..3 {
        let mut raw = test.connecting(json!({})).await;
        raw.expect("/", Received::refused("revocations_unavailable"))
            .await;
    }
    assert_eq!(test.server.io.rooms().await.unwrap(), Vec::<String>::new());
    assert_eq!(disconnect_user(&test.server.io, "ada").await.unwrap(), 0);

    // After a renewal the socket has the rooms of its session only.
    store.behave(Behaviour::Answers);
    let mut open = test.ready(json!({})).await;
    let rooms = test.server.io.rooms().await.unwrap();
    store.behave(Behaviour::Fails);
    assert_eq!(
        renew(&mut open, &good(json!({ "sid": "t" }))).await,
        refused_ack("revocations_unavailable")
    );
    assert_eq!(test.server.io.rooms().await.unwrap(), rooms);
    assert_eq!(disconnect_user(&test.server.io, "ada").await.unwrap(), 1);
}

#[tokio::test]
async fn a_store_without_sessions_has_no_task() {
    let (test, _store) = Test::in_memory().await;
    let tasks = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    let before = tasks();
    let clients = join_all((0..5).map(|_| test.ready(json!({})))).await;
    let guest = ready(&test.server, "/", None).await;
    drop((clients, guest));
    Server::wait_for_tasks_at_most(before).await;
}

/// A store without a notifier.
struct Quiet {
    revocations: Revocations,
    notifier: RevocationNotifier,
}

impl RevocationStore for Quiet {
    async fn check(&self, query: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        self.revocations.check(query).await
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        Some(&self.notifier)
    }
}

#[tokio::test]
async fn a_sweep_ends_what_was_revoked_without_being_told() {
    let (revocations, notifier) = (Revocations::in_memory(), RevocationNotifier::new());
    let test = Test::with(Quiet {
        revocations: revocations.clone(),
        notifier: notifier.clone(),
    })
    .await;
    // More than one batch.
    let claims = |number: usize| json!({ "jti": number.to_string() });
    let mut clients = join_all((0..300).map(|number| test.ready(claims(number)))).await;

    for number in (0..300).step_by(10) {
        revoke(&revocations, Revocation::token(number)).await;
    }

    notifier.sweep();
    for (number, client) in clients.iter_mut().enumerate() {
        if number % 10 == 0 {
            expect_revoked(client).await;
        } else {
            expect_open(client, "ada").await;
        }
    }
}

#[tokio::test]
async fn a_sweep_that_fails_ends_nothing_and_is_tried_again() {
    for failure in [Behaviour::Fails, Behaviour::Panics] {
        let log = Log::capture();
        let (mut test, store) = Test::scripted().await;
        let mut clients = [
            test.ready(json!({ "jti": "7" })).await,
            test.ready(json!({ "jti": "8" })).await,
        ];
        store.behave(failure);
        store.notifier().unwrap().sweep();
        assert_eq!(test.records.next().await, "sweep");
        for client in &mut clients {
            expect_open(client, "ada").await;
        }
        let warned = log.lines_with("did not answer about open sessions");
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains("WARN"), "{warned:?}");

        // What is told is heard meanwhile.
        revoke(&store.revocations, Revocation::token("7")).await;
        expect_revoked(&mut clients[0]).await;
        store.behave(Behaviour::Answers);
        assert_eq!(test.records.next().await, "sweep");
        expect_open(&mut clients[1], "ada").await;
    }
}

#[tokio::test]
async fn a_token_that_expires_while_the_store_is_asked_is_refused() {
    for expiry in [Expiry::Disconnect, Expiry::Ignore] {
        let mut test = Test::start().await;
        let store = Scripted::new(&test.recorder, &test.gate);
        store.behave(Behaviour::AnswersLate);
        let builder = log_in::builder()
            .expiry(expiry)
            .revocations(store)
            .revocations_timeout("3s");
        test.serve("/", builder);

        let expires = now() + 0.5;
        let mut client = test.connecting(json!({ "exp": expires })).await;
        assert_eq!(test.records.next().await, "store");
        tokio::time::sleep(Duration::from_secs_f64((expires - now()).max(0.0))).await;
        test.gate.open_once();
        client.expect("/", Received::refused("token_expired")).await;
    }
}
