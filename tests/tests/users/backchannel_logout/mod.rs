//! Logouts that an identity provider sends.

mod configuration;
mod keys;
mod mutations;
mod nodes;
mod replays;
mod requests;
mod sessions;
mod tokens;

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use axum::{Router, routing::MethodRouter};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use socketioxide::{SocketIo, SocketIoBuilder, adapter::LocalAdapter, handler::ConnectHandler};
use socketioxide_jwt_auth::{
    ConfigError, JwtAuth, JwtAuthBuilder, LookupOn, axum::backchannel_logout, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Claims, Raw, Received, SECRET, User, answer, find_user, join, mint, seconds_from_now, sign,
};
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
    io: SocketIo,
    address: SocketAddr,
    task: JoinHandle<()>,
}

/// What the route answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Endpoint {
    pub(crate) async fn start<L: LookupOn<LocalAdapter>>(builder: JwtAuthBuilder<L>) -> Self {
        Self::start_with(SocketIo::builder(), builder).await
    }

    pub(crate) async fn start_with<L: LookupOn<LocalAdapter>>(
        server: SocketIoBuilder,
        builder: JwtAuthBuilder<L>,
    ) -> Self {
        Self::with_route(server, builder, |middleware, io| {
            backchannel_logout(middleware, io)
        })
        .await
    }

    pub(crate) async fn with_route<L: LookupOn<LocalAdapter>>(
        server: SocketIoBuilder,
        builder: JwtAuthBuilder<L>,
        route: impl FnOnce(&JwtAuth<L>, SocketIo) -> Result<MethodRouter, ConfigError>,
    ) -> Self {
        let (layer, io) = server.build_layer();
        let middleware = builder.build().unwrap();
        let route = route(&middleware, io.clone()).unwrap();
        io.ns("/other", answer.with(middleware.clone()));
        io.ns("/", answer.with(middleware));
        let router = Router::new().route("/logout", route).layer(layer);

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = format!("http://{address}/logout");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self {
            url,
            client: Client::new(),
            io,
            address,
            task,
        }
    }

    /// Connects a client to a namespace with a token of these claims.
    pub(crate) async fn connect(&self, namespace: &str, claims: &Value) -> Raw {
        let mut raw = Raw::open_with(self.address, "", &[]).await;
        join(&mut raw, namespace, Some(&mint(claims, SECRET))).await;
        raw
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

/// The claims of a token that logs in, with or without a session of the issuer.
pub(crate) fn login(subject: &str, session: Option<&str>) -> Value {
    let mut claims = json!({
        "iss": ISSUER,
        "aud": CLIENT,
        "sub": subject,
        "exp": seconds_from_now(3600),
    });
    if let Some(session) = session {
        claims["sid"] = session.into();
    }
    claims
}

/// Asserts that the client was told that its session has ended, and disconnected.
pub(crate) async fn expect_ended(raw: &mut Raw, namespace: &str) {
    raw.expect_ended(namespace, "session_ended").await;
}

/// Asserts that the client was not told anything, and is logged in.
pub(crate) async fn expect_alive(raw: &mut Raw, namespace: &str, name: &str) {
    raw.emit_with_ack(namespace, 1, &json!(["whoami"])).await;
    raw.expect(namespace, Received::ack(json!(name))).await;
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
