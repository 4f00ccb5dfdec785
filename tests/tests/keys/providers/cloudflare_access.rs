//! Tokens of Cloudflare Access.

use serde_json::json;
use socketioxide_jwt_auth_tests::seconds_from_now;

use super::{
    assert_welcome, attributes::cloudflare_access, lasting, provider, rsa, web::Web, with,
};

#[tokio::test]
async fn cloudflare_access() {
    let url = "https://example.cloudflareaccess.com/cdn-cgi/access/certs";
    let key = rsa("9338abe1baf2fe492f646a73");
    let provider = provider!(cloudflare_access, Web::default().keys(url, &[&key]));

    let audience = "7c1f0e9b2d8a4356b1e0c9d8f7a6b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8";
    let header = json!({ "alg": "RS256", "kid": "9338abe1baf2fe492f646a73", "typ": "JWT" });
    let claims = lasting(
        86_400,
        &json!({
            "aud": [audience],
            "email": "ada@example.com",
            "nbf": seconds_from_now(0),
            "iss": "https://example.cloudflareaccess.com",
            "type": "app",
            "identity_nonce": "6ei69kawdKzMIAPF",
            "sub": "7335d417-61da-459d-899c-0a01c76a2f94",
            "country": "DE",
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    let client = |token: &str| provider.client().header("Cf-Access-Jwt-Assertion", token);
    assert_welcome(client(&token(json!({}))), &json!("ada@example.com")).await;

    for (what, code, others) in [
        (
            "another application",
            "token_audience_invalid",
            json!({ "aud": ["00".repeat(32)] }),
        ),
        (
            "the token of the whole organization",
            "token_claims_invalid",
            json!({ "type": "org" }),
        ),
        (
            "another team",
            "token_issuer_invalid",
            json!({ "iss": "https://other.cloudflareaccess.com" }),
        ),
        (
            "a service token",
            "token_claims_invalid",
            json!({ "email": null, "sub": "", "common_name": "e367826f93b8d71185e03fe5" }),
        ),
    ] {
        assert_eq!(client(&token(others)).refusal().await, code, "{what}");
    }
    provider
        .refuses(&[("the auth payload", "token_missing", token(json!({})))])
        .await;
}
