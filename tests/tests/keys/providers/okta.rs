//! Tokens of Okta.

use serde_json::json;
use socketioxide_jwt_auth_tests::seconds_from_now;

use super::{attributes::okta, lasting, provider, rsa, web::Web, with};

#[tokio::test]
async fn okta() {
    let issuer = "https://example.okta.com/oauth2/default";
    let keys_url = "https://example.okta.com/oauth2/default/v1/keys";
    let key = rsa("ZkvelLN_seik7w4pc");
    let web = Web::default()
        .discovery(issuer, keys_url)
        .keys(keys_url, &[&key]);
    let provider = provider!(okta, web);

    let header = json!({ "kid": "ZkvelLN_seik7w4pc", "alg": "RS256" });
    let claims = lasting(
        3600,
        &json!({
            "ver": 1,
            "jti": "AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
            "iss": issuer,
            "aud": "api://default",
            "cid": "0oa8k3v1xPq7Lw2Zt5d7",
            "uid": "00ujmkLgagxeRrAg20g3",
            "scp": ["openid", "profile"],
            "auth_time": seconds_from_now(0),
            "sub": "ada@example.com",
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    provider
        .accepts(&token(json!({})), "00ujmkLgagxeRrAg20g3")
        .await;

    provider
        .refuses(&[
            (
                "an id token",
                "token_audience_invalid",
                token(json!({
                    "jti": "ID.4eAWJOCMB3SX8XewDfVR",
                    "aud": "0oa8k3v1xPq7Lw2Zt5d7",
                    "sub": "00ujmkLgagxeRrAg20g3",
                    "cid": null,
                    "uid": null,
                    "scp": null,
                })),
            ),
            (
                "the org authorization server",
                "token_issuer_invalid",
                token(json!({
                    "iss": "https://example.okta.com",
                    "aud": "https://example.okta.com",
                })),
            ),
            (
                "another client",
                "token_claims_invalid",
                token(json!({ "cid": "0oaOther1xPq7Lw2Zt5d" })),
            ),
            (
                "a token without a user",
                "token_claims_invalid",
                token(json!({ "uid": null, "sub": "0oa8k3v1xPq7Lw2Zt5d7" })),
            ),
        ])
        .await;
}
