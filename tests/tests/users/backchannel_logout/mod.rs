//! Logouts that an identity provider sends.

mod configuration;
mod keys;
mod mutations;
mod replays;
mod requests;
mod tokens;

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicU64, Ordering},
};

use axum::Router;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use socketioxide::SocketIo;
use socketioxide_jwt_auth::{JwtAuthBuilder, UserLookup, axum::backchannel_logout, jwt_auth};
use socketioxide_jwt_auth_tests::{Claims, SECRET, User, find_user, seconds_from_now, sign};
use tokio::{net::TcpListener, task::JoinHandle};

pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const CLIENT: &str = "web";
pub(crate) const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[jwt_auth(secret = SECRET, issuer = ISSUER, audience = CLIENT)]
pub(crate) async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// A server with the route of a back-channel logout.
pub(crate) struct Endpoint {
    url: String,
    client: Client,
    task: JoinHandle<()>,
}

/// What the route answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Endpoint {
    pub(crate) async fn start<L: UserLookup>(builder: JwtAuthBuilder<L>) -> Self {
        let (layer, io) = SocketIo::new_layer();
        let route = backchannel_logout(&builder.build().unwrap(), io).unwrap();
        let router = Router::new().route("/logout", route).layer(layer);

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/logout", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            client: Client::new(),
            task,
        }
    }

    pub(crate) fn address(&self) -> &str {
        self.url["http://".len()..].split('/').next().unwrap()
    }

    pub(crate) fn request(&self, token: &str) -> RequestBuilder {
        self.client
            .post(&self.url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("logout_token={token}"))
    }

    /// Sends a logout token, and returns the status.
    pub(crate) async fn send(&self, token: &str) -> u16 {
        ask(self.request(token)).await.status
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Sends a request, and asserts what every answer has.
pub(crate) async fn ask(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let status = response.status();
    let headers = response.headers().clone();
    assert_eq!(headers["cache-control"], "no-store", "{status}");
    let body = response.text().await.unwrap();

    if status == StatusCode::OK {
        assert_eq!(body, "");
    } else {
        assert_eq!(headers["content-type"], "application/json");
        let error: Value = serde_json::from_str(&body).unwrap();
        assert!(error["error"].is_string(), "{body}");
        assert!(error["error_description"].is_string(), "{body}");
    }
    Answer {
        status: status.as_u16(),
        body,
    }
}

/// The answer to a request that is refused, whatever is wrong with it.
pub(crate) fn refused() -> Answer {
    Answer {
        status: 400,
        body: r#"{"error":"invalid_request","error_description":"The logout token is not valid."}"#
            .to_owned(),
    }
}

/// The claims of a good logout token, whose `jti` is new.
pub(crate) fn claims() -> Value {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    json!({
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": seconds_from_now(0),
        "exp": seconds_from_now(120),
        "jti": NUMBER.fetch_add(1, Ordering::Relaxed).to_string(),
        "events": { EVENT: {} },
        "sub": "ada",
        "sid": "session",
    })
}

/// The claims of a good logout token, of which some are replaced; those that become `null` are
/// left out.
pub(crate) fn claims_with(changes: Value) -> Value {
    let mut claims = claims();
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

/// Signs claims as the issuer does.
pub(crate) fn logout_token(claims: &Value) -> String {
    signed(r#"{"alg":"HS256","typ":"logout+jwt"}"#, &claims.to_string())
}

/// Signs exactly this header and this payload.
pub(crate) fn signed(header: &str, payload: &str) -> String {
    let [header, payload] = [header, payload].map(|part| URL_SAFE_NO_PAD.encode(part));
    sign(&header, &payload, SECRET)
}
