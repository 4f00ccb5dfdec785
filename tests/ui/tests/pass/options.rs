//! Every option is a method of the builder, and takes constants as well as literals.

use std::sync::Arc;

use serde::Deserialize;
use socketioxide_jwt_auth::{
    AuthError, AuthEvent, Issuer, KeyRequest, KeySet, KeySource, Revocations, jwt_auth,
};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    sid: Option<String>,
}

struct User {
    id: i64,
    name: String,
}

const VARIABLE: &str = "JWT_SECRET";
const FILE: &str = "/run/secrets/jwt";
const LEEWAY: &str = "5s";
const IOS: &str = "ios";
const TYPES: [&str; 2] = ["access", "id"];
const HEADER: &str = "x-token";
const ORIGINS: [&str; 2] = ["https://app.example.com", "http://localhost:3000"];
const SECRET: &[u8] = b"a secret of thirty-two bytes or more";

#[jwt_auth(
    secret_env = "JWT_SECRET",
    secret_encoding = "base64url",
    allow_weak_secret = true,
    algorithm = "HS384",
    issuer = "https://auth.example.com",
    audience = ["chat", "mail"],
    required_claims = ["exp", "sub"],
    claim_values(
        token_use = "access",
        azp = ["web", IOS],
        type = TYPES,
        "https://example.com/role" = "admin",
        email_verified = true,
        level = [1, 2],
    ),
    token_type = "at+jwt",
    numeric_subject = true,
    leeway = "1m",
    revocations = Revocations::in_memory(),
    revocations_timeout = "1s",
    max_token_bytes = 4 * 1024,
    token_cache = 10_000,
    token = [auth("token"), bearer, authorization("JWT"), header(HEADER), query("token"), cookie("session")],
    allowed_origins = ORIGINS,
    guest = true,
    guest_timeout = "10s",
    authenticate_event = "authenticate",
    announce_event = "authenticated",
    expiry = "ignore",
    expiry_warning = "1m 30s",
    user_key = |user: &User| user.id,
    session_key = |claims: &Claims| claims.sid.clone(),
    max_session = "12h",
    recheck = "5m",
    on_event = |event: &AuthEvent| audit(event),
    lookup_timeout = "5s",
)]
async fn literals(claims: Claims) -> Option<User> {
    Some(User {
        id: 1,
        name: claims.sub,
    })
}

#[jwt_auth(
    secret = SECRET,
    algorithms = vec!["HS256"],
    leeway = LEEWAY,
    guest = cfg!(debug_assertions),
    user_key = |user| &user.name,
    session_key = |claims| &claims.sub,
)]
async fn constants(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = [VARIABLE, "OLD_JWT_SECRET"], user_key = |user: &User| -> String { user.name.clone() }, session_key = |claims| &claims.sid)]
async fn list_with_a_constant(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_file = "/run/secrets/jwt", secret_encoding = "hex")]
async fn secret_file(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(
    secret_file = [FILE, "/run/secrets/old_jwt"],
    algorithm = "HS512",
    reload_keys = "30s",
)]
async fn secret_files(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret = SECRET, session_key = |claims| claims.sid.as_deref())]
async fn borrowed_session_key(_: Claims) -> Option<User> {
    None
}

fn session_key_of(claims: &Claims) -> Option<String> {
    claims.sid.clone()
}

#[jwt_auth(secret = SECRET, session_key = session_key_of)]
async fn session_key_function(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret = SECRET, session_key = |claims: &Claims| -> Option<String> { claims.sid.clone() })]
async fn session_key_block(_: Claims) -> Option<User> {
    None
}

fn audit(event: &AuthEvent) {
    println!("{event:?}");
}

#[jwt_auth(secret = SECRET, on_event = audit)]
async fn event_function(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret = SECRET, on_event = |event| { audit(event); })]
async fn event_block(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret = SECRET, required_claims = [], allowed_origins = "HTTPS://App.Example.com:443")]
async fn no_required_claims(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(
    secret = SECRET,
    issuer_env = "JWT_ISSUER",
    audience_env = "JWT_AUDIENCE",
    token = [cookie("session")],
    allowed_origins_env = "ALLOWED_ORIGINS",
)]
async fn environment(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(public_key_env = ["JWT_PUBLIC_KEY", "OLD_JWT_PUBLIC_KEY"], algorithm = "EdDSA")]
async fn public_key_env(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(public_key_file = "public.pem", algorithm = "RS256")]
async fn public_key_file(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(public_key = "-----BEGIN PUBLIC KEY-----", algorithm = "ES256")]
async fn public_key(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(jwks_file = "jwks.json", algorithms = ["RS256", "HS256"])]
async fn jwks_file(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(jwks = r#"{"keys": []}"#, algorithms = ["RS256", "ES384"])]
async fn jwks(_: Claims) -> Option<User> {
    None
}

#[cfg(feature = "jwks")]
#[jwt_auth(
    jwks_url = "https://auth.example.com/.well-known/jwks.json",
    algorithm = "RS256"
)]
async fn jwks_url(_: Claims) -> Option<User> {
    None
}

#[cfg(feature = "jwks")]
#[jwt_auth(
    oidc_issuer = "http://keycloak:8080/realms/chat",
    allow_insecure_http = true,
    algorithm = "RS256"
)]
async fn insecure_http(_: Claims) -> Option<User> {
    None
}

#[cfg(feature = "jwks")]
#[jwt_auth(oidc_issuer = "https://auth.example.com", algorithm = "RS256")]
async fn oidc_issuer(_: Claims) -> Option<User> {
    None
}

#[cfg(feature = "jwks")]
#[jwt_auth(jwks_url_env = "JWKS_URL", algorithm = "RS256")]
async fn jwks_url_env(_: Claims) -> Option<User> {
    None
}

#[cfg(feature = "jwks")]
#[jwt_auth(oidc_issuer_env = "OIDC_ISSUER", algorithm = "RS256")]
async fn oidc_issuer_env(_: Claims) -> Option<User> {
    None
}

struct Tenants;

impl KeySource for Tenants {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        Err(AuthError::denied("unknown tenant"))
    }
}

#[cfg(feature = "jwks")]
#[jwt_auth(
    issuers = [
        Issuer::new("https://auth.example.com").oidc().algorithm("RS256"),
        Issuer::new("https://login.example.com/{tid}/v2.0").jwks_url("https://login.example.com/keys").algorithm("RS256"),
        Issuer::new("old").secret_env(VARIABLE),
    ],
    audience = "chat",
)]
async fn issuers(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(keys = Tenants, algorithm = "PS256")]
async fn keys(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(keys_at_runtime, algorithm = "HS512")]
async fn keys_at_runtime(_: Claims) -> Option<User> {
    None
}

#[test]
fn every_option_is_accepted_by_the_builder() {
    assert!(constants::middleware().is_ok());
    assert!(no_required_claims::middleware().is_ok());
    assert!(keys::middleware().is_ok());
    assert!(environment::middleware().is_err());

    let mistake = keys_at_runtime::middleware().unwrap_err().to_string();
    assert!(
        mistake.starts_with("no key to verify tokens with"),
        "{mistake}"
    );

    let built = keys_at_runtime::builder().secret("s".repeat(64)).build();
    assert!(built.is_ok());

    #[cfg(feature = "jwks")]
    {
        assert!(jwks_url::middleware().is_ok());
        assert!(insecure_http::middleware().is_ok());
        assert!(jwks_url_env::middleware().is_err());
        assert!(oidc_issuer::middleware().is_ok());
        assert!(oidc_issuer_env::middleware().is_err());
    }
    assert!(secret_file::middleware().is_err());
    assert!(secret_files::middleware().is_err());
    assert!(literals::middleware().is_err());
    assert!(
        literals::builder()
            .secret("short")
            .secret_encoding("utf8")
            .build()
            .is_ok()
    );
}
