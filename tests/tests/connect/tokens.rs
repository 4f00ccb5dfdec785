//! Connections with a good, a bad and no token.

use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth_tests::{
    OTHER_SECRET, Received, Server, authenticate, greet, mint, seconds_from_now, token,
    token_expiring_in,
};

async fn server() -> Server {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(authenticate::middleware().unwrap()));
    server
}

fn welcome_ada() -> Received {
    Received::event("welcome", json!({ "name": "Ada", "logged_in": true }))
}

#[tokio::test]
async fn a_good_token_is_admitted_and_the_handler_gets_the_user() {
    let server = server().await;
    let mut client = server.client().token(&token("ada")).admitted().await;
    client.expect(welcome_ada()).await;
}

#[tokio::test]
async fn polling_works_like_websocket() {
    let server = server().await;
    let mut client = server
        .client()
        .polling()
        .token(&token("ada"))
        .admitted()
        .await;
    client.expect(welcome_ada()).await;
    assert_eq!(server.client().polling().refusal().await, "token_missing");
}

#[tokio::test]
async fn a_connection_without_a_token_is_token_missing() {
    let server = server().await;
    assert_eq!(server.client().refusal().await, "token_missing");
}

#[tokio::test]
async fn a_string_that_is_not_a_token_is_token_malformed() {
    let server = server().await;
    assert_eq!(
        server.client().query("auth_token=blabla").refusal().await,
        "token_malformed"
    );
}

#[tokio::test]
async fn a_foreign_signature_is_token_signature_invalid() {
    let server = server().await;
    let forged = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    );
    assert_eq!(
        server.client().token(&forged).refusal().await,
        "token_signature_invalid"
    );
}

#[tokio::test]
async fn an_unknown_user_is_user_not_found() {
    let server = server().await;
    assert_eq!(
        server.client().token(&token("nobody")).refusal().await,
        "user_not_found"
    );
}

#[tokio::test]
async fn an_expired_token_is_token_expired() {
    let server = server().await;
    assert_eq!(
        server
            .client()
            .token(&token_expiring_in(-3600, "ada"))
            .refusal()
            .await,
        "token_expired"
    );
}

#[tokio::test]
async fn a_refused_client_is_in_no_namespace() {
    let server = server().await;
    let mut client = server.client_with_token("x.y.z").await;
    client.expect(Received::refused("token_malformed")).await;
    assert_eq!(server.sockets_in("/"), 0);
}
