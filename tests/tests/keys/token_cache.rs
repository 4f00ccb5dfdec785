//! Clients that come back with a token whose signature is remembered: they must pass everything
//! else again.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{
    AuthError, KeyRequest, KeySet, KeySource, Revocation, Revocations, Verifier, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Claims, Server, User, authenticate, find_user, greet,
    issuer::{Issuer, KEYS, SigningKey, key_set, outcome},
    seconds_from_now, unauthorized,
};
use tokio::time::advance;

const PUBLIC: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../runtime/tests/fixtures/ed25519.pem"
);
const OTHER_PUBLIC: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../runtime/tests/fixtures/ed25519-other.pem"
);

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::other(Algorithm::EdDSA, "b"),
    )
}

#[jwt_auth(
    public_key_file = PUBLIC,
    algorithm = "EdDSA",
    leeway = "0s",
    token_cache = 1_000
)]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn a_token_whose_key_the_issuer_withdraws_is_refused_at_once() {
    let (old, new) = keys();
    let issuer = Issuer::with_keys(&[&old]).await;
    let builder = authenticate::builder()
        .jwks_url(issuer.url(KEYS))
        .algorithm("EdDSA")
        .token_cache(10);
    let middleware = builder.build().unwrap();
    let server = Server::start().await;
    server.io.ns("/", greet.with(middleware.clone()));
    server.io.ns("/chat", greet.with(middleware));
    let client = |namespace, token: &str| server.client().namespace(namespace).token(token);

    let token = old.token();
    for namespace in ["/", "/chat", "/"] {
        client(namespace, &token).admitted().await;
    }

    issuer.publish(&[&new]);
    client("/", &new.token()).admitted().await;
    for namespace in ["/", "/chat"] {
        assert_eq!(
            client(namespace, &token).refusal().await,
            "token_key_unknown"
        );
    }
}

/// The new key has the name of the old one.
#[tokio::test]
async fn a_token_whose_key_is_replaced_is_refused_at_once() {
    let (old, new) = (
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::other(Algorithm::EdDSA, "a"),
    );
    let issuer = Issuer::with_keys(&[&old]).await;
    let verifier = issuer.verifier().token_cache(10).build().unwrap();
    let token = old.token();
    for _ in 0..2 {
        assert_eq!(outcome(&verifier, &token).await, "accepted");
    }

    issuer.publish(&[&new]);
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &token).await, "token_signature_invalid");
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_key_is_taken_out_of_its_file_is_refused_at_once() {
    const INTERVAL: Duration = Duration::from_secs(30);
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("token-cache-keys");
    fs::copy(PUBLIC, &path).unwrap();
    let builder = Verifier::builder().public_key_file(path.to_str().unwrap());
    let verifier = builder
        .algorithm("EdDSA")
        .reload_keys(INTERVAL)
        .token_cache(10)
        .build()
        .unwrap();

    let token = keys().0.token();
    for _ in 0..2 {
        assert_eq!(outcome(&verifier, &token).await, "accepted");
        advance(INTERVAL).await;
    }

    fs::copy(OTHER_PUBLIC, &path).unwrap();
    assert_eq!(outcome(&verifier, &token).await, "token_signature_invalid");
}

#[tokio::test]
async fn a_token_that_expires_is_refused_when_it_comes_back() {
    let server = Server::start().await;
    server.io.ns("/", greet.with(log_in::middleware().unwrap()));
    let claims = json!({ "sub": "ada", "exp": seconds_from_now(4) });
    let token = keys().0.token_with_claims(&claims);

    let client = || server.client().token(&token);
    client().admitted().await;
    let mut again = client().admitted().await;
    while again.next().await != unauthorized("token_expired") {}
    assert_eq!(client().refusal().await, "token_expired");
}

#[tokio::test]
async fn a_token_that_is_revoked_is_refused_when_it_comes_back() {
    let store = Revocations::in_memory();
    let builder = log_in::builder().revocations(store.clone());
    let server = Server::start().await;
    server.io.ns("/", greet.with(builder.build().unwrap()));
    let claims = json!({
        "sub": "ada", "jti": "7", "iat": seconds_from_now(0), "exp": seconds_from_now(3600),
    });
    let token = keys().0.token_with_claims(&claims);

    let client = || server.client().token(&token);
    client().admitted().await;
    client().admitted().await;
    store.revoke(Revocation::token("7")).await.unwrap();
    assert_eq!(client().refusal().await, "token_revoked");
}

/// The keys of one tenant for each namespace.
struct Tenants {
    one: Arc<KeySet>,
    other: Arc<KeySet>,
}

impl KeySource for Tenants {
    async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        match request.namespace() {
            Some("/one") => Ok(Arc::clone(&self.one)),
            _ => Ok(Arc::clone(&self.other)),
        }
    }
}

#[tokio::test]
async fn a_token_of_one_tenant_is_no_token_of_another() {
    let (one, other) = keys();
    let set = |key: &SigningKey| {
        let keys = KeySet::from_jwks(key_set(&[key.jwk_without_kid()]));
        Arc::new(keys.unwrap())
    };
    let tenants = Tenants {
        one: set(&one),
        other: set(&other),
    };
    let builder = log_in::builder().keys(tenants);
    let middleware = builder.build().unwrap();
    let server = Server::start().await;
    server.io.ns("/one", greet.with(middleware.clone()));
    server.io.ns("/other", greet.with(middleware));

    let client = |namespace, token: &str| server.client().namespace(namespace).token(token);
    let token = one.token();
    for _ in 0..2 {
        client("/one", &token).admitted().await;
        assert_eq!(
            client("/other", &token).refusal().await,
            "token_signature_invalid"
        );
    }
    client("/other", &other.token()).admitted().await;
}

/// A client with an ECDSA token can compute a second one of it.
#[tokio::test]
async fn a_token_with_another_signature_is_verified_itself() {
    let (key, _) = keys();
    let verifier = log_in::middleware().unwrap().verifier().clone();
    let token = key.token();
    assert_eq!(outcome(&verifier, &token).await, "accepted");

    let other: Value = json!({ "sub": "grace", "exp": seconds_from_now(3600) });
    let other = key.token_with_claims(&other);
    let (message, _) = token.rsplit_once('.').unwrap();
    let (_, signature) = other.rsplit_once('.').unwrap();
    assert_eq!(
        outcome(&verifier, &format!("{message}.{signature}")).await,
        "token_signature_invalid"
    );
}
