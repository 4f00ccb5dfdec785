//! The user of an HTTP request: `HttpUser` and `HttpClaims` in routes of axum.

mod guests;
mod lookups;
mod refusals;
mod revocations;
mod token_sources;

use std::{
    future::pending,
    net::{Ipv4Addr, SocketAddr},
};

use axum::{Json, Router, extract::FromRef, routing::any};
use reqwest::{RequestBuilder, header};
use serde_json::{Value, json};
use socketioxide::extract::State;
use socketioxide_jwt_auth::{
    AuthError, JwtAuth, JwtAuthBuilder, RawToken,
    axum::{HttpClaims, HttpUser},
    jwt_auth,
    testing::TestIssuer,
};
use socketioxide_jwt_auth_tests::{Admin, Claims, Recorder, User, find_user, within};
use tokio::{net::TcpListener, task::JoinHandle};

/// The lookup of these tests. It records the subject and the token of each call.
#[jwt_auth(keys_at_runtime)]
async fn account(
    claims: Claims,
    State(recorder): State<Recorder>,
    token: RawToken,
) -> Result<Option<User>, Box<dyn std::error::Error + Send + Sync>> {
    recorder.record(format!("{} {}", claims.sub, token.as_str()));
    match claims.sub.as_str() {
        "suspended" => Err(AuthError::denied("Your account is suspended.").into()),
        "broken" => Err("the password of the database is wrong".into()),
        "panic" => panic!("with a secret"),
        "slow" => pending().await,
        subject => Ok(find_user(subject)),
    }
}

/// The state of the router.
#[derive(Clone)]
struct App {
    auth: JwtAuth<account>,
    recorder: Recorder,
}

impl FromRef<App> for JwtAuth<account> {
    fn from_ref(app: &App) -> Self {
        app.auth.clone()
    }
}

impl FromRef<App> for Recorder {
    fn from_ref(app: &App) -> Self {
        app.recorder.clone()
    }
}

async fn user(user: HttpUser<account>) -> &'static str {
    user.name
}

async fn maybe_user(user: Option<HttpUser<account>>) -> &'static str {
    user.map_or("guest", |user| user.name)
}

async fn claims(claims: HttpClaims<account>) -> String {
    claims.sub.clone()
}

async fn maybe_claims(claims: Option<HttpClaims<account>>) -> String {
    claims.map_or("guest".to_owned(), |claims| claims.sub.clone())
}

async fn admin(user: HttpUser<account, Admin>) -> &'static str {
    user.name
}

async fn several(
    first: HttpUser<account>,
    second: Option<HttpUser<account>>,
    claims: HttpClaims<account>,
    admin: Result<HttpUser<account, Admin>, AuthError>,
) -> Json<Value> {
    Json(json!([
        first.name,
        second.map(|user| user.name),
        claims.sub,
        admin.is_ok()
    ]))
}

async fn claims_first(
    first: HttpClaims<account>,
    second: Option<HttpClaims<account>>,
    user: HttpUser<account>,
    admin: Result<HttpUser<account, Admin>, AuthError>,
) -> Json<Value> {
    Json(json!([
        first.sub,
        second.map(|claims| claims.sub.clone()),
        user.name,
        admin.is_ok()
    ]))
}

fn routes() -> Router<App> {
    Router::new()
        .route("/user", any(user))
        .route("/maybe-user", any(maybe_user))
        .route("/claims", any(claims))
        .route("/maybe-claims", any(maybe_claims))
        .route("/admin", any(admin))
        .route("/several", any(several))
        .route("/claims-first", any(claims_first))
}

/// The routes that need a user, and those that do not.
const REQUIRED: [&str; 2] = ["/user", "/claims"];
const OPTIONAL: [&str; 2] = ["/maybe-user", "/maybe-claims"];

/// A server of routes on loopback, which ends when it is dropped.
struct Routes {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Routes {
    /// Starts the routes above.
    async fn start(middleware: JwtAuthBuilder<account>, recorder: Recorder) -> Self {
        let auth = middleware.build().unwrap();
        Self::serve(routes().with_state(App { auth, recorder })).await
    }

    async fn serve(router: Router) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, task }
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.request("GET", path)
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("http://{}{path}", self.address);
        client.request(method.parse().unwrap(), url)
    }
}

impl Drop for Routes {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A response: its status, its challenge and its body.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    challenge: Option<String>,
    body: String,
}

impl Answer {
    /// Returns the code of a refusal, or `good` for a response of a handler.
    fn code(&self) -> String {
        if self.status == 200 {
            return "good".to_owned();
        }
        let body: Value = serde_json::from_str(&self.body).expect("a refusal is JSON");
        body["code"].as_str().unwrap().to_owned()
    }
}

async fn answer(request: RequestBuilder) -> Answer {
    let response = within("the response", request.send()).await.unwrap();
    let challenge = response.headers().get(header::WWW_AUTHENTICATE);
    Answer {
        status: response.status().as_u16(),
        challenge: challenge.map(|value| value.to_str().unwrap().to_owned()),
        body: within("the body", response.text()).await.unwrap(),
    }
}

/// Returns the code of the response to a request.
async fn code(request: RequestBuilder) -> String {
    answer(request).await.code()
}

fn builder(issuer: &TestIssuer) -> JwtAuthBuilder<account> {
    account::builder().test_issuer(issuer)
}
