//! Sockets on two nodes that share a Redis.

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, Verifier, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Raw, Received, SECRET, Server, User, emit_with_ack, find_user, mint, ready,
    refused_ack, renew, renewed_until, seconds_from_now,
};

use super::*;

#[jwt_auth(secret = SECRET, authenticate_event = "authenticate")]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn on_connect(socket: SocketRef) {
    socket.on("whoami", async |user: AuthUser<User>, ack: AckSender| {
        ack.send(user.name).unwrap_or_default();
    });
    socket.emit("ready", &()).ok();
}

struct Node {
    server: Server,
    store: RedisRevocations,
    verifier: Verifier,
}

impl Node {
    async fn start(redis: &Redis) -> Self {
        let store = connect(redis).await;
        let middleware = log_in::builder().revocations(store.clone()).build();
        let middleware = middleware.unwrap();
        let verifier = middleware.verifier().clone();
        let server = Server::with(SocketIo::builder()).await;
        server.io.ns("/", on_connect.with(middleware));
        Self {
            server,
            store,
            verifier,
        }
    }

    async fn client(&self, claims: Value) -> Raw {
        ready(&self.server, "/", Some(&good(claims))).await
    }

    async fn outcome(&self, claims: Value) -> Received {
        let mut raw = self.server.raw().await;
        raw.connect_with_token("/", &good(claims)).await;
        raw.next().await.1
    }
}

fn good(claims: Value) -> String {
    let mut all = json!({
        "sub": "ada", "iat": seconds_from_now(0), "exp": seconds_from_now(3600), "jti": "7", "sid": "s",
    });
    let object = all.as_object_mut().unwrap();
    object.extend(claims.as_object().unwrap().clone());
    mint(&all, SECRET)
}

async fn expect_revoked(client: &mut Raw) {
    client.expect_ended("/", "token_revoked").await;
}

async fn expect_open(client: &mut Raw, name: &str) {
    let answer = emit_with_ack(client, "whoami", &Value::Null).await;
    assert_eq!(answer, Received::ack(json!(name)));
}

#[tokio::test]
async fn a_revocation_ends_the_sockets_of_every_node_and_refuses_there() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (Node::start(&redis).await, Node::start(&redis).await);

    for revocation in [
        Revocation::token("1"),
        Revocation::session("1"),
        Revocation::user("ada"),
    ] {
        let claims = match revocation.scope() {
            RevocationScope::Token => json!({ "jti": "1" }),
            RevocationScope::Session => json!({ "sid": "1" }),
            _ => json!({}),
        };
        let mut clients = [
            here.client(claims.clone()).await,
            there.client(claims.clone()).await,
        ];
        let mut grace = there.client(json!({ "sub": "grace" })).await;
        here.store.revoke(revocation).await.unwrap();
        for client in &mut clients {
            expect_revoked(client).await;
        }
        expect_open(&mut grace, "Grace").await;
        for node in [&here, &there] {
            let refused = node.outcome(claims.clone()).await;
            assert_eq!(refused, Received::refused("token_revoked"));
            let token = good(claims.clone());
            let error = node.verifier.verify::<Claims>(&token).await.unwrap_err();
            assert_eq!(error.code(), "token_revoked");
        }
    }
}

#[tokio::test]
async fn a_renewed_socket_on_another_node_counts_by_its_new_token() {
    let Some(redis) = Redis::start() else { return };
    let (here, there) = (Node::start(&redis).await, Node::start(&redis).await);
    let mut client = there.client(json!({})).await;

    renewed_until(&renew(&mut client, &good(json!({ "jti": "8" }))).await);
    let mut heard = changes(&there.store);
    revoke_token(&here.store, "7").await;
    told(&mut heard, token("7")).await;
    expect_open(&mut client, "Ada").await;
    assert_eq!(
        renew(&mut client, &good(json!({}))).await,
        refused_ack("token_revoked")
    );
    revoke_token(&here.store, "8").await;
    expect_revoked(&mut client).await;
}

/// The message of a revocation reaches the nodes that are subscribed at that moment only.
#[tokio::test]
async fn a_node_that_missed_a_revocation_ends_its_sockets_after_it_is_back() {
    let Some(redis) = Redis::start() else { return };
    let mut raw = RawRedis::connect(&redis);
    // A revocation without its message.
    let other = connect(&redis).await;
    revoke_token(&other, "7").await;
    drop(other);
    let key = raw.run_one(&["KEYS", "*"]);
    let value = raw.run_one(&["GETDEL", &key]);

    let node = Node::start(&redis).await;
    let (mut ada, mut kept) = (
        node.client(json!({})).await,
        node.client(json!({ "jti": "8" })).await,
    );
    raw.run(&["SET", &key, &value, "EX", "3600"]);
    expect_open(&mut ada, "Ada").await;
    raw.run(&["CLIENT", "KILL", "TYPE", "pubsub"]);
    expect_revoked(&mut ada).await;
    expect_open(&mut kept, "Ada").await;
}

#[tokio::test]
async fn sockets_stay_while_redis_is_down_and_none_gets_in() {
    let Some(mut redis) = Redis::start() else {
        return;
    };
    let node = Node::start(&redis).await;
    let mut client = node.client(json!({})).await;
    redis.stop();
    let storm = (0..50).map(|_| node.outcome(json!({})));
    let outcomes = within("all refusals", futures_util::future::join_all(storm)).await;
    for outcome in outcomes {
        assert_eq!(outcome, Received::refused("revocations_unavailable"));
    }
    assert_eq!(node.server.sockets_in("/"), 1);
    expect_open(&mut client, "Ada").await;

    redis.restart();
    within("Redis is back", async {
        while node.store.revoke(Revocation::token("7")).await.is_err() {}
    })
    .await;
    expect_revoked(&mut client).await;
}
