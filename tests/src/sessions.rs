//! Helpers for tests of a session after its connection.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use socketioxide::extract::{AckSender, SocketRef};
use socketioxide_jwt_auth::AuthUser;
use tokio::sync::Semaphore;

use crate::{LIMIT, Raw, Received, SECRET, Server, User, mint};

/// Returns the seconds since 1970, with their fraction.
///
/// # Panics
///
/// If the clock is before 1970.
pub fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("the clock is right")
        .as_secs_f64()
}

/// Returns a token that is valid for a number of seconds (with their fraction), and when it
/// expires.
pub fn token_valid_for(seconds: f64, subject: &str) -> (String, f64) {
    let expires_at = now() + seconds;
    (
        mint(&json!({ "sub": subject, "exp": expires_at }), SECRET),
        expires_at,
    )
}

/// Lets lookups wait until the test opens it. Add it to the server as a `State`.
#[derive(Debug, Clone)]
pub struct Gate(Arc<Semaphore>);

impl Gate {
    /// Creates a closed gate.
    pub fn closed() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets one caller of [`pass`](Self::pass) through, now or when it arrives.
    pub fn open_once(&self) {
        self.0.add_permits(1);
    }

    /// Waits until the gate is opened for this caller.
    ///
    /// # Panics
    ///
    /// Never, because the semaphore is not closed.
    pub async fn pass(&self) {
        self.0
            .acquire()
            .await
            .expect("the semaphore is open")
            .forget();
    }
}

/// A connect handler that emits `ready`. Its sockets answer `whoami` to users, and `ping` to users
/// and guests.
///
/// # Panics
///
/// If the client is gone.
#[expect(
    clippy::unused_async,
    clippy::needless_pass_by_value,
    reason = "it is a handler"
)]
pub async fn answer(socket: SocketRef) {
    socket.on("whoami", async |ack: AckSender, user: AuthUser<User>| {
        ack.send(user.name).unwrap_or_default()
    });
    socket.on("ping", async |ack: AckSender| {
        ack.send("pong").unwrap_or_default()
    });
    socket.emit("ready", &()).expect("the client is there");
}

/// Connects to a namespace whose connect handler is [`answer`], and waits for `ready`.
pub async fn ready(server: &Server, namespace: &str, token: Option<&str>) -> Raw {
    let mut raw = server.raw().await;
    join(&mut raw, namespace, token).await;
    raw
}

/// Joins such a namespace on an open connection.
pub async fn join(raw: &mut Raw, namespace: &str, token: Option<&str>) {
    match token {
        Some(token) => raw.connect_with_token(namespace, token).await,
        None => raw.connect(namespace, "").await,
    }
    raw.expect(namespace, Received::Connected).await;
    raw.expect(namespace, Received::event("ready", json!(null)))
        .await;
}

/// Emits an event in `/`, and returns its acknowledgement, which must arrive next.
pub async fn emit_with_ack(raw: &mut Raw, event: &str, argument: &Value) -> Received {
    raw.emit_with_ack("/", 0, &json!([event, argument])).await;
    let (_, received) = raw.next().await;
    assert!(
        matches!(received, Received::Ack(_)),
        "not an acknowledgement: {received:?}"
    );
    received
}

/// Emits `authenticate` in `/`, and returns its acknowledgement, which must arrive next.
pub async fn renew(raw: &mut Raw, token: &str) -> Received {
    emit_with_ack(raw, "authenticate", &json!({ "token": token })).await
}

/// Returns when a token expires, in seconds since 1970, as the acknowledgement of its renewal says.
///
/// # Panics
///
/// If it is not such an acknowledgement, or if it says another time in its `expires_in`.
#[track_caller]
pub fn renewed_until(received: &Received) -> i64 {
    let Received::Ack(arguments) = received else {
        panic!("not an acknowledgement: {received:?}")
    };
    let expires_at = arguments[0]["expires_at"].as_i64();
    let expires_in = arguments[0]["expires_in"].as_i64();
    let (Some(expires_at), Some(expires_in)) = (expires_at, expires_in) else {
        panic!("not a renewal: {received:?}")
    };

    let expected = json!({ "expires_at": expires_at, "expires_in": expires_in });
    assert_eq!(*received, Received::ack(expected));
    // The token may expire within a second, and the acknowledgement was on its way for some time.
    #[expect(clippy::cast_precision_loss, reason = "times are small numbers")]
    let (at, within) = (now() + expires_in as f64, expires_at as f64);
    let delay = LIMIT.as_secs_f64();
    assert!(
        (within - 1.0..=within + 1.0 + delay).contains(&at),
        "{received:?} at {}",
        now()
    );
    expires_at
}
