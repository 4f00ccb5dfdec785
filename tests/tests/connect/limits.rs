//! The limits of one connection, over all of its namespaces and for concurrent attempts.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};
use socketioxide::{SocketIo, extract::State, handler::ConnectHandler};
use socketioxide_jwt_auth::{AuthError, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, OTHER_SECRET, Raw, Received, SECRET, Server, User, answer, find_user, join, mint,
    refused_ack, seconds_from_now, token,
};

/// Counts lookups.
#[derive(Clone, Default)]
struct Lookups(Arc<AtomicUsize>);

impl Lookups {
    fn count(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }

    fn number(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn log_in(
    claims: Claims,
    State(lookups): State<Lookups>,
    State(gate): State<Gate>,
) -> Option<User> {
    lookups.count();
    if claims.sub == "slow" {
        gate.pass().await;
    }
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, guest = true)]
async fn asks_about_guests(
    claims: Option<Claims>,
    State(lookups): State<Lookups>,
    State(gate): State<Gate>,
) -> Result<Option<User>, AuthError> {
    lookups.count();
    gate.pass().await;
    Ok(claims.and_then(|claims| find_user(&claims.sub)))
}

async fn serve() -> (Server, Lookups, Gate) {
    let (lookups, gate) = (Lookups::default(), Gate::closed());
    // Room for all answers: socketioxide closes a connection whose channel is full at a refusal.
    let builder = SocketIo::builder()
        .max_buffer_size(1024)
        .with_state(lookups.clone())
        .with_state(gate.clone());
    let server = Server::with(builder).await;

    server
        .io
        .dyn_ns("/room/{id}", answer.with(log_in::middleware().unwrap()))
        .unwrap();
    server
        .io
        .dyn_ns(
            "/lounge/{id}",
            answer.with(asks_about_guests::middleware().unwrap()),
        )
        .unwrap();
    // Another middleware on the same connection.
    server
        .io
        .dyn_ns(
            "/annex/{id}",
            answer.with(log_in::builder().build().unwrap()),
        )
        .unwrap();
    server
        .io
        .ns("/", answer.with(log_in::middleware().unwrap()));
    (server, lookups, gate)
}

/// Returns the codes of the next refusals.
async fn refusals(raw: &mut Raw, number: usize) -> Vec<String> {
    let mut refusals = Vec::new();
    while refusals.len() < number {
        match raw.next().await.1 {
            Received::Refused(code) => refusals.push(code),
            other => panic!("not a refusal: {other:?}"),
        }
    }
    refusals
}

#[tokio::test]
async fn concurrent_connects_cost_at_most_twenty_lookups_over_all_namespaces() {
    let (server, lookups, gate) = serve().await;
    let mut raw = server.raw().await;
    let slow = token("slow");
    for number in 0..150 {
        raw.connect_with_token(&format!("/room/{number}"), &slow)
            .await;
        raw.connect_with_token(&format!("/annex/{number}"), &slow)
            .await;
    }
    let refused = refusals(&mut raw, 280).await;
    assert!(
        refused.iter().all(|code| code == "too_many_attempts"),
        "{refused:?}"
    );
    assert_eq!(lookups.number(), 20);

    for _ in 0..20 {
        gate.open_once();
    }
    assert_eq!(refusals(&mut raw, 20).await, ["user_not_found"; 20]);
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::refused("too_many_attempts"))
        .await;
    assert_eq!(lookups.number(), 20);

    // Another connection has its own limit.
    join(&mut server.raw().await, "/", Some(&token("ada"))).await;
}

#[tokio::test]
async fn concurrent_guests_cost_at_most_twenty_lookups() {
    let (server, lookups, gate) = serve().await;
    let mut raw = server.raw().await;
    for number in 0..200 {
        raw.connect(&format!("/lounge/{number}"), "").await;
    }
    assert_eq!(refusals(&mut raw, 180).await, ["too_many_attempts"; 180]);
    assert_eq!(lookups.number(), 20);

    // Admitted guests do not count as refusals, so others may follow.
    for _ in 0..21 {
        gate.open_once();
    }
    let mut ready = 0;
    while ready < 20 {
        match raw.next().await.1 {
            Received::Connected => {}
            received => {
                assert_eq!(received, Received::event("ready", json!(null)));
                ready += 1;
            }
        }
    }
    join(&mut raw, "/lounge/last", None).await;
}

#[tokio::test]
async fn a_guest_does_not_reset_refusals() {
    let (server, _, _) = serve().await;

    let mut raw = server.raw().await;
    let forged = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    );
    let mut codes = Vec::new();

    for number in 0..10 {
        for _ in 0..5 {
            raw.connect_with_token(&format!("/room/{number}"), &forged)
                .await;
            codes.extend(refusals(&mut raw, 1).await);
        }
        raw.connect(&format!("/room/{number}"), "").await;
        while !matches!(
            raw.next().await.1,
            Received::Refused(_) | Received::Event(..)
        ) {}
    }

    assert_eq!(
        codes
            .iter()
            .filter(|code| *code == "token_signature_invalid")
            .count(),
        20
    );
    assert_eq!(
        codes
            .iter()
            .filter(|code| *code == "too_many_attempts")
            .count(),
        30
    );
}

#[tokio::test]
async fn a_user_resets_refusals() {
    let (server, _, _) = serve().await;
    let mut raw = server.raw().await;
    for number in 0..3 {
        for _ in 0..19 {
            raw.connect_with_token("/", &token("nobody")).await;
            raw.expect("/", Received::refused("user_not_found")).await;
        }
        join(&mut raw, &format!("/room/{number}"), Some(&token("ada"))).await;
    }
}

fn authenticate(subject: &str) -> Value {
    json!(["authenticate", { "token": token(subject) }])
}

#[tokio::test]
async fn a_connection_has_twenty_renewals_in_ten_seconds_over_all_reconnects() {
    let (server, lookups, _) = serve().await;

    let mut raw = server.raw().await;
    let mut accepted = 0;

    for number in 0..30 {
        let namespace = format!("/room/{}", number % 3);
        join(&mut raw, &namespace, Some(&token("ada"))).await;
        for _ in 0..2 {
            raw.emit_with_ack(&namespace, 1, &authenticate("ada")).await;
            match raw.next().await.1 {
                received if received.is_renewal() => accepted += 1,
                received => assert_eq!(received, refused_ack("too_many_attempts")),
            }
        }
        raw.leave(&namespace).await;
    }

    assert_eq!(accepted, 20);
    assert_eq!(lookups.number(), 30 + 20);
}

#[tokio::test]
async fn concurrent_logins_count_together_with_connects() {
    let (server, lookups, gate) = serve().await;

    let mut raw = server.raw().await;
    for number in 0..15 {
        join(&mut raw, &format!("/room/{number}"), None).await;
    }

    for number in 0..15 {
        raw.emit_with_ack(&format!("/room/{number}"), 1, &authenticate("slow"))
            .await;
    }

    for number in 15..30 {
        raw.connect_with_token(&format!("/room/{number}"), &token("slow"))
            .await;
    }

    assert_eq!(refusals(&mut raw, 10).await, ["too_many_attempts"; 10]);
    assert_eq!(lookups.number(), 20);

    for _ in 0..20 {
        gate.open_once();
    }
}
