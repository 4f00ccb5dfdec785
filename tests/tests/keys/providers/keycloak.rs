//! Tokens of Keycloak.

use serde_json::json;
use socketioxide_jwt_auth_tests::{SECRET, signed_with_secret};

use super::{attributes::keycloak, lasting, provider, rsa, web::Web, with};

#[tokio::test]
async fn keycloak() {
    let issuer = "https://login.example.com/realms/chat";
    let keys_url = "https://login.example.com/realms/chat/protocol/openid-connect/certs";
    let key = rsa("nnniBrxL0qhG79");
    let web = Web::default()
        .discovery(issuer, keys_url)
        .keys(keys_url, &[&key]);
    let provider = provider!(keycloak, web);

    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "nnniBrxL0qhG79" });
    let claims = lasting(
        300,
        &json!({
            "jti": "onrtac:5ab1",
            "iss": issuer,
            "aud": ["chat-server", "account"],
            "sub": "9a0f6f8e-90f1-4a52-9f19-3a7f1f3a6d10",
            "typ": "Bearer",
            "azp": "chat-web",
            "sid": "f4c7c2cb-7a3f-4a3c-8a44-8e2d2a60f6b1",
            "acr": "1",
            "allowed-origins": ["https://chat.example.com"],
            "realm_access": { "roles": ["offline_access", "default-roles-chat"] },
            "resource_access": { "account": { "roles": ["manage-account"] } },
            "scope": "openid email profile",
            "email_verified": true,
            "preferred_username": "ada",
            "email": "ada@example.com",
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    let user = "9a0f6f8e-90f1-4a52-9f19-3a7f1f3a6d10";
    provider.accepts(&token(json!({})), user).await;
    provider
        .accepts(
            &token(json!({ "aud": "chat-server", "azp": "chat-ios" })),
            user,
        )
        .await;
    let at_jwt = with(&header, json!({ "typ": "at+jwt" }));
    provider
        .accepts(&key.token_with_header(&at_jwt, &claims), user)
        .await;

    let refresh = with(
        &claims,
        json!({ "typ": "Refresh", "aud": issuer, "scope": null }),
    );
    let refresh_header = json!({ "alg": "HS512", "typ": "JWT", "kid": "0f6f8e90" });
    provider
        .refuses(&[
            (
                "an access token without the mapper",
                "token_audience_invalid",
                token(json!({ "aud": "account" })),
            ),
            (
                "an access token without any audience",
                "token_claim_missing",
                token(json!({ "aud": null })),
            ),
            (
                "an id token",
                "token_audience_invalid",
                token(json!({ "typ": "ID", "aud": "chat-web", "scope": null })),
            ),
            (
                "an id token with a mapper for this audience",
                "token_claims_invalid",
                token(json!({ "typ": "ID" })),
            ),
            (
                "another client",
                "token_claims_invalid",
                token(json!({ "azp": "admin-cli" })),
            ),
            (
                "another realm",
                "token_issuer_invalid",
                token(json!({ "iss": "https://login.example.com/realms/master" })),
            ),
            (
                "another host name",
                "token_issuer_invalid",
                token(json!({ "iss": "http://keycloak:8080/realms/chat" })),
            ),
            (
                "a refresh token",
                "token_algorithm_not_allowed",
                signed_with_secret(&refresh_header, &refresh, SECRET),
            ),
        ])
        .await;
}
