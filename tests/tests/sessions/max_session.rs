//! The limit of a login, which renewals of its token do not extend.

use std::time::Duration;

use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{JwtAuthBuilder, SocketAuth};
use socketioxide_jwt_auth_tests::{
    Raw, Received, SECRET, Server, User, answer, authenticate, mint, now, ready, refused_ack,
    renew, token, unauthorized,
};

const LIMIT: Duration = Duration::from_millis(900);

fn builder() -> JwtAuthBuilder<authenticate> {
    authenticate::builder()
        .guest(true)
        .authenticate_event("authenticate")
        .max_session(LIMIT)
}

async fn serve(builder: JwtAuthBuilder<authenticate>) -> Server {
    let server = Server::start().await;
    server.io.ns("/", answer.with(builder.build().unwrap()));
    server
}

async fn expect_end(raw: &mut Raw) -> f64 {
    raw.expect("/", unauthorized("session_ended")).await;
    let at = now();
    raw.expect("/", Received::Disconnected).await;
    at
}

async fn expect_end_after_limit(raw: &mut Raw, began: f64) {
    let lasted = expect_end(raw).await - began;
    let limit = LIMIT.as_secs_f64();
    assert!((limit..limit + 3.0).contains(&lasted), "{lasted}");
}

#[tokio::test]
async fn a_login_ends_at_its_limit_however_often_it_is_renewed() {
    let server = serve(builder()).await;
    let began = now();
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    let kept = server.io.sockets().pop().unwrap();

    while now() < began + LIMIT.as_secs_f64() / 2.0 {
        tokio::task::yield_now().await;
    }

    for _ in 0..3 {
        renew(&mut raw, &token("ada")).await.assert_renewal();
    }
    expect_end_after_limit(&mut raw, began).await;
    assert!(kept.auth_user::<User>().is_none());
    assert_eq!(server.sockets_in("/"), 0);
}

#[tokio::test]
async fn a_login_ends_at_its_limit_also_if_its_token_does_not_expire_or_expiry_is_ignored() {
    let endless = mint(&json!({ "sub": "ada" }), SECRET);
    for builder in [
        builder().required_claims([""; 0]),
        builder().required_claims([""; 0]).expiry("ignore"),
    ] {
        let server = serve(builder).await;
        let began = now();
        let mut raw = ready(&server, "/", Some(&endless)).await;
        expect_end_after_limit(&mut raw, began).await;
    }
}

#[tokio::test]
async fn a_token_that_expires_before_the_limit_ends_the_session_as_expired() {
    let server = serve(builder().leeway("0s").max_session("1h")).await;
    let (short, _) = socketioxide_jwt_auth_tests::token_valid_for(0.7, "ada");
    let mut raw = ready(&server, "/", Some(&short)).await;
    raw.expect("/", unauthorized("token_expired")).await;
}

#[tokio::test]
async fn no_warning_is_sent_of_the_limit() {
    let server = serve(builder().expiry_warning("1s")).await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    expect_end(&mut raw).await;
}

#[tokio::test]
async fn the_limit_counts_from_the_login_of_a_guest_and_never_ends_a_guest() {
    let server = serve(builder()).await;
    let mut guest = ready(&server, "/", None).await;
    expect_end(&mut ready(&server, "/", Some(&token("grace"))).await).await;

    let began = now();
    renew(&mut guest, &token("ada")).await.assert_renewal();
    expect_end_after_limit(&mut guest, began).await;
}

#[tokio::test]
async fn a_renewal_after_the_limit_is_refused() {
    let server = serve(builder()).await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    expect_end(&mut raw).await;
    socketioxide_jwt_auth_tests::join(&mut raw, "/", Some(&token("ada"))).await;
    expect_end(&mut raw).await;
    assert_ne!(
        refused_ack("session_ended"),
        refused_ack("token_expired"),
        "the client must log in"
    );
}
