//! Tokens of Amazon Cognito, also behind a load balancer, and tokens that no attribute can accept.

use serde_json::{Value, json};
use socketioxide_jwt_auth_tests::{
    SECRET, issuer::SigningKey, seconds_from_now, signed_with_secret,
};

use super::{
    assert_welcome,
    attributes::{behind_a_load_balancer, cognito},
    lasting, other_rsa, provider, rsa,
    web::Web,
    with,
};

const POOL: &str = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_AbCdEf123";

const APP_CLIENT: &str = "4hk2p7v9q1n5s8t3u6w0x2y4z6";

fn cognito_web(access: &SigningKey, id: &SigningKey) -> Web {
    let keys_url = format!("{POOL}/.well-known/jwks.json");
    Web::default()
        .discovery(POOL, &keys_url)
        .keys(&keys_url, &[id, access])
}

fn cognito_claims() -> Value {
    lasting(
        3600,
        &json!({
            "sub": "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
            "cognito:groups": ["admin"],
            "iss": POOL,
            "client_id": APP_CLIENT,
            "origin_jti": "11111111-bbbb-cccc-dddd-eeeeeeeeeeee",
            "event_id": "22222222-bbbb-cccc-dddd-eeeeeeeeeeee",
            "token_use": "access",
            "scope": "openid email",
            "auth_time": seconds_from_now(0),
            "jti": "33333333-bbbb-cccc-dddd-eeeeeeeeeeee",
            "username": "ada",
        }),
    )
}

#[tokio::test]
async fn cognito() {
    let (access, id) = (rsa("1234example="), other_rsa("5678example="));
    let provider = provider!(cognito, cognito_web(&access, &id));

    let header = json!({ "kid": "1234example=", "alg": "RS256" });
    let token = |others| access.token_with_header(&header, &with(&cognito_claims(), others));
    let user = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee";
    provider.accepts(&token(json!({})), user).await;

    let id_claims = json!({
        "aud": APP_CLIENT,
        "token_use": "id",
        "client_id": null,
        "scope": null,
        "username": null,
        "cognito:username": "ada",
        "email_verified": true,
    });
    let id_header = json!({ "kid": "5678example=", "alg": "RS256" });
    provider
        .refuses(&[
            (
                "an id token",
                "token_audience_invalid",
                id.token_with_header(&id_header, &with(&cognito_claims(), id_claims)),
            ),
            (
                "another use",
                "token_claims_invalid",
                token(json!({ "token_use": "id" })),
            ),
            (
                "another client of the pool",
                "token_claims_invalid",
                token(json!({ "client_id": "zzzz2p7v9q1n5s8t3u6w0x2y4z" })),
            ),
            (
                "another pool",
                "token_issuer_invalid",
                token(json!({
                    "iss": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_ZzZzZz999",
                })),
            ),
        ])
        .await;
}

#[tokio::test]
async fn behind_a_load_balancer() {
    let (access, id) = (rsa("1234example="), other_rsa("5678example="));
    let provider = provider!(behind_a_load_balancer, cognito_web(&access, &id));
    let header = json!({ "kid": "1234example=", "alg": "RS256" });
    let token = access.token_with_header(&header, &cognito_claims());

    let client = |token: &str| provider.client().header("x-amzn-oidc-accesstoken", token);
    let user = json!("aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee");
    assert_welcome(client(&token), &user).await;

    let other = with(&cognito_claims(), json!({ "client_id": "another" }));
    let other = access.token_with_header(&header, &other);
    assert_eq!(client(&other).refusal().await, "token_claims_invalid");
}

#[tokio::test]
async fn what_cannot_work() {
    let (access, id) = (rsa("1234example="), other_rsa("5678example="));
    let provider = provider!(cognito, cognito_web(&access, &id));
    let header = json!({ "kid": "1234example=", "alg": "RS256" });
    let token = access.token_with_header(&header, &cognito_claims());
    provider
        .accepts(&token, "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee")
        .await;

    // The load balancer pads each part.
    let padded: Vec<_> = token
        .split('.')
        .map(|part| format!("{part}{}", "=".repeat((4 - part.len() % 4) % 4)))
        .collect();
    assert!(padded.iter().any(|part| part.ends_with('=')));

    let encrypted_header = json!({ "alg": "dir", "enc": "A256GCM" });
    let encrypted = signed_with_secret(&encrypted_header, &json!({}), SECRET);
    let unsigned = signed_with_secret(
        &json!({ "alg": "none", "typ": "JWT" }),
        &cognito_claims(),
        SECRET,
    );
    let (unsigned, _) = unsigned.rsplit_once('.').unwrap();

    provider
        .refuses(&[
            (
                "an opaque token",
                "token_malformed",
                "ya29.a0AfH6SMBxQ".to_owned(),
            ),
            (
                "an encrypted token",
                "token_malformed",
                format!(
                    "{encrypted}.AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY"
                ),
            ),
            ("a padded token", "token_malformed", padded.join(".")),
            (
                "a token without a signature",
                "token_algorithm_not_allowed",
                format!("{unsigned}."),
            ),
        ])
        .await;
}
