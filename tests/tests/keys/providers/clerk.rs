//! Tokens of Clerk.

use serde_json::json;
use socketioxide_jwt_auth_tests::seconds_from_now;

use super::{attributes::clerk, lasting, provider, rsa, web::Web, with};

#[tokio::test]
async fn clerk() {
    let key = rsa("ins_2GIoQhbUpy0hX7B2cVkuTMinXoD");
    let url = "https://clerk.example.com/.well-known/jwks.json";
    let provider = provider!(clerk, Web::default().keys(url, &[&key]));

    let header = json!({
        "alg": "RS256",
        "cat": "cl_B7d4PD111AAA",
        "kid": "ins_2GIoQhbUpy0hX7B2cVkuTMinXoD",
        "typ": "JWT",
    });
    let claims = lasting(
        60,
        &json!({
            "azp": "https://app.example.com",
            "fva": [7, -1],
            "iss": "https://clerk.example.com",
            "jti": "4f2c1b7f52e84f39b0a2",
            "nbf": seconds_from_now(-10),
            "sid": "sess_2GbDB4enNdCa5vS1zpC3Xzg9tK9",
            "sts": "active",
            "sub": "user_2GIpXOEpVyJw51rkZn9Kmnc6Sxr",
            "v": 2,
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    let user = "user_2GIpXOEpVyJw51rkZn9Kmnc6Sxr";
    provider.accepts(&token(json!({})), user).await;

    provider
        .refuses(&[
            (
                "another application",
                "token_claims_invalid",
                token(json!({ "azp": "https://other.example.com" })),
            ),
            (
                "a token without an origin",
                "token_claims_invalid",
                token(json!({ "azp": null })),
            ),
            (
                "the development instance",
                "token_issuer_invalid",
                token(json!({ "iss": "https://example.clerk.accounts.dev" })),
            ),
            (
                "a token from a template with an audience",
                "token_audience_invalid",
                token(json!({ "aud": "https://api.example.com" })),
            ),
            (
                "a token without a session",
                "token_claim_missing",
                token(json!({ "sid": null })),
            ),
            (
                "a token that has expired for longer than the leeway",
                "token_expired",
                token(json!({ "exp": seconds_from_now(-30) })),
            ),
        ])
        .await;
}
