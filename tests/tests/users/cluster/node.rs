//! A server that Redis joins to others.

use std::{
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use axum::Router;
use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthEvent, AuthUser, disconnect_others, jwt_auth, user_room};
use socketioxide_jwt_auth_tests::{
    AuditLog, Gate, Raw, Received, Recorder, Records, SECRET, audit, flood, join, token,
};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::cluster::adapter::{self, Adapter};

/// The static namespaces. There is a dynamic one as well, `/room/{id}`.
pub(crate) const NAMESPACES: [&str; 2] = ["/", "/other"];

#[derive(Deserialize)]
struct Claims {
    sub: String,
    sid: Option<String>,
}

struct Member {
    key: String,
}

/// A lookup that returns the user that the token names.
#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    user_key = |member: &Member| &member.key,
    session_key = |claims: &Claims| &claims.sid,
)]
async fn admit(claims: Claims) -> Option<Member> {
    Some(Member { key: claims.sub })
}

/// A lookup that waits at the gate.
#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    user_key = |member: &Member| &member.key,
    session_key = |claims: &Claims| &claims.sid,
)]
async fn admit_slowly(
    claims: Claims,
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Option<Member> {
    recorder.record(WAITING);
    gate.pass().await;
    Some(Member { key: claims.sub })
}

/// A connect middleware that waits at the gate.
async fn wait(
    State(recorder): State<Recorder>,
    State(gate): State<Gate>,
) -> Result<(), Infallible> {
    recorder.record(WAITING);
    gate.pass().await;
    Ok(())
}

const WAITING: &str = "waiting";

/// Waits until this number of lookups and middlewares waits at the gate.
pub(crate) async fn expect_waiting(records: &mut Records, number: usize) {
    for _ in 0..number {
        assert_eq!(records.next().await, WAITING);
    }
}

async fn on_connect(socket: SocketRef<Adapter>) {
    socket.on(
        "whoami",
        async |ack: AckSender<Adapter>, member: AuthUser<Member>| ack.send(&member.key).unwrap(),
    );
    socket.on(
        "end_others",
        async |socket: SocketRef<Adapter>, ack: AckSender<Adapter>| {
            let ended = disconnect_others(&socket).await.unwrap();
            ack.send(&ended).unwrap_or_default();
        },
    );
    socket.on("flood", flood_and_record);
    socket.emit("ready", &()).unwrap();
}

/// Fills the channel of a client that does not read.
async fn flood_and_record(socket: SocketRef<Adapter>, State(recorder): State<Recorder>) {
    flood(&socket).await;
    recorder.record("flooded");
}

/// A node that ends with the test.
pub(crate) struct Node {
    pub(crate) io: SocketIo<Adapter>,
    /// The events of `/slow` and `/later`.
    pub(crate) events: AuditLog,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Node {
    /// Starts a node whose clients have room for few packets.
    pub(crate) async fn start(redis: &str, recorder: Recorder, gate: Gate) -> Self {
        Self::start_with_buffer(redis, recorder, gate, 8).await
    }

    /// Starts a node whose clients have room for this number of packets.
    pub(crate) async fn start_with_buffer(
        redis: &str,
        recorder: Recorder,
        gate: Gate,
        packets: usize,
    ) -> Self {
        let adapter = adapter::connect(redis).await.unwrap();
        let builder = SocketIo::builder()
            .max_buffer_size(packets)
            .with_state(recorder)
            .with_state(gate);
        let (layer, io) = builder.with_adapter::<Adapter>(adapter).build_layer();
        for namespace in NAMESPACES {
            io.ns(namespace, on_connect.with(admit::middleware().unwrap()))
                .await
                .unwrap();
        }
        let (hook, events) = audit();
        let hook = Arc::new(hook);
        let for_slow = Arc::clone(&hook);
        let slow = admit_slowly::builder().on_event(move |event: &AuthEvent| for_slow(event));
        io.ns("/slow", on_connect.with(slow.build().unwrap()))
            .await
            .unwrap();
        let audited = admit::builder().on_event(move |event: &AuthEvent| hook(event));
        // The last one runs first.
        let handler = on_connect.with(wait).with(audited.build().unwrap());
        io.ns("/later", handler).await.unwrap();
        io.dyn_ns("/room/{id}", on_connect.with(admit::middleware().unwrap()))
            .unwrap();

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().layer(layer);
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            io,
            events,
            address,
            task,
        }
    }

    pub(crate) async fn raw(&self) -> Raw {
        Raw::open_with(self.address, "", &[]).await
    }

    /// Connects a client to one namespace, as a guest without a subject.
    pub(crate) async fn client(&self, namespace: &str, subject: Option<&str>) -> Raw {
        let mut raw = self.raw().await;
        join(&mut raw, namespace, subject.map(token).as_deref()).await;
        raw
    }

    /// Connects a user to all static namespaces.
    pub(crate) async fn everywhere(&self, subject: &str) -> Raw {
        let mut raw = self.raw().await;
        for namespace in NAMESPACES {
            join(&mut raw, namespace, Some(&token(subject))).await;
        }
        raw
    }

    /// Sends a string to a user in all static namespaces.
    pub(crate) async fn send_to(&self, key: &str, text: &str) {
        for namespace in NAMESPACES {
            self.io
                .of(namespace)
                .unwrap()
                .to(user_room(key))
                .emit("mail", text)
                .await
                .unwrap();
        }
    }

    pub(crate) fn sockets_in(&self, namespace: &str) -> usize {
        self.io.of(namespace).unwrap().sockets().len()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(crate) fn mail(text: &str) -> Received {
    Received::event("mail", json!(text))
}

/// Expects the same packets in each static namespace, in any order of the namespaces.
pub(crate) async fn expect_everywhere(raw: &mut Raw, received: &[Received]) {
    let mut arrived: Vec<_> = Vec::new();

    for _ in 0..NAMESPACES.len() * received.len() {
        arrived.push(raw.next().await);
    }

    for namespace in NAMESPACES {
        let arrived: Vec<_> = arrived
            .iter()
            .filter(|(there, _)| there == namespace)
            .map(|(_, received)| received.clone())
            .collect();
        assert_eq!(arrived, received, "in {namespace}");
    }
}

/// Asserts which user the socket in `/` has, and that no other packet arrives before.
pub(crate) async fn expect_in(raw: &mut Raw, key: &str) {
    let received = socketioxide_jwt_auth_tests::emit_with_ack(raw, "whoami", &Value::Null).await;
    assert_eq!(received, Received::ack(json!(key)));
}
