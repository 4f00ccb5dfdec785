//! The keys of logout tokens are those of the issuer's other tokens.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use socketioxide_jwt_auth::{Issuer, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Log, OTHER_SECRET, SECRET, User, find_user,
    issuer::{Issuer as KeyServer, KEYS, SigningKey, advance_time},
    mint,
};

use super::{CLIENT, Endpoint, claims, claims_with, log_in};

#[jwt_auth(keys_at_runtime)]
async fn log_in_of_any(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

fn token_of(key: &SigningKey, claims: &Value) -> String {
    key.token_with_header(
        &json!({ "alg": "EdDSA", "kid": key.jwk()["kid"], "typ": "logout+jwt" }),
        claims,
    )
}

#[tokio::test]
async fn a_rotated_key_is_fetched() {
    let (old, new) = (
        SigningKey::new(Algorithm::EdDSA, "old"),
        SigningKey::other(Algorithm::EdDSA, "new"),
    );
    let issuer = KeyServer::with_keys(&[&old]).await;
    let endpoint = Endpoint::start(
        log_in::builder()
            .jwks_url(issuer.url(KEYS))
            .algorithm("EdDSA"),
    )
    .await;
    assert_eq!(endpoint.send(&token_of(&old, &claims())).await, 200);
    let rotated = token_of(&new, &claims());
    assert_eq!(endpoint.send(&rotated).await, 400);

    issuer.publish(&[&new]);
    advance_time(Duration::from_secs(11)).await;
    assert_eq!(endpoint.send(&rotated).await, 200);
}

#[tokio::test]
async fn while_keys_cannot_be_fetched_the_answer_is_503_and_the_token_stays_usable() {
    let log = Log::capture();
    let key = SigningKey::new(Algorithm::EdDSA, "a");
    let issuer = KeyServer::with_keys(&[&key]).await;
    let url = issuer.url(KEYS);
    let address = issuer.stop().await;
    let endpoint = Endpoint::start(log_in::builder().jwks_url(url).algorithm("EdDSA")).await;
    let token = token_of(&key, &claims());
    assert_eq!(endpoint.send(&token).await, 503);
    let lines = log.lines_with("back-channel logout failed");
    assert!(
        lines[0].contains("ERROR") && lines[0].contains("keys_unavailable"),
        "{lines:?}"
    );

    let issuer = KeyServer::start_at(address).await;
    issuer.publish(&[&key]);
    advance_time(Duration::from_secs(60)).await;
    assert_eq!(endpoint.send(&token).await, 200);
}

#[tokio::test]
async fn each_of_several_issuers_signs_for_itself() {
    let (a, b) = ("https://a.example", "https://b.example");
    let endpoint = Endpoint::start(
        log_in_of_any::builder()
            .issuers([
                Issuer::new(a).secret(SECRET),
                Issuer::new(b).secret(OTHER_SECRET).audience("of b"),
            ])
            .audience(CLIENT),
    )
    .await;

    let same_id = claims()["jti"].clone();
    for (issuer, audience, secret, status) in [
        (a, CLIENT, OTHER_SECRET, 400),
        (a, "of b", SECRET, 400),
        (b, CLIENT, OTHER_SECRET, 400),
        (b, "of b", SECRET, 400),
        ("https://c.example", CLIENT, SECRET, 400),
        (a, CLIENT, SECRET, 200),
        (a, CLIENT, SECRET, 400),
        (b, "of b", OTHER_SECRET, 200),
    ] {
        let changes = json!({ "iss": issuer, "aud": audience, "jti": same_id });
        // jsonwebtoken writes the `typ` "JWT", which is not that of a logout token.
        let claims = claims_with(changes.clone());
        assert_eq!(endpoint.send(&mint(&claims, secret)).await, 400);
        let token = socketioxide_jwt_auth_tests::signed_with_secret(
            &json!({ "alg": "HS256" }),
            &claims,
            secret,
        );
        assert_eq!(endpoint.send(&token).await, status, "{changes}");
    }
}
