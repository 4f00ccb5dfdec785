//! The test kit of applications: its issuer, its client and its extractors, with a real server.

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthClaims, AuthError, AuthUser, ErrorCode, MaybeAuthUser, TokenSource, jwt_auth,
    testing::{Refusal, TestClient, TestIssuer},
};
use socketioxide_jwt_auth_tests::{Admin, Claims, Server, User, find_user, refusal};

/// An attribute for production, whose key is not there in a test.
#[jwt_auth(
    public_key_file = "/does/not/exist.pem",
    algorithm = "RS256",
    issuer = "https://login.example.com",
    audience = "chat",
    authenticate_event = "authenticate"
)]
async fn production(claims: Claims) -> Result<User, AuthError> {
    find_user(&claims.sub).ok_or_else(|| AuthError::denied("Your account is gone."))
}

#[jwt_auth(keys_at_runtime)]
async fn without_keys(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn on_connect(socket: SocketRef, user: AuthUser<User>) {
    socket.on("echo", async |Data(data): Data<Value>, ack: AckSender| {
        ack.send(&data).unwrap_or_default();
    });
    socket.on("leave", async |socket: SocketRef| {
        socket.emit("bye", &(1, 2)).unwrap_or_default();
        socket.disconnect().unwrap_or_default();
    });
    let id = socket.id.to_string();
    socket.emit("ready", &(id, user.name)).unwrap();
}

async fn server(path: &'static str) -> (Server, TestIssuer) {
    let issuer = TestIssuer::new();
    let middleware = production::builder().test_issuer(&issuer).build();
    let server = Server::start().await;
    server.io.ns(path, on_connect.with(middleware.unwrap()));
    (server, issuer)
}

fn token(issuer: &TestIssuer, subject: &str) -> String {
    let token = issuer.token(subject).issuer("https://login.example.com");
    token.audience("chat").sign()
}

#[tokio::test]
async fn a_test_issuer_replaces_only_the_keys_of_an_attribute() {
    assert!(production::middleware().is_err());
    let (server, issuer) = server("/").await;
    let connect = || TestClient::connect(server.address());
    assert!(connect().token(token(&issuer, "ada")).await.is_ok());

    let other = issuer.token("ada").audience("chat");
    for (token, code) in [
        (other.clone(), ErrorCode::TokenClaimMissing),
        (
            other.issuer("https://other.example"),
            ErrorCode::TokenIssuerInvalid,
        ),
        (
            issuer.token("ada").issuer("https://login.example.com"),
            ErrorCode::TokenClaimMissing,
        ),
    ] {
        let refusal = connect().token(token.sign()).await.unwrap_err();
        assert_eq!(refusal.code(), code);
    }
}

#[tokio::test]
async fn a_test_issuer_is_a_source_for_an_attribute_without_keys() {
    assert!(without_keys::middleware().is_err());
    let issuer = TestIssuer::new();
    let middleware = without_keys::builder().test_issuer(&issuer).build();
    let server = Server::start().await;
    server.io.ns("/", on_connect.with(middleware.unwrap()));
    let connecting = TestClient::connect(server.address());
    assert!(connecting.token(issuer.token("ada").sign()).await.is_ok());
}

#[tokio::test]
async fn a_server_that_was_not_given_the_issuer_refuses_its_tokens() {
    let middleware = without_keys::builder().secret("a secret of thirty-two bytes or more");
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(middleware.build().unwrap()));

    let issuer = TestIssuer::new();
    let connecting = TestClient::connect(server.address()).token(issuer.token("ada").sign());
    assert_eq!(
        connecting.await.unwrap_err().code(),
        ErrorCode::TokenSignatureInvalid
    );
}

#[tokio::test]
async fn the_words_of_a_denial_are_its_message() {
    let (server, issuer) = server("/").await;
    let connecting = TestClient::connect(server.address()).token(token(&issuer, "nobody"));
    let refusal = connecting.await.unwrap_err();
    assert!(matches!(refusal, Refusal::ConnectError(_)));
    assert_eq!(refusal.code(), ErrorCode::Denied);
    assert_eq!(refusal.message(), "Your account is gone.");
}

#[tokio::test]
async fn a_client_connects_to_a_namespace_with_a_header_or_a_query() {
    let issuer = TestIssuer::new();
    let sources = [TokenSource::bearer(), TokenSource::query("access_token")];
    let middleware = without_keys::builder().token(sources).test_issuer(&issuer);
    let server = Server::start().await;
    let middleware = middleware.build().unwrap();
    server.io.ns("/chat/room", on_connect.with(middleware));
    let token = issuer.token("grace").sign();
    let connect =
        || TestClient::connect(format!("http://{}", server.address())).namespace("/chat/room");

    for connecting in [
        connect().header("Authorization", format!("Bearer {token}")),
        connect().query(format!("access_token={token}")),
    ] {
        let mut client = connecting.await.unwrap();
        let ready = client.next_event("ready").await.unwrap();
        assert_eq!(ready, json!([client.id(), "Grace"]));
    }
    let refusal = connect().token(token).await.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::TokenMissing);
}

#[tokio::test]
async fn a_client_logs_in_again_emits_and_is_disconnected() {
    let (server, issuer) = server("/").await;
    let connecting = TestClient::connect(server.address()).token(token(&issuer, "ada"));
    let mut client = connecting.await.unwrap();
    client.next_event("ready").await.unwrap();

    let data = json!({ "list": [1, 2.5, null], "text": "a,b/c" });
    let answer = client.emit_with_ack("echo", &data).await.unwrap();
    assert_eq!(answer, json!([data]));

    let renewal = json!({ "token": token(&issuer, "ada") });
    let answer = client.emit_with_ack("authenticate", renewal).await.unwrap();
    assert!(answer[0]["expires_in"].is_number(), "{answer}");

    let forged = issuer.token("ada").forged().sign();
    let answer = client.emit_with_ack("authenticate", forged).await.unwrap();
    assert_eq!(
        answer,
        json!([{ "error": refusal("token_signature_invalid") }])
    );

    client.emit("leave", ()).await.unwrap();
    client.disconnected().await.unwrap();
    assert_eq!(client.next_event("bye").await.unwrap(), json!([1, 2]));
}

#[tokio::test]
async fn a_server_that_disconnects_everybody_disconnects_the_client() {
    let (server, issuer) = server("/").await;
    let connecting = TestClient::connect(server.address()).token(token(&issuer, "ada"));
    let mut client = connecting.await.unwrap();
    client.next_event("ready").await.unwrap();
    SocketIo::disconnect(&server.io).await.unwrap();
    client.disconnected().await.unwrap();
}

#[test]
fn extractors_for_tests_hold_what_they_are_given() {
    let user = AuthUser::for_test(find_user("ada").unwrap());
    assert_eq!(user.name, "Ada");
    assert_eq!(user.expires_at(), None);
    assert_eq!(user.clone().into_arc().name, "Ada");

    let admin = AuthUser::<_, Admin>::for_test_with_policy(find_user("ada").unwrap());
    assert_eq!(admin.unwrap().name, "Ada");
    let grace = AuthUser::<_, Admin>::for_test_with_policy(find_user("grace").unwrap());
    assert_eq!(grace.unwrap_err().code(), ErrorCode::Forbidden);

    assert!(MaybeAuthUser::for_test(find_user("ada").unwrap()).logged_in());
    assert!(!MaybeAuthUser::<User>(None).logged_in());
    let sub = "ada".to_owned();
    assert_eq!(AuthClaims::for_test(Claims { sub }).sub, "ada");
}

#[tokio::test]
async fn a_handler_without_a_socket_is_called_as_a_function() {
    async fn rename(user: AuthUser<User>, Data(name): Data<String>) -> Result<String, AuthError> {
        if !user.admin {
            return Err(ErrorCode::Forbidden.into());
        }
        Ok(format!("{} is {name} now", user.name))
    }

    let ada = AuthUser::for_test(find_user("ada").unwrap());
    assert_eq!(
        rename(ada, Data("Lady".to_owned())).await.unwrap(),
        "Ada is Lady now"
    );
    let grace = AuthUser::for_test(find_user("grace").unwrap());
    let refusal = rename(grace, Data("Lady".to_owned())).await.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::Forbidden);
}
