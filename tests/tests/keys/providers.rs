//! The attributes of the guide page on providers (`docs/providers.md`), with tokens as the providers
//! make them.
//!
//! The attributes are those of the page, letter by letter: only secrets and environment variables
//! are replaced. Keys come from the URLs in the attributes, which lead to a server on loopback.

mod attributes;
mod web;

use jsonwebtoken::Algorithm;
use reqwest::Client;
use serde_json::{Value, json};
use socketioxide::{SocketIo, extract::SocketRef, handler::ConnectHandler};
use socketioxide_jwt_auth::MaybeAuthUser;
use socketioxide_jwt_auth_tests::{
    ClientBuilder, OTHER_SECRET, Received, SECRET, Server, issuer::SigningKey, seconds_from_now,
    signed_with_secret,
};

use attributes::{
    User, auth0, behind_a_load_balancer, better_auth, clerk, cloudflare_access, cognito, entra,
    entra_tenants, firebase, from_the_environment, keycloak, nestjs, nestjs_two_kinds,
    oidc_provider, okta, socketio_jwt_auth, supabase, supabase_legacy,
};
use web::Web;

/// Emits the id of the user, or `null` to a guest.
#[expect(clippy::needless_pass_by_value, reason = "it is a handler")]
async fn welcome(socket: SocketRef, user: MaybeAuthUser<User>) {
    let id = user.as_ref().map(|user| user.id.clone());
    socket.emit("welcome", &id).unwrap();
}

/// A server with the attribute of one provider.
struct Provider {
    server: Server,
}

impl Provider {
    /// Starts a server. `namespace` adds `/` to it, with a middleware that uses the HTTP client.
    async fn start(web: Web, namespace: impl FnOnce(&SocketIo, Client)) -> Self {
        let server = Server::start().await;
        namespace(&server.io, web.start().await);
        Self { server }
    }

    fn client(&self) -> ClientBuilder {
        self.server.client()
    }

    /// Asserts that a token, sent as `auth: { token }`, is accepted as this user's.
    async fn accepts(&self, token: &str, user: &str) {
        assert_welcome(self.client().token(token), &json!(user)).await;
    }

    /// Asserts that tokens are refused, each with its code.
    async fn refuses(&self, tokens: &[(&str, &str, String)]) {
        for (what, code, token) in tokens {
            assert_eq!(
                self.client().token(token).refusal().await,
                *code,
                "{what}: {token}"
            );
        }
    }
}

async fn assert_welcome(client: ClientBuilder, user: &Value) {
    let mut client = client.admitted().await;
    client
        .expect(Received::event("welcome", user.clone()))
        .await;
}

/// Starts a server with the attribute of a module, whose keys come from the web.
macro_rules! provider {
    ($module:ident, secret = $secret:expr) => {
        Provider::start(Web::default(), |io, _| {
            let middleware = $module::authenticate::builder()
                .secret($secret)
                .build()
                .unwrap();
            io.ns("/", welcome.with(middleware));
        })
        .await
    };
    ($module:ident, $web:expr) => {
        Provider::start($web, |io, client| {
            let middleware = $module::authenticate::builder()
                .http_client(client)
                .build()
                .unwrap();
            io.ns("/", welcome.with(middleware));
        })
        .await
    };
}

/// Returns claims with other values, or without those whose value is `null`.
fn with(claims: &Value, others: Value) -> Value {
    let mut claims = claims.clone();
    for (name, value) in others.as_object().unwrap() {
        let members = claims.as_object_mut().unwrap();
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// Returns claims with `iat` now, and `exp` in this number of seconds.
fn lasting(seconds: i64, claims: &Value) -> Value {
    let times = json!({ "iat": seconds_from_now(0), "exp": seconds_from_now(seconds) });
    with(claims, times)
}

fn rsa(kid: &str) -> SigningKey {
    SigningKey::new(Algorithm::RS256, kid)
}

fn other_rsa(kid: &str) -> SigningKey {
    SigningKey::other(Algorithm::RS256, kid)
}

#[tokio::test]
async fn from_the_environment() {
    let key = rsa("a");
    let issuer = "https://login.example.com/realms/chat";
    let keys_url = "https://login.example.com/realms/chat/keys";
    let web = Web::default()
        .discovery(issuer, keys_url)
        .keys(keys_url, &[&key]);
    // Tests share their environment, so its values are given here.
    let provider = Provider::start(web, |io, client| {
        let builder = from_the_environment::authenticate::builder()
            .oidc_issuer(issuer)
            .audience("chat-server");
        let middleware = builder.http_client(client).build().unwrap();
        io.ns("/", welcome.with(middleware));
    })
    .await;

    let header = json!({ "alg": "RS256", "typ": "JWT", "kid": "a" });
    let claims = lasting(
        300,
        &json!({ "iss": issuer, "aud": "chat-server", "sub": "ada" }),
    );
    let token = |others| key.token_with_header(&header, &with(&claims, others));
    provider.accepts(&token(json!({})), "ada").await;
    provider
        .refuses(&[
            (
                "another issuer",
                "token_issuer_invalid",
                token(json!({ "iss": "https://login.example.com/realms/other" })),
            ),
            (
                "another audience",
                "token_audience_invalid",
                token(json!({ "aud": "account" })),
            ),
        ])
        .await;
}

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

/// The page's blocks of code, without the lines that rustdoc hides.
fn blocks_of_the_page() -> Vec<String> {
    let page = include_str!("../../../docs/providers.md");
    let blocks = page
        .split("```rust\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap());
    blocks.map(visible).collect()
}

fn visible(block: &str) -> String {
    let lines = block.lines().filter(|line| !line.starts_with("# "));
    lines.map(|line| format!("{line}\n")).collect()
}

/// The modules of `attributes.rs`, by name, with the code as the page shows it.
fn modules() -> Vec<(String, String)> {
    let source = include_str!("providers/attributes.rs");
    let modules = source.split("\npub mod ").skip(1).map(|module| {
        let (name, body) = module.split_once(" {\n    use super::*;\n\n").unwrap();
        let body = body.split("\n}\n").next().unwrap();
        let lines = body.lines().map(|line| {
            let line = line.strip_prefix("    ").unwrap_or(line);
            format!("{}\n", line.strip_prefix("pub ").unwrap_or(line))
        });
        (name.to_owned(), lines.collect())
    });
    modules.collect()
}

#[test]
fn the_page_shows_the_attributes_that_are_tested_here() {
    let (_, modules): (Vec<_>, Vec<_>) = modules().into_iter().unzip();
    assert_eq!(blocks_of_the_page(), modules);
}

#[test]
fn the_table_of_the_page_names_a_test_for_each_attribute() {
    let page = include_str!("../../../docs/providers.md");
    let (_, table) = page.split_once("\n## Tests\n").unwrap();
    let (_, rows) = table.split_once("|---|---|\n").unwrap();
    let cells = rows.lines().map(|row| row.split('|').nth(2).unwrap());
    let named: Vec<_> = cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();

    let tests = include_str!("providers.rs");
    for name in &named {
        assert!(
            tests.contains(&format!("#[tokio::test]\nasync fn {name}() {{")),
            "{name}"
        );
    }
    for (module, _) in modules() {
        assert!(named.contains(&module.as_str()), "{module}");
    }
}
