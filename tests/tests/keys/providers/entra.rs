//! Tokens of Microsoft Entra ID, of one tenant and of several.

use serde_json::{Value, json};
use socketioxide_jwt_auth_tests::seconds_from_now;

use super::{
    attributes::{entra, entra_tenants},
    lasting, provider, rsa,
    web::Web,
    with,
};

const TENANT: &str = "0f8a5c1e-7c1b-4d2a-9a51-3b1d6f0c2e11";

const OTHER_TENANT: &str = "c64d1b7f-52e8-4f39-b0a2-6d9e8f7a1c35";

const FOREIGN_TENANT: &str = "eeeeeeee-1111-4222-8333-444444444444";

/// Claims of a v2.0 access token.
fn entra_claims() -> Value {
    lasting(
        4500,
        &json!({
            "aud": "5b7d2a90-41c3-4e0f-8d6a-92c7e1f3b048",
            "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"),
            "nbf": seconds_from_now(0),
            "aio": "AXQAi/8IAAAA",
            "azp": "d1b7fc64-0000-4f39-b0a2-6d9e8f7a1c35",
            "azpacr": "0",
            "name": "Ada",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "preferred_username": "ada@example.com",
            "rh": "I",
            "scp": "access_as_user",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "tid": TENANT,
            "uti": "fqiBqXLPj0eQa82S-IYFAA",
            "ver": "2.0",
        }),
    )
}

/// Tokens of Entra that no attribute accepts.
fn refused_by_entra(token: impl Fn(Value) -> String) -> Vec<(&'static str, &'static str, String)> {
    vec![
        (
            "an access token of v1.0",
            "token_issuer_invalid",
            token(json!({
                "iss": format!("https://sts.windows.net/{TENANT}/"),
                "aud": "api://5b7d2a90-41c3-4e0f-8d6a-92c7e1f3b048",
                "appid": "d1b7fc64-0000-4f39-b0a2-6d9e8f7a1c35",
                "azp": null,
                "ver": "1.0",
            })),
        ),
        (
            "an id token of another registration",
            "token_claim_missing",
            token(json!({
                "aud": "d1b7fc64-0000-4f39-b0a2-6d9e8f7a1c35",
                "scp": null,
                "azp": null,
            })),
        ),
        (
            "an id token of the same registration",
            "token_claim_missing",
            token(json!({ "scp": null, "azp": null })),
        ),
        (
            "a token of an application",
            "token_claim_missing",
            token(json!({ "scp": null, "roles": ["Chat.Read"] })),
        ),
        (
            "a token for Microsoft Graph",
            "token_audience_invalid",
            token(json!({ "aud": "00000003-0000-0000-c000-000000000000" })),
        ),
        (
            "the issuer of the common document",
            "token_issuer_invalid",
            token(json!({ "iss": "https://login.microsoftonline.com/{tenantid}/v2.0" })),
        ),
    ]
}

#[tokio::test]
async fn entra() {
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let keys_url = format!("https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys");
    let key = rsa("jS1Xo1OWDj_52vbwGNgvQO2VzMc");
    let web = Web::default()
        .discovery(&issuer, &keys_url)
        .keys(&keys_url, &[&key]);
    let provider = provider!(entra, web);

    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "jS1Xo1OWDj_52vbwGNgvQO2VzMc" });
    let token = |others| key.token_with_header(&header, &with(&entra_claims(), others));
    provider
        .accepts(&token(json!({})), "690222be-ff1a-4d56-abd1-7e4f7d38e474")
        .await;
    provider.refuses(&refused_by_entra(token)).await;
    provider
        .refuses(&[(
            "another tenant",
            "token_issuer_invalid",
            token(json!({
                "iss": format!("https://login.microsoftonline.com/{OTHER_TENANT}/v2.0"),
                "tid": OTHER_TENANT,
            })),
        )])
        .await;
}

#[tokio::test]
async fn entra_tenants() {
    let keys_url = "https://login.microsoftonline.com/common/discovery/v2.0/keys";
    let key = rsa("jS1Xo1OWDj_52vbwGNgvQO2VzMc");
    let provider = provider!(entra_tenants, Web::default().keys(keys_url, &[&key]));

    let header = json!({ "typ": "JWT", "alg": "RS256", "kid": "jS1Xo1OWDj_52vbwGNgvQO2VzMc" });
    let token = |others| key.token_with_header(&header, &with(&entra_claims(), others));
    let issuer = |tenant| format!("https://login.microsoftonline.com/{tenant}/v2.0");
    let oid = "690222be-ff1a-4d56-abd1-7e4f7d38e474";
    provider
        .accepts(&token(json!({})), &format!("{TENANT}/{oid}"))
        .await;
    provider
        .accepts(
            &token(json!({ "iss": issuer(OTHER_TENANT), "tid": OTHER_TENANT })),
            &format!("{OTHER_TENANT}/{oid}"),
        )
        .await;

    provider.refuses(&refused_by_entra(token)).await;
    provider
        .refuses(&[
            (
                "a tenant that is not served",
                "token_claims_invalid",
                token(json!({ "iss": issuer(FOREIGN_TENANT), "tid": FOREIGN_TENANT })),
            ),
            (
                "a tenant that names another one",
                "token_issuer_invalid",
                token(json!({ "iss": issuer(FOREIGN_TENANT) })),
            ),
        ])
        .await;
}
