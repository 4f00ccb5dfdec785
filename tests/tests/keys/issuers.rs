//! Several issuers in one server, over real sockets.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{Issuer, JwtAuthBuilder, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, SECRET, Server, User, answer, find_user,
    issuer::{DISCOVERY, Issuer as IssuerServer, KEYS, SigningKey},
    mint, ready, refused_ack, renew, seconds_from_now,
};

const OLD: &str = "https://old.example";

#[jwt_auth(
    issuers = [Issuer::new(OLD).secret(SECRET)],
    audience = "chat",
    authenticate_event = "authenticate",
)]
async fn of_issuers(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

fn key(kid: &str) -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, kid)
}

fn other_key(kid: &str) -> SigningKey {
    SigningKey::other(Algorithm::EdDSA, kid)
}

fn claims(issuer: &str) -> Value {
    json!({ "sub": "ada", "aud": "chat", "exp": seconds_from_now(3600), "iss": issuer })
}

/// Starts an issuer that publishes this key.
async fn issuer_with(key: &SigningKey) -> (IssuerServer, String) {
    let server = IssuerServer::with_keys(&[key]).await;
    let name = server.url("");
    server.publish_discovery(&name, &server.url(KEYS));
    (server, name)
}

fn discovered(name: &str) -> Issuer {
    Issuer::new(name).oidc().algorithm("EdDSA")
}

async fn serve(
    change: impl FnOnce(JwtAuthBuilder<of_issuers>) -> JwtAuthBuilder<of_issuers>,
) -> Server {
    let server = Server::start().await;
    let middleware = change(of_issuers::builder()).build().unwrap();
    server.io.ns("/", answer.with(middleware));
    server
}

#[tokio::test]
async fn each_issuer_verifies_its_own_tokens_only() {
    // Both publish a key under the same name.
    let (a_key, b_key) = (key("1"), other_key("1"));
    let (_a_server, a) = issuer_with(&a_key).await;
    let (_b_server, b) = issuer_with(&b_key).await;
    let server = serve(|builder| {
        builder.issuers([
            discovered(&a),
            discovered(&b),
            Issuer::new(OLD).secret(SECRET),
        ])
    })
    .await;

    for (token, expected) in [
        (a_key.token_with_claims(&claims(&a)), None),
        (b_key.token_with_claims(&claims(&b)), None),
        (mint(&claims(OLD), SECRET), None),
        (
            a_key.token_with_claims(&claims(&b)),
            Some("token_signature_invalid"),
        ),
        (
            b_key.token_with_claims(&claims(&a)),
            Some("token_signature_invalid"),
        ),
        // An algorithm of one issuer is not one of another.
        (
            mint(&claims(&a), SECRET),
            Some("token_algorithm_not_allowed"),
        ),
        (
            a_key.token_with_claims(&claims(OLD)),
            Some("token_algorithm_not_allowed"),
        ),
        (
            a_key.token_with_claims(&claims("https://c.example")),
            Some("token_issuer_invalid"),
        ),
    ] {
        let client = server.client().token(&token);
        match expected {
            None => drop(client.admitted().await),
            Some(code) => assert_eq!(client.refusal().await, code),
        }
    }
}

#[tokio::test]
async fn a_key_id_of_one_issuer_in_a_token_of_another_is_unknown() {
    let (a_key, b_key) = (key("a"), other_key("b"));
    let (_a_server, a) = issuer_with(&a_key).await;
    let (_b_server, b) = issuer_with(&b_key).await;
    let server = serve(|builder| builder.issuers([discovered(&a), discovered(&b)])).await;

    for token in [
        a_key.token_with_claims(&claims(&b)),
        b_key.token_with_claims(&claims(&a)),
    ] {
        assert_eq!(
            server.client().token(&token).refusal().await,
            "token_key_unknown"
        );
    }
    server
        .client()
        .token(&a_key.token_with_claims(&claims(&a)))
        .admitted()
        .await;
}

#[tokio::test]
async fn an_unknown_issuer_causes_no_request() {
    let (a_server, a) = issuer_with(&key("a")).await;
    let server = serve(|builder| builder.issuers([discovered(&a)])).await;

    for issuer in [
        "https://evil.example",
        "",
        &format!("{a}/"),
        &a.to_uppercase(),
    ] {
        let token = key("a").token_with_claims(&claims(issuer));
        assert_eq!(
            server.client().token(&token).refusal().await,
            "token_issuer_invalid"
        );
    }

    assert_eq!(a_server.received_requests().len(), 0);
}

#[tokio::test]
async fn an_issuer_that_is_down_does_not_touch_the_others() {
    let (a_key, b_key) = (key("a"), other_key("b"));
    let (a_server, a) = issuer_with(&a_key).await;
    let (b_server, b) = issuer_with(&b_key).await;
    b_server.publish_discovery("https://another.example", &b_server.url(KEYS));
    let server = serve(|builder| builder.issuers([discovered(&a), discovered(&b)])).await;

    let of_b = b_key.token_with_claims(&claims(&b));
    assert_eq!(
        server.client().token(&of_b).refusal().await,
        "keys_unavailable"
    );
    for _ in 0..3 {
        server
            .client()
            .token(&a_key.token_with_claims(&claims(&a)))
            .admitted()
            .await;
    }
    let paths: Vec<_> = a_server
        .received_requests()
        .iter()
        .map(|request| request.uri.path().to_owned())
        .collect();
    assert_eq!(paths, [DISCOVERY, KEYS]);
}

#[tokio::test]
async fn the_common_audience_holds_for_every_issuer() {
    let server = serve(|builder| builder).await;
    let mut elsewhere = claims(OLD);

    elsewhere["aud"] = "mail".into();
    server
        .client()
        .token(&mint(&claims(OLD), SECRET))
        .admitted()
        .await;
    assert_eq!(
        server
            .client()
            .token(&mint(&elsewhere, SECRET))
            .refusal()
            .await,
        "token_audience_invalid"
    );
}

#[tokio::test]
async fn a_renewal_stays_with_issuer_and_subject() {
    let (a_key, b_key) = (key("a"), other_key("b"));
    let (_a_server, a) = issuer_with(&a_key).await;
    let (_b_server, b) = issuer_with(&b_key).await;
    let server = serve(|builder| builder.issuers([discovered(&a), discovered(&b)])).await;

    let of_a = a_key.token_with_claims(&claims(&a));
    let mut raw = ready(&server, "/", Some(&of_a)).await;
    let same_subject_elsewhere = b_key.token_with_claims(&claims(&b));
    assert_eq!(
        renew(&mut raw, &same_subject_elsewhere).await,
        refused_ack("subject_mismatch")
    );
    renew(&mut raw, &of_a).await.assert_renewal();
}
