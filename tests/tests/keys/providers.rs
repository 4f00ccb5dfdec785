//! The attributes of the guide page on providers (`docs/providers.md`), with tokens as the providers
//! make them.
//!
//! The attributes are those of the page, letter by letter: only secrets and environment variables
//! are replaced. Keys come from the URLs in the attributes, which lead to a server on loopback.

mod attributes;
mod auth0;
mod clerk;
mod cloudflare_access;
mod cognito;
mod entra;
mod firebase;
mod keycloak;
mod node_servers;
mod okta;
mod page;
mod supabase;
mod web;

use jsonwebtoken::Algorithm;
use reqwest::Client;
use serde_json::{Value, json};
use socketioxide::{SocketIo, adapter::LocalAdapter, extract::SocketRef, handler::ConnectHandler};
use socketioxide_jwt_auth::{JwtAuth, LookupOn, MaybeAuthUser};
use socketioxide_jwt_auth_tests::{
    ClientBuilder, Received, Server, issuer::SigningKey, seconds_from_now,
};

use attributes::{User, from_the_environment};
use web::Web;

/// Emits the id of the user, or `null` to a guest.
#[expect(clippy::needless_pass_by_value, reason = "it is a handler")]
async fn welcome(socket: SocketRef, user: MaybeAuthUser<User>) {
    let id = user.as_ref().map(|user| user.id.clone());
    socket.emit("welcome", &id).unwrap();
}

/// Adds the namespace `/`.
fn serve<L: LookupOn<LocalAdapter>>(io: &SocketIo, middleware: JwtAuth<L>) {
    io.ns("/", welcome.with(middleware));
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
        $crate::providers::Provider::start($crate::providers::Web::default(), |io, _| {
            let middleware = $module::authenticate::builder()
                .secret($secret)
                .build()
                .unwrap();
            $crate::providers::serve(io, middleware);
        })
        .await
    };
    ($module:ident, $web:expr) => {
        $crate::providers::Provider::start($web, |io, client| {
            let middleware = $module::authenticate::builder()
                .http_client(client)
                .build()
                .unwrap();
            $crate::providers::serve(io, middleware);
        })
        .await
    };
}
use provider;

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
