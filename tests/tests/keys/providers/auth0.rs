//! Tokens of Auth0.

use serde_json::json;

use super::{attributes::auth0, lasting, provider, rsa, web::Web, with};

#[tokio::test]
async fn auth0() {
    let issuer = "https://example.eu.auth0.com/";
    let keys_url = "https://example.eu.auth0.com/.well-known/jwks.json";
    let key = rsa("a1B2c3D4e5F6g7H8i9J0k");
    let web = Web::default()
        .discovery(issuer, keys_url)
        .keys(keys_url, &[&key]);
    let provider = provider!(auth0, web);

    let client = "Xn2vGd0qYtR4kW7mLpB9sC1eHfJ6uZaK";
    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a1B2c3D4e5F6g7H8i9J0k" });
    let claims = lasting(
        86_400,
        &json!({
            "iss": issuer,
            "sub": "auth0|507f1f77bcf86cd799439020",
            "aud": ["https://chat.example.com", "https://example.eu.auth0.com/userinfo"],
            "scope": "openid profile",
            "azp": client,
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    provider
        .accepts(&token(json!({})), "auth0|507f1f77bcf86cd799439020")
        .await;

    provider
        .refuses(&[
            (
                "an id token",
                "token_audience_invalid",
                token(json!({ "aud": client, "azp": null, "scope": null, "nonce": "n" })),
            ),
            (
                "an issuer without the slash",
                "token_issuer_invalid",
                token(json!({ "iss": "https://example.eu.auth0.com" })),
            ),
            (
                "the API of the management",
                "token_audience_invalid",
                token(json!({ "aud": "https://example.eu.auth0.com/api/v2/" })),
            ),
            (
                "a machine's client",
                "token_claims_invalid",
                token(json!({ "sub": "m2m@clients", "azp": "m2m", "gty": "client-credentials" })),
            ),
            (
                "the profile of RFC 9068",
                "token_claims_invalid",
                token(json!({ "azp": null, "client_id": client })),
            ),
        ])
        .await;
}
