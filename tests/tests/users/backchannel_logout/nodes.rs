//! A logout that reaches one of two nodes, which Redis joins.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use reqwest::Client;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, backchannel_logout};
use socketioxide_jwt_auth_tests::{Raw, SECRET, User, join, mint, within};
use tokio::{net::TcpListener, task::JoinHandle};

use super::{ask, claims_with, expect_alive, expect_ended, log_in, login, logout_token};
use crate::cluster::{
    adapter::{self, Adapter},
    redis::Redis,
};

struct Node {
    io: SocketIo<Adapter>,
    address: SocketAddr,
    task: JoinHandle<()>,
}

async fn on_connect(socket: SocketRef<Adapter>) {
    socket.on(
        "whoami",
        async |ack: AckSender<Adapter>, user: AuthUser<User>| ack.send(user.name).unwrap(),
    );
    socket.emit("ready", &()).unwrap();
}

impl Node {
    async fn start(redis: &Redis) -> Self {
        let adapter = adapter::connect(&redis.url()).await.unwrap();
        let (layer, io) = SocketIo::builder()
            .with_adapter::<Adapter>(adapter)
            .build_layer();
        let middleware = log_in::middleware().unwrap();
        let route = backchannel_logout(&middleware, io.clone()).unwrap();
        io.ns("/", on_connect.with(middleware)).await.unwrap();

        let router = Router::new().route("/logout", route).layer(layer);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { io, address, task }
    }

    async fn connect(&self, claims: &Value) -> Raw {
        let mut raw = Raw::open_with(self.address, "", &[]).await;
        join(&mut raw, "/", Some(&mint(claims, SECRET))).await;
        raw
    }

    async fn send(&self, token: &str) -> u16 {
        let request = Client::new()
            .post(format!("http://{}/logout", self.address))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("logout_token={token}"));
        ask(request).await.status
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[tokio::test]
async fn sessions_end_on_the_other_node() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (Node::start(&redis).await, Node::start(&redis).await);
    let mut near = here.connect(&login("ada", Some("first"))).await;
    let mut far = there.connect(&login("ada", Some("first"))).await;
    let mut second = there.connect(&login("ada", Some("second"))).await;
    let mut grace = there.connect(&login("grace", None)).await;

    let by_session = logout_token(&claims_with(json!({ "sid": "first" })));
    assert_eq!(here.send(&by_session).await, 200);
    expect_ended(&mut near, "/").await;
    expect_ended(&mut far, "/").await;
    expect_alive(&mut second, "/", "Ada").await;

    let by_subject = logout_token(&claims_with(json!({ "sid": null })));
    assert_eq!(here.send(&by_subject).await, 200);
    expect_ended(&mut second, "/").await;
    expect_alive(&mut grace, "/", "Grace").await;
}

#[tokio::test]
async fn while_the_other_node_cannot_be_reached_the_answer_is_503_and_the_token_stays_usable() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let (here, there) = (Node::start(&redis).await, Node::start(&redis).await);
    let mut near = here.connect(&login("ada", None)).await;
    let mut far = there.connect(&login("ada", None)).await;
    redis.stop();
    let token = logout_token(&claims_with(json!({ "sid": null })));
    assert_eq!(here.send(&token).await, 503);
    expect_ended(&mut near, "/").await;
    expect_alive(&mut far, "/", "Ada").await;

    redis.restart();
    within("the other node", async {
        while !matches!(here.io.fetch_sockets().await, Ok(sockets) if sockets.len() == 1) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(here.send(&token).await, 200);
    expect_ended(&mut far, "/").await;
}

#[tokio::test]
async fn rooms_hold_no_claims() {
    let Some(redis) = Redis::start() else { return };
    let node = Node::start(&redis).await;
    let _raw = node.connect(&login("ada", Some("a-session"))).await;
    let socket = node.io.of("/").unwrap().sockets().pop().unwrap();
    let rooms = socket.rooms();
    assert_eq!(rooms.len(), 2, "{rooms:?}");

    for room in rooms {
        assert!(room.starts_with("jwt_auth:issuer:"), "{room}");
        for claim in ["ada", "a-session", "issuer.example"] {
            assert!(!room.contains(claim), "{room}");
        }
    }
}
