//! Connections with a good, a bad and no token.

use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{
    ErrorCode,
    testing::{Refusal, TestClient, TestIssuer, TestToken},
};
use socketioxide_jwt_auth_tests::{Received, Server, authenticate, greet};

async fn server() -> (Server, TestIssuer) {
    let issuer = TestIssuer::new();
    let middleware = authenticate::builder().test_issuer(&issuer).build();
    let server = Server::start().await;
    server.io.ns("/", greet.with(middleware.unwrap()));
    (server, issuer)
}

async fn refusal(server: &Server, token: TestToken) -> Refusal {
    let connecting = TestClient::connect(server.address());
    connecting.token(token.sign()).await.unwrap_err()
}

#[tokio::test]
async fn a_good_token_is_admitted_and_the_handler_gets_the_user() {
    let (server, issuer) = server().await;
    let connecting = TestClient::connect(server.address());
    let mut client = connecting.token(issuer.token("ada").sign()).await.unwrap();
    assert_eq!(
        client.next_event("welcome").await.unwrap(),
        json!([{ "name": "Ada", "logged_in": true }])
    );
}

#[tokio::test]
async fn polling_works_like_websocket() {
    let (server, issuer) = server().await;
    let client = server.client().polling();
    let mut client = client.token(&issuer.token("ada").sign()).admitted().await;
    client
        .expect(Received::event(
            "welcome",
            json!({ "name": "Ada", "logged_in": true }),
        ))
        .await;
    assert_eq!(server.client().polling().refusal().await, "token_missing");
}

#[tokio::test]
async fn a_connection_without_a_token_is_token_missing() {
    let (server, _issuer) = server().await;
    let refusal = TestClient::connect(server.address()).await.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::TokenMissing);
}

#[tokio::test]
async fn a_string_that_is_not_a_token_is_token_malformed() {
    let (server, _issuer) = server().await;
    let connecting = TestClient::connect(server.address()).query("auth_token=blabla");
    assert_eq!(
        connecting.await.unwrap_err().code(),
        ErrorCode::TokenMalformed
    );
}

#[tokio::test]
async fn a_foreign_signature_is_token_signature_invalid() {
    let (server, issuer) = server().await;
    for forged in [issuer.token("ada").forged(), TestIssuer::new().token("ada")] {
        let refusal = refusal(&server, forged).await;
        assert_eq!(refusal.code(), ErrorCode::TokenSignatureInvalid);
    }
}

#[tokio::test]
async fn an_unsigned_token_is_token_algorithm_not_allowed() {
    let (server, issuer) = server().await;
    let refusal = refusal(&server, issuer.token("ada").unsigned()).await;
    assert_eq!(refusal.code(), ErrorCode::TokenAlgorithmNotAllowed);
}

#[tokio::test]
async fn an_unknown_user_is_user_not_found() {
    let (server, issuer) = server().await;
    let refusal = refusal(&server, issuer.token("nobody")).await;
    assert_eq!(refusal.code(), ErrorCode::UserNotFound);
}

#[tokio::test]
async fn an_expired_token_is_token_expired() {
    let (server, issuer) = server().await;
    let refusal = refusal(&server, issuer.token("ada").expired()).await;
    assert_eq!(refusal.code(), ErrorCode::TokenExpired);
}

#[tokio::test]
async fn a_refused_client_is_in_no_namespace() {
    let (server, _issuer) = server().await;
    let connecting = TestClient::connect(server.address()).token("x.y.z");
    assert_eq!(
        connecting.await.unwrap_err().code(),
        ErrorCode::TokenMalformed
    );
    assert_eq!(server.sockets_in("/"), 0);
}
