//! Revocations and logouts at every moment of an authentication.

use std::convert::Infallible;

use socketioxide_jwt_auth::disconnect_user;
use socketioxide_jwt_auth_tests::{
    Claims as Subject, User, find_user, let_run, race, refused_ack, renewed_until, within,
};

use super::*;

fn scopes() -> [Revocation; 3] {
    [
        Revocation::token("7"),
        Revocation::session("s"),
        Revocation::user("ada"),
    ]
}

#[tokio::test]
async fn a_revocation_during_the_lookup_refuses() {
    for revocation in scopes() {
        let (mut test, store) = Test::in_memory().await;
        let mut client = test.connecting(json!({ "waits": true })).await;
        assert_eq!(test.records.next().await, "lookup");
        revoke(&store, revocation).await;
        test.gate.open_once();
        client.expect("/", Received::refused("token_revoked")).await;
    }
}

#[tokio::test]
async fn a_revocation_while_the_answer_of_the_store_is_on_its_way_refuses() {
    for revocation in scopes() {
        let (mut test, store) = Test::scripted().await;
        store.behave(Behaviour::AnswersLate);
        let mut client = test.connecting(json!({})).await;
        assert_eq!(test.records.next().await, "store");
        revoke(&store.revocations, revocation).await;
        // The listener runs on the thread of the test.
        let_run(100).await;
        test.gate.open_once();
        client.expect("/", Received::refused("token_revoked")).await;
    }
}

#[tokio::test]
async fn a_revocation_while_later_middlewares_run_ends_the_socket() {
    async fn wait(
        State(recorder): State<Recorder>,
        State(gate): State<Gate>,
    ) -> Result<(), Infallible> {
        recorder.record("later");
        gate.pass().await;
        Ok(())
    }

    for revocation in scopes() {
        let (mut test, store) = (Test::start().await, Revocations::in_memory());
        let middleware = log_in::builder()
            .revocations(store.clone())
            .build()
            .unwrap();
        // The last one runs first.
        let io = &test.server.io;
        io.ns("/", on_connect.with(wait).with(middleware));
        let mut client = test.connecting(json!({})).await;
        assert_eq!(test.records.next().await, "later");
        revoke(&store, revocation).await;
        test.gate.open_once();
        client.expect("/", Received::Connected).await;
        // The end may come before the connect handler runs.
        match client.next().await.1 {
            Received::Event(name, _) if name == "ready" => expect_revoked(&mut client).await,
            ended => {
                assert_eq!(ended, unauthorized("token_revoked"));
                client.expect("/", Received::Disconnected).await;
            }
        }
    }
}

#[tokio::test]
async fn a_logout_while_the_store_is_asked_wins() {
    let (mut test, store) = Test::scripted().await;
    store.behave(Behaviour::AnswersLate);
    let mut client = test.connecting(json!({})).await;
    assert_eq!(test.records.next().await, "store");
    assert_eq!(disconnect_user(&test.server.io, "ada").await.unwrap(), 0);
    test.gate.open_once();
    client.expect("/", Received::refused("session_ended")).await;
}

#[tokio::test]
async fn a_logout_during_a_renewal_ends_one_socket_once() {
    let (mut test, store) = Test::scripted().await;
    let mut client = test.ready(json!({})).await;
    store.behave(Behaviour::AnswersLate);
    renew_later(&mut client, json!({ "jti": "8" })).await;
    assert_eq!(test.records.next().await, "store");
    assert_eq!(disconnect_user(&test.server.io, "ada").await.unwrap(), 1);
    test.gate.open_once();
    client.expect_ended("/", "session_ended").await;
}

async fn renew_later(client: &mut Raw, claims: Value) {
    let event = json!(["authenticate", { "token": good(claims) }]);
    client.emit_with_ack("/", 1, &event).await;
}

#[tokio::test]
async fn a_revocation_of_the_new_token_during_its_renewal_keeps_the_session() {
    let (mut test, store) = Test::scripted().await;
    let mut client = test.ready(json!({})).await;

    client.emit_with_ack("/", 1, &json!(["watch"])).await;
    client.expect("/", Received::ack(json!("watching"))).await;

    store.behave(Behaviour::AnswersLate);
    renew_later(&mut client, json!({ "jti": "8" })).await;
    assert_eq!(test.records.next().await, "store");

    revoke(&store.revocations, Revocation::token("8")).await;
    // It is heard before the answer of the socket, which is of the same thread.
    expect_open(&mut client, "ada").await;
    test.gate.open_once();
    client.expect("/", refused_ack("token_revoked")).await;
    expect_open(&mut client, "ada").await;
    assert!(
        test.records.unread().is_empty(),
        "the session has not ended"
    );
}

#[tokio::test]
async fn a_revocation_of_the_old_token_during_its_renewal_ends_the_socket() {
    let (mut test, store) = Test::scripted().await;
    let mut client = test.ready(json!({})).await;

    store.behave(Behaviour::AnswersLate);
    renew_later(&mut client, json!({ "jti": "8" })).await;
    assert_eq!(test.records.next().await, "store");

    revoke(&store.revocations, Revocation::token("7")).await;
    expect_revoked(&mut client).await;
    test.gate.open_once();
    within("the end of the renewal", async {
        while test.server.sockets_in("/") > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn two_revocations_at_once_end_a_socket_once() {
    let (test, store) = Test::in_memory().await;
    let mut client = test.ready(json!({})).await;
    let mut other = test
        .ready(json!({ "sub": "grace", "jti": "8", "sid": "t" }))
        .await;

    tokio::join!(
        revoke(&store, Revocation::token("7")),
        revoke(&store, Revocation::user("ada")),
        revoke(&store, Revocation::session("s")),
    );
    expect_revoked(&mut client).await;

    // Nothing else arrives before the answer of another namespace.
    test.serve("/second", log_in::builder());
    client.connect_with_token("/second", &good(json!({}))).await;
    client.expect("/second", Received::Connected).await;
    expect_open(&mut other, "grace").await;
}

/// The outcome of a client's attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The token was refused.
    Refused,
    /// The socket was told and disconnected.
    Ended,
    /// The socket is open.
    Open,
}

/// Whatever the order is, the client is refused or ended.
#[tokio::test]
async fn no_connection_stays_in_whenever_its_token_is_revoked() {
    let (test, store) = Test::in_memory().await;
    race([End::Refused, End::Ended], async |number| {
        let id = format!("try {number}");
        let mut client = test.connecting(json!({ "jti": id })).await;
        let_run(number % 24).await;
        revoke(&store, Revocation::token(&id)).await;
        match client.next().await.1 {
            Received::Connected => {
                if client.next().await.1 == Received::event("ready", json!(null)) {
                    client.expect("/", unauthorized("token_revoked")).await;
                }
                client.expect("/", Received::Disconnected).await;
                End::Ended
            }
            refused => {
                assert_eq!(refused, Received::refused("token_revoked"));
                End::Refused
            }
        }
    })
    .await;
    assert_eq!(test.server.sockets_in("/"), 0);
}

#[tokio::test]
async fn no_renewal_stays_in_whenever_its_token_is_revoked() {
    let (test, store) = Test::in_memory().await;
    race([End::Refused, End::Ended], async |number| {
        let (old, new) = (format!("old {number}"), format!("new {number}"));
        let mut client = test.ready(json!({ "jti": old })).await;
        renew_later(&mut client, json!({ "jti": new })).await;
        let_run(number % 24).await;
        revoke(&store, Revocation::token(&new)).await;

        let (_, first) = client.next().await;
        if first == refused_ack("token_revoked") {
            expect_open(&mut client, "ada").await;
            return End::Refused;
        }
        // The end may overtake the answer.
        if first == unauthorized("token_revoked") {
            client.expect("/", Received::Disconnected).await;
        } else {
            renewed_until(&first);
            expect_revoked(&mut client).await;
        }
        End::Ended
    })
    .await;
}

#[tokio::test]
async fn a_renewed_socket_stays_whenever_its_old_token_is_revoked() {
    let (test, store) = Test::in_memory().await;
    race([End::Open, End::Ended], async |number| {
        let (old, new) = (format!("old {number}"), format!("new {number}"));
        let mut client = test.ready(json!({ "jti": old })).await;
        renew_later(&mut client, json!({ "jti": new })).await;
        let_run(number % 24).await;
        revoke(&store, Revocation::token(&old)).await;

        let (_, first) = client.next().await;
        if first == unauthorized("token_revoked") {
            client.expect("/", Received::Disconnected).await;
            return End::Ended;
        }
        if first == refused_ack("token_revoked") {
            expect_revoked(&mut client).await;
            return End::Ended;
        }
        renewed_until(&first);
        expect_open(&mut client, "ada").await;
        End::Open
    })
    .await;
}

/// A user whose `Drop` panics must not stop the listener.
#[tokio::test]
async fn a_user_that_panics_when_it_is_dropped_holds_up_no_other() {
    struct Broken(User);

    impl Drop for Broken {
        fn drop(&mut self) {
            if self.0.admin && !std::thread::panicking() {
                panic!("on purpose");
            }
        }
    }

    #[jwt_auth(secret = SECRET)]
    async fn broken(claims: Subject) -> Option<Broken> {
        find_user(&claims.sub).map(Broken)
    }

    let (test, store) = (Test::start().await, Revocations::in_memory());
    let middleware = broken::builder().revocations(store.clone()).build();
    let connected = async |socket: SocketRef| socket.emit("ready", &()).unwrap();
    let io = &test.server.io;
    io.ns("/", connected.with(middleware.unwrap()));
    let mut ada = test.ready(json!({})).await;
    let mut grace = test.ready(json!({ "sub": "grace", "jti": "8" })).await;
    revoke(&store, Revocation::token("7")).await;
    expect_revoked(&mut ada).await;
    revoke(&store, Revocation::token("8")).await;
    expect_revoked(&mut grace).await;
}
