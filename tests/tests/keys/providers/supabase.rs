//! Tokens of Supabase, with its keys of today and with its legacy secret.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use socketioxide_jwt_auth_tests::{
    SECRET, issuer::SigningKey, seconds_from_now, signed_with_secret,
};

use super::{
    attributes::{supabase, supabase_legacy},
    lasting, provider,
    web::Web,
    with,
};

const PROJECT: &str = "https://abcdefghijklmnopqrst.supabase.co/auth/v1";

fn supabase_claims() -> Value {
    lasting(
        3600,
        &json!({
            "aal": "aal1",
            "amr": [{ "method": "password", "timestamp": seconds_from_now(0) }],
            "app_metadata": { "provider": "email", "providers": ["email"] },
            "aud": "authenticated",
            "email": "ada@example.com",
            "iss": PROJECT,
            "phone": "",
            "role": "authenticated",
            "session_id": "6f9619ff-8b86-4d01-b42d-00cf4fc964ff",
            "sub": "123e4567-e89b-42d3-a456-426614174000",
            "user_metadata": { "name": "Ada" },
            "is_anonymous": false,
        }),
    )
}

/// Claims of an API key, which lives for ten years.
fn supabase_api_key(role: &str) -> Value {
    let claims = json!({ "iss": "supabase", "ref": "abcdefghijklmnopqrst", "role": role });
    lasting(315_360_000, &claims)
}

#[tokio::test]
async fn supabase() {
    let key = SigningKey::new(Algorithm::ES256, "0d9f1c3a-8f3e-4f61-8c67-2d6f1a9be0aa");
    let url = format!("{PROJECT}/.well-known/jwks.json");
    let provider = provider!(supabase, Web::default().keys(&url, &[&key]));

    let header =
        json!({ "alg": "ES256", "kid": "0d9f1c3a-8f3e-4f61-8c67-2d6f1a9be0aa", "typ": "JWT" });
    let token = |others| key.token_with_header(&header, &with(&supabase_claims(), others));
    let user = "123e4567-e89b-42d3-a456-426614174000";
    provider.accepts(&token(json!({})), user).await;

    let legacy = json!({ "alg": "HS256", "typ": "JWT" });
    provider
        .refuses(&[
            (
                "another project",
                "token_issuer_invalid",
                token(json!({ "iss": "https://zzzzzzzzzzzzzzzzzzzz.supabase.co/auth/v1" })),
            ),
            (
                "another audience",
                "token_audience_invalid",
                token(json!({ "aud": "anon" })),
            ),
            (
                "a token with the legacy secret",
                "token_algorithm_not_allowed",
                signed_with_secret(&legacy, &supabase_claims(), SECRET),
            ),
            (
                "the API key `anon`",
                "token_algorithm_not_allowed",
                signed_with_secret(&legacy, &supabase_api_key("anon"), SECRET),
            ),
        ])
        .await;
}

#[tokio::test]
async fn supabase_legacy() {
    let provider = provider!(supabase_legacy, secret = SECRET);
    let header = json!({ "alg": "HS256", "kid": "bT9x0Qd1", "typ": "JWT" });
    let token = |others| signed_with_secret(&header, &with(&supabase_claims(), others), SECRET);
    let user = "123e4567-e89b-42d3-a456-426614174000";
    provider.accepts(&token(json!({})), user).await;

    let api_key = |role| {
        let header = json!({ "alg": "HS256", "typ": "JWT" });
        signed_with_secret(&header, &supabase_api_key(role), SECRET)
    };
    provider
        .refuses(&[
            ("the API key `anon`", "token_claim_missing", api_key("anon")),
            (
                "the API key `service_role`",
                "token_claim_missing",
                api_key("service_role"),
            ),
            (
                "another project",
                "token_issuer_invalid",
                token(json!({ "iss": "https://zzzzzzzzzzzzzzzzzzzz.supabase.co/auth/v1" })),
            ),
            (
                "a token after the rotation",
                "token_algorithm_not_allowed",
                SigningKey::new(Algorithm::ES256, "a").token_with_claims(&supabase_claims()),
            ),
        ])
        .await;
}
