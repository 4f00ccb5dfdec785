//! Sockets and a store of revocations.

mod races;
mod scopes;
mod store;
mod stores;

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthUser, JwtAuthBuilder, Revocation, RevocationStore, Revocations, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Gate, Raw, Received, Recorder, Records, SECRET, Server, emit_with_ack, mint, ready, recorder,
    seconds_from_now, unauthorized,
};
use store::{Behaviour, Scripted};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    device: Option<String>,
    /// Whether the lookup waits at the gate.
    #[serde(default)]
    waits: bool,
}

struct Member {
    name: String,
}

/// The key of the user is the `sub` claim, and that of the session the `sid` claim.
#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate", leeway = "0s")]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<Member> {
    if claims.waits {
        recorder.record("lookup");
        gate.pass().await;
    }
    Some(Member { name: claims.sub })
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "whoami",
        async |member: AuthUser<Member>, ack: AckSender| {
            ack.send(&member.name).unwrap_or_default();
        },
    );
    socket.on(
        "watch",
        async |member: AuthUser<Member>, ack: AckSender, State(recorder): State<Recorder>| {
            ack.send("watching").unwrap();
            let name = member.name.clone();
            member.ended().await;
            recorder.record(format!("{name} ended"));
        },
    );
    // It may have been revoked before.
    socket.emit("ready", &()).ok();
}

/// A server, what its lookups and stores say, and the gate at which they wait.
struct Test {
    server: Server,
    records: Records,
    gate: Gate,
    recorder: Recorder,
}

impl Test {
    async fn start() -> Self {
        let ((recorder, records), gate) = (recorder(), Gate::closed());
        let builder = SocketIo::builder()
            .with_state(recorder.clone())
            .with_state(gate.clone());
        Self {
            server: Server::with(builder).await,
            records,
            gate,
            recorder,
        }
    }

    /// A server whose namespace `/` has this store.
    async fn with(store: impl RevocationStore) -> Self {
        let test = Self::start().await;
        test.serve("/", log_in::builder().revocations(store));
        test
    }

    async fn in_memory() -> (Self, Revocations) {
        let revocations = Revocations::in_memory();
        (Self::with(revocations.clone()).await, revocations)
    }

    async fn scripted() -> (Self, Scripted) {
        let test = Self::start().await;
        let store = Scripted::new(&test.recorder, &test.gate);
        let builder = log_in::builder()
            .user_key(|member: &Member| member.name.clone())
            .revocations(store.clone())
            .revocations_timeout("3s");
        test.serve("/", builder);
        (test, store)
    }

    fn serve(&self, namespace: &str, builder: JwtAuthBuilder<log_in>) {
        let middleware = builder.build().unwrap();
        self.server
            .io
            .ns(namespace.to_owned(), on_connect.with(middleware));
    }

    async fn ready(&self, claims: Value) -> Raw {
        ready(&self.server, "/", Some(&good(claims))).await
    }

    async fn connecting(&self, claims: Value) -> Raw {
        let mut raw = self.server.raw().await;
        raw.connect_with_token("/", &good(claims)).await;
        raw
    }

    /// Returns the reason of a refusal, or `good`.
    async fn outcome(&self, claims: Value) -> String {
        match self.connecting(claims).await.next().await.1 {
            Received::Connected => "good".to_owned(),
            Received::Refused(code) => code,
            other => panic!("{other:?}"),
        }
    }
}

/// A good token of `ada` but for these claims; `null` leaves a claim out.
fn good(claims: Value) -> String {
    let mut all = json!({
        "sub": "ada", "iat": seconds_from_now(0), "exp": seconds_from_now(3600), "jti": "7", "sid": "s",
    });
    let object = all.as_object_mut().unwrap();
    object.extend(claims.as_object().unwrap().clone());
    object.retain(|_, value| !value.is_null());
    mint(&all, SECRET)
}

async fn revoke(store: &Revocations, revocation: Revocation) {
    store.revoke(revocation).await.unwrap();
}

/// Expects the end of a socket, with nothing before and after.
#[track_caller]
fn expect_revoked(raw: &mut Raw) -> impl Future<Output = ()> {
    let caller = std::panic::Location::caller();
    async move {
        let ended = [unauthorized("token_revoked"), Received::Disconnected];
        for expected in ended {
            assert_eq!(raw.next().await, ("/".to_owned(), expected), "at {caller}");
        }
    }
}

/// Expects that the socket is open, and that nothing was sent to it before.
async fn expect_open(raw: &mut Raw, name: &str) {
    let answer = emit_with_ack(raw, "whoami", &Value::Null).await;
    assert_eq!(answer, Received::ack(json!(name)));
}
