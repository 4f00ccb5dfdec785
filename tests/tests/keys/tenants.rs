//! One server for many tenants: a `KeySource` that chooses the keys by the request and the
//! namespace.

use std::sync::Arc;

use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{AuthError, JwtAuth, KeyRequest, KeySet, KeySource, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, OTHER_SECRET, Received, SECRET, Server, User, authenticate, find_user, greet, mint,
    seconds_from_now, token,
};

/// Chooses the keys by the host name of the request, and by the namespace `/tenant/…`.
struct Tenants;

impl KeySource for Tenants {
    async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        let host = request
            .parts()
            .and_then(|parts| parts.headers.get("x-tenant"))
            .and_then(|host| host.to_str().ok());
        let namespace = request
            .namespace()
            .and_then(|namespace| namespace.strip_prefix("/tenant/"));
        let secret = match host.or(namespace) {
            Some("one") => SECRET,
            Some("other") => OTHER_SECRET,
            _ => return Err(AuthError::denied("unknown tenant")),
        };

        Ok(Arc::new(
            KeySet::from_secret(secret).map_err(AuthError::internal)?,
        ))
    }
}

#[jwt_auth(keys = Tenants, algorithms = ["HS256"])]
async fn authenticate_tenant(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

fn other_token() -> String {
    mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    )
}

#[tokio::test]
async fn the_request_chooses_the_keys() {
    let server = Server::start().await;
    server
        .io
        .ns("/", greet.with(authenticate_tenant::middleware().unwrap()));

    let client = |tenant, token: &str| server.client().header("x-tenant", tenant).token(token);
    client("one", &token("ada")).admitted().await;
    client("other", &other_token()).admitted().await;
    assert_eq!(
        client("one", &other_token()).refusal().await,
        "token_signature_invalid"
    );
    assert_eq!(
        client("other", &token("ada")).refusal().await,
        "token_signature_invalid"
    );
    assert_eq!(
        client("nobody", &token("ada")).refusal().await,
        "unknown tenant"
    );
}

/// Clients 1 and 2 append their query string to the path.
#[tokio::test]
async fn the_namespace_chooses_the_keys() {
    let server = Server::start().await;
    server
        .io
        .dyn_ns(
            "/tenant/{name}",
            greet.with(authenticate_tenant::middleware().unwrap()),
        )
        .unwrap();

    let mut raw = server.raw().await;
    for (namespace, token, received) in [
        ("/tenant/one", token("ada"), Received::Connected),
        (
            "/tenant/other?token=ignored",
            other_token(),
            Received::Connected,
        ),
        (
            "/tenant/one?tenant=other",
            other_token(),
            Received::refused("token_signature_invalid"),
        ),
        (
            "/tenant/three",
            token("ada"),
            Received::refused("unknown tenant"),
        ),
    ] {
        raw.connect_with_token(namespace, &token).await;
        raw.expect(namespace, received.clone()).await;
        if received == Received::Connected {
            raw.expect(
                namespace,
                Received::event("welcome", json!({ "name": "Ada", "logged_in": true })),
            )
            .await;
        }
    }
}

/// A source that never answers must not keep its client waiting for ever.
#[tokio::test]
async fn a_key_source_that_hangs_times_out() {
    struct Silent;

    impl KeySource for Silent {
        async fn keys(&self, _: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
            std::future::pending().await
        }
    }

    let builder = authenticate::builder()
        .keys(Silent)
        .algorithms(["HS256"])
        .lookup_timeout("50ms");
    let middleware: JwtAuth<authenticate> = builder.build().unwrap();
    let server = Server::start().await;

    server.io.ns("/", greet.with(middleware));
    assert_eq!(
        server.client().token(&token("ada")).refusal().await,
        "keys_unavailable"
    );
}
