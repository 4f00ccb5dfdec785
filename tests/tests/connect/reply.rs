//! Handlers that answer with a `Reply`, a value or a refusal.

use std::{error::Error, io};

use serde_json::{Value, json};
use socketioxide::{
    extract::{Data, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthError, AuthUser, Reply};
use socketioxide_jwt_auth_tests::{
    Log, Raw, Received, Server, User, authenticate, denial, refusal, token, unauthorized_event,
    unauthorized_event_denied,
};

fn work(how: &str) -> Result<Value, Box<dyn Error + Send + Sync>> {
    match how {
        "deny" => Err(AuthError::denied("not on a Sunday").into()),
        "fail" => Err(io::Error::other("the disk of cellar 7 is full").into()),
        other => Ok(json!({ "done": other })),
    }
}

async fn on_connect(socket: SocketRef) {
    socket.on(
        "work",
        async |_: AuthUser<User>, Data(how): Data<String>, reply: Reply| reply.send(work(&how)),
    );
    socket.on("answered", async |reply: Reply| {
        reply.send::<_, AuthError>(Ok(1))
    });
}

async fn client() -> (Server, Raw) {
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(authenticate::middleware().unwrap()));
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    (server, raw)
}

#[tokio::test]
async fn an_acknowledgement_holds_the_value_or_the_refusal() {
    let (_server, mut raw) = client().await;
    for (how, answer) in [
        ("dig", json!({ "done": "dig" })),
        ("deny", json!({ "error": denial("not on a Sunday") })),
        ("fail", json!({ "error": refusal("internal_error") })),
    ] {
        raw.emit_with_ack("/", 1, &json!(["work", how])).await;
        raw.expect("/", Received::ack(answer)).await;
    }
}

#[tokio::test]
async fn without_an_acknowledgement_a_refusal_is_an_event_and_a_value_is_dropped() {
    let (_server, mut raw) = client().await;
    raw.emit("/", &json!(["work", "dig"])).await;
    raw.emit("/", &json!(["work", "deny"])).await;
    raw.expect("/", unauthorized_event_denied("not on a Sunday", "work"))
        .await;
    raw.emit("/", &json!(["work", "fail"])).await;
    raw.expect("/", unauthorized_event("internal_error", "work"))
        .await;
    raw.emit("/", &json!(["answered"])).await;
    raw.emit_with_ack("/", 2, &json!(["answered"])).await;
    raw.expect("/", Received::ack(json!(1))).await;
}

#[tokio::test]
async fn the_cause_of_a_failure_is_logged() {
    let log = Log::capture();
    let (_server, mut raw) = client().await;
    raw.emit_with_ack("/", 1, &json!(["work", "fail"])).await;
    raw.next().await;
    raw.emit_with_ack("/", 2, &json!(["work", "deny"])).await;
    raw.next().await;
    let errors = log.lines_with("ERROR");
    assert!(
        matches!(errors.as_slice(), [error] if error.contains("cellar 7") && error.contains("work")),
        "{errors:?}"
    );
}
