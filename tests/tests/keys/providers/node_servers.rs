//! Tokens of servers in Node.js: Better Auth, oidc-provider, NestJS, and those of socketio-jwt-auth.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use socketioxide_jwt_auth_tests::{OTHER_SECRET, SECRET, issuer::SigningKey, signed_with_secret};

use super::{
    assert_welcome,
    attributes::{better_auth, nestjs, nestjs_two_kinds, oidc_provider, socketio_jwt_auth},
    lasting, provider, rsa,
    web::Web,
    with,
};

#[tokio::test]
async fn better_auth() {
    let key = SigningKey::new(Algorithm::EdDSA, "c5c7995d-0dc1-4fd5");
    let url = "https://app.example.com/api/auth/jwks";
    let provider = provider!(better_auth, Web::default().keys(url, &[&key]));

    let header = json!({ "alg": "EdDSA", "kid": "c5c7995d-0dc1-4fd5" });
    let claims = lasting(
        900,
        &json!({
            "id": "Dv1cW0qbzTnYx8", "name": "Ada", "email": "ada@example.com",
            "emailVerified": true, "image": null,
            "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
            "sub": "Dv1cW0qbzTnYx8",
            "iss": "https://app.example.com",
            "aud": "https://app.example.com",
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    provider.accepts(&token(json!({})), "Dv1cW0qbzTnYx8").await;

    let cache = json!({ "session": {}, "user": {}, "updatedAt": 1 });
    let cache = signed_with_secret(&json!({ "alg": "HS256" }), &lasting(300, &cache), SECRET);
    provider
        .refuses(&[
            (
                "another application",
                "token_audience_invalid",
                token(json!({ "aud": "https://other.example.com" })),
            ),
            (
                "another issuer",
                "token_issuer_invalid",
                token(json!({ "iss": "http://localhost:3000" })),
            ),
            (
                "a session token",
                "token_malformed",
                "IVNuLpzKJdZbKCZqlOZFKlMQxXyTtbR4.DLdcAmy8p9GZzpEt4Vx0CmVfMCY4XBkDg1Vjnv1zX8o"
                    .to_owned(),
            ),
            ("the cookie cache", "token_algorithm_not_allowed", cache),
        ])
        .await;
}

#[tokio::test]
async fn oidc_provider() {
    let issuer = "https://id.example.com";
    let keys_url = "https://id.example.com/jwks";
    let key = rsa("keystore-CHANGE-ME");
    let web = Web::default()
        .discovery(issuer, keys_url)
        .keys(keys_url, &[&key]);
    let provider = provider!(oidc_provider, web);

    let header = json!({ "alg": "RS256", "typ": "at+jwt", "kid": "keystore-CHANGE-ME" });
    let claims = lasting(
        3600,
        &json!({
            "jti": "6Zkk5pmJiLTZ1XqHJ3pEw",
            "sub": "ada",
            "scope": "chat",
            "client_id": "web",
            "iss": issuer,
            "aud": "https://chat.example.com",
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    provider.accepts(&token(json!({})), "ada").await;

    let of_kind =
        |kind: Value| key.token_with_header(&with(&header, json!({ "typ": kind })), &claims);
    let id = with(
        &claims,
        json!({ "aud": "web", "client_id": null, "nonce": "n" }),
    );
    let id_header = with(&header, json!({ "typ": "JWT" }));
    let id = key.token_with_header(&id_header, &id);
    // Which of its two mistakes is named does not matter.
    let code = provider.client().token(&id).refusal().await;
    assert!(
        ["token_claims_invalid", "token_audience_invalid"].contains(&code.as_str()),
        "{code}"
    );
    provider
        .refuses(&[
            (
                "an id token with this audience",
                "token_claims_invalid",
                of_kind(json!("JWT")),
            ),
            (
                "a token without a type",
                "token_claims_invalid",
                of_kind(Value::Null),
            ),
            (
                "a logout token",
                "token_claims_invalid",
                of_kind(json!("logout+jwt")),
            ),
            (
                "another resource",
                "token_audience_invalid",
                token(json!({ "aud": "https://api.example.com" })),
            ),
            (
                "an opaque token",
                "token_malformed",
                "dwHOJ8Yg3XhXfHnxGc7Cv5MjLrIc4dJpJ2Q7Ij4tQbn".to_owned(),
            ),
        ])
        .await;
}

#[tokio::test]
async fn nestjs() {
    let provider = provider!(nestjs, secret = SECRET);
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = lasting(60, &json!({ "sub": 1, "username": "ada" }));
    let token = |others| signed_with_secret(&header, &with(&claims, others), SECRET);
    provider.accepts(&token(json!({})), "1").await;

    provider
        .refuses(&[
            (
                "a refresh token with a secret of its own",
                "token_signature_invalid",
                signed_with_secret(&header, &claims, OTHER_SECRET),
            ),
            (
                "a token that never expires",
                "token_claim_missing",
                token(json!({ "exp": null })),
            ),
            (
                "a token for another server",
                "token_audience_invalid",
                token(json!({ "aud": "mail" })),
            ),
            (
                "another algorithm",
                "token_algorithm_not_allowed",
                signed_with_secret(&json!({ "alg": "HS512", "typ": "JWT" }), &claims, SECRET),
            ),
        ])
        .await;
}

#[tokio::test]
async fn nestjs_two_kinds() {
    let provider = provider!(nestjs_two_kinds, secret = SECRET);
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let claims = lasting(
        60,
        &json!({ "sub": "1", "token_type": "access", "iss": "https://api.example.com" }),
    );
    let token = |others| signed_with_secret(&header, &with(&claims, others), SECRET);
    provider.accepts(&token(json!({})), "1").await;
    let passport = provider
        .client()
        .header("Authorization", &format!("JWT {}", token(json!({}))));
    assert_welcome(passport, &json!("1")).await;

    provider
        .refuses(&[
            (
                "a refresh token",
                "token_claims_invalid",
                token(json!({ "token_type": "refresh" })),
            ),
            (
                "a token without a kind",
                "token_claims_invalid",
                token(json!({ "token_type": null })),
            ),
            (
                "another issuer",
                "token_issuer_invalid",
                token(json!({ "iss": "https://other.example.com" })),
            ),
        ])
        .await;
}

#[tokio::test]
async fn socketio_jwt_auth() {
    let provider = provider!(socketio_jwt_auth, secret = SECRET);
    let header = json!({ "typ": "JWT", "alg": "HS256" });
    let token = signed_with_secret(&header, &json!({ "sub": "ada" }), SECRET);

    let ada = json!("ada");
    let client = || provider.client();
    assert_welcome(client().query(&format!("auth_token={token}")), &ada).await;
    assert_welcome(client().header("X-Auth-Token", &token), &ada).await;
    assert_welcome(client().auth(json!({ "auth_token": token })), &ada).await;
    assert_welcome(client(), &Value::Null).await;

    for (what, code, token) in [
        (
            "another secret",
            "token_signature_invalid",
            signed_with_secret(&header, &json!({ "sub": "ada" }), OTHER_SECRET),
        ),
        (
            "a token that has expired",
            "token_expired",
            signed_with_secret(&header, &lasting(-100, &json!({ "sub": "ada" })), SECRET),
        ),
        (
            "another algorithm",
            "token_algorithm_not_allowed",
            signed_with_secret(
                &json!({ "typ": "JWT", "alg": "HS512" }),
                &json!({ "sub": "ada" }),
                SECRET,
            ),
        ),
    ] {
        let client = client().query(&format!("auth_token={token}"));
        assert_eq!(client.refusal().await, code, "{what}");
    }
}
