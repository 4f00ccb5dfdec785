//! Tokens of Firebase.

use serde_json::json;
use socketioxide_jwt_auth_tests::seconds_from_now;

use super::{attributes::firebase, lasting, other_rsa, provider, rsa, web::Web, with};

#[tokio::test]
async fn firebase() {
    let url =
        "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com";
    let key = rsa("f9d97b4cae90bcd7");
    let provider = provider!(firebase, Web::default().keys(url, &[&key]));

    let header = json!({ "alg": "RS256", "kid": "f9d97b4cae90bcd7", "typ": "JWT" });
    let claims = lasting(
        3600,
        &json!({
            "iss": "https://securetoken.google.com/chat-example",
            "aud": "chat-example",
            "auth_time": seconds_from_now(0),
            "user_id": "Xk893u23H9SH893",
            "sub": "Xk893u23H9SH893",
            "email": "ada@example.com",
            "email_verified": true,
            "firebase": { "identities": { "email": ["ada@example.com"] }, "sign_in_provider": "password" },
        }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    provider.accepts(&token(json!({})), "Xk893u23H9SH893").await;

    let account = "firebase-adminsdk@chat-example.iam.gserviceaccount.com";
    let custom = json!({
        "iss": account,
        "sub": account,
        "aud": "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
        "uid": "Xk893u23H9SH893",
    });
    let custom_header = with(&header, json!({ "kid": "0a1b2c3d" }));
    provider
        .refuses(&[
            (
                "another project",
                "token_issuer_invalid",
                token(json!({
                    "iss": "https://securetoken.google.com/other-project",
                    "aud": "other-project",
                })),
            ),
            (
                "another audience",
                "token_audience_invalid",
                token(json!({ "aud": "other-project" })),
            ),
            (
                "a session cookie",
                "token_issuer_invalid",
                token(json!({ "iss": "https://session.firebase.google.com/chat-example" })),
            ),
            (
                "a custom token",
                "token_key_unknown",
                other_rsa("0a1b2c3d").token_with_header(&custom_header, &with(&claims, custom)),
            ),
        ])
        .await;
}
