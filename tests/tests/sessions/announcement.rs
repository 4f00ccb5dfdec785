//! The event that tells a client that it is connected.

use serde_json::{Value, json};
use socketioxide::{
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{JwtAuthBuilder, disconnect_user, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Gate, Raw, Received, Recorder, SECRET, Server, User, authenticate, find_user, now,
    renew, token, token_valid_for,
};

fn builder() -> JwtAuthBuilder<authenticate> {
    authenticate::builder()
        .guest(true)
        .authenticate_event("authenticate")
        .announce_event("authenticated")
}

async fn on_connect(_: SocketRef) {}

async fn serve(builder: JwtAuthBuilder<authenticate>) -> Server {
    let server = Server::start().await;
    server.io.ns("/", on_connect.with(builder.build().unwrap()));
    server
}

async fn connect(server: &Server, token: Option<&str>) -> Raw {
    let mut raw = server.raw().await;
    match token {
        Some(token) => raw.connect_with_token("/", token).await,
        None => raw.connect("/", "").await,
    }
    raw.expect("/", Received::Connected).await;
    raw
}

async fn announced(raw: &mut Raw) -> Value {
    match raw.next().await.1 {
        Received::Event(name, mut arguments) if name == "authenticated" => arguments.remove(0),
        other => panic!("expected the announcement, got {other:?}"),
    }
}

#[tokio::test]
async fn a_user_is_told_that_it_is_logged_in_and_until_when() {
    let server = serve(builder()).await;
    let (token, expires_at) = token_valid_for(600.0, "ada");
    let announced = announced(&mut connect(&server, Some(&token)).await).await;
    #[expect(clippy::cast_possible_truncation, reason = "only whole seconds count")]
    let whole = expires_at as i64;
    let expires_in = announced["expires_in"].as_i64().unwrap();
    assert!(
        (590..=600).contains(&expires_in),
        "{announced} at {}",
        now()
    );

    let expected = json!({ "logged_in": true, "expires_at": whole, "expires_in": expires_in });
    assert_eq!(announced, expected);
}

#[tokio::test]
async fn a_guest_is_told_that_it_is_not_logged_in() {
    let server = serve(builder()).await;
    let mut raw = connect(&server, None).await;
    let expected = json!({ "logged_in": false, "expires_at": null, "expires_in": null });
    assert_eq!(announced(&mut raw).await, expected);

    // It is told once: the acknowledgement of its login says the rest.
    renew(&mut raw, &token("ada")).await.assert_renewal();
}

#[tokio::test]
async fn a_token_without_exp_is_announced_without_its_time() {
    let server = serve(builder().required_claims([""; 0])).await;
    let token = socketioxide_jwt_auth_tests::mint(&json!({ "sub": "ada" }), SECRET);
    let expected = json!({ "logged_in": true, "expires_at": null, "expires_in": null });
    assert_eq!(
        announced(&mut connect(&server, Some(&token)).await).await,
        expected
    );
}

#[tokio::test]
async fn nothing_is_announced_unless_it_is_switched_on() {
    let server = serve(
        authenticate::builder()
            .guest(true)
            .authenticate_event("authenticate"),
    )
    .await;
    let mut raw = connect(&server, None).await;
    renew(&mut raw, &token("ada")).await.assert_renewal();
}

#[tokio::test]
async fn a_refused_client_is_told_nothing() {
    let server = serve(builder()).await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("nobody")).await;
    raw.expect("/", Received::refused("user_not_found")).await;
    raw.connect("/", "").await;
    raw.expect("/", Received::Connected).await;
    assert_eq!(announced(&mut raw).await["logged_in"], json!(false));
}

#[jwt_auth(secret = SECRET, announce_event = "authenticated", user_key = |user: &User| user.name)]
async fn known(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn the_announcement_waits_for_later_middlewares_and_a_session_that_has_ended_gets_none() {
    async fn wait(
        State(recorder): State<Recorder>,
        State(gate): State<Gate>,
    ) -> Result<(), std::convert::Infallible> {
        recorder.record("later middleware");
        gate.pass().await;
        Ok(())
    }

    let (server, mut records, gate) = Server::with_gate().await;
    server.io.ns(
        "/",
        on_connect.with(wait).with(known::middleware().unwrap()),
    );

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    assert_eq!(records.next().await, "later middleware");
    gate.open_once();
    raw.expect("/", Received::Connected).await;
    assert_eq!(announced(&mut raw).await["logged_in"], json!(true));

    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("grace")).await;
    assert_eq!(records.next().await, "later middleware");
    assert_eq!(disconnect_user(&server.io, "Grace").await.unwrap(), 1);
    gate.open_once();
    raw.expect("/", Received::Connected).await;
    raw.expect_ended("/", "session_ended").await;
}
