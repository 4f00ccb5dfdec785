//! Issuers on loopback, which sign tokens and publish their keys over HTTP.

mod hostile;
mod signing_key;

use std::{
    collections::HashMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, Uri},
};
use serde_json::{Value, json};
use socketioxide_jwt_auth::{Verifier, VerifierBuilder};
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::JoinHandle,
};

use crate::within;
pub use hostile::HostileIssuer;
pub use signing_key::SigningKey;

/// The path of the JWK Set.
pub const KEYS: &str = "/keys";

/// The path that OpenID Connect Discovery adds to the issuer.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Advances the clock of timers and caches. The wall clock, by which tokens expire, does not
/// change.
pub async fn advance_time(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Verifies a token, and returns the code of the refusal or `"accepted"`.
pub async fn outcome(verifier: &Verifier, token: &str) -> &'static str {
    match verifier.verify::<Value>(token).await {
        Ok(_) => "accepted",
        Err(error) => error.code().as_str(),
    }
}

/// Spawns [`outcome`] as a task.
pub fn spawn_verification(verifier: &Verifier, token: String) -> JoinHandle<&'static str> {
    let verifier = verifier.clone();
    tokio::spawn(async move { outcome(&verifier, &token).await })
}

/// A JWK Set.
pub fn key_set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// The response to requests for a path.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The header that a request must have.
    required_header: Option<(&'static str, &'static str)>,
}

impl Answer {
    /// A response with this status and body.
    ///
    /// # Panics
    ///
    /// If there is no such status.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        let status = StatusCode::from_u16(status).expect("there is such a status");
        Self {
            status,
            headers: HeaderMap::new(),
            body: body.into(),
            required_header: None,
        }
    }

    /// A response with status 200.
    pub fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self::new(200, body)
    }

    /// A JWK Set of these keys.
    pub fn keys(keys: &[&SigningKey]) -> Self {
        let keys: Vec<_> = keys.iter().map(|key| key.jwk()).collect();
        Self::ok(key_set(&keys))
    }

    /// A redirect to this URL.
    pub fn redirect(target: &str) -> Self {
        Self::new(302, "").header("location", target)
    }

    /// Adds a header.
    ///
    /// # Panics
    ///
    /// If its value cannot be in a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(
            name,
            HeaderValue::from_str(value).expect("the header is right"),
        );
        self
    }

    /// Answers requests without this header with 401.
    pub fn requiring_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.required_header = Some((name, value));
        self
    }

    fn to(&self, request: &HeaderMap) -> Response<Body> {
        let forbidden = self
            .required_header
            .is_some_and(|(name, value)| request.get(name).is_none_or(|sent| sent != value));
        if forbidden {
            return Self::new(401, "unauthorized").to(request);
        }
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// A request that the issuer received.
#[derive(Debug, Clone)]
pub struct ReceivedRequest {
    /// Its path and query.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
}

/// A well-behaved HTTP server, which returns the responses that the test sets and keeps the
/// requests.
pub struct Issuer {
    address: SocketAddr,
    published: Arc<Published>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Published {
    answers: Mutex<HashMap<String, Answer>>,
    asked: watch::Sender<Vec<ReceivedRequest>>,
}

impl Issuer {
    /// Starts an issuer that publishes nothing yet.
    pub async fn start() -> Self {
        Self::start_at((Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Starts an issuer that publishes these keys at [`KEYS`].
    pub async fn with_keys(keys: &[&SigningKey]) -> Self {
        let issuer = Self::start().await;
        issuer.publish(keys);
        issuer
    }

    /// Starts an issuer at an address, which a stopped one may have had.
    ///
    /// # Panics
    ///
    /// If the address is taken.
    pub async fn start_at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address)
            .await
            .expect("the address is free");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");

        let published = Arc::<Published>::default();
        let router = Router::new()
            .fallback(respond)
            .with_state(Arc::clone(&published));

        let (stop, stopped) = oneshot::channel();
        let serving = axum::serve(listener, router)
            .with_graceful_shutdown(async { stopped.await.unwrap_or_default() });
        let task = tokio::spawn(async move { serving.await.expect("the server works") });

        Self {
            address,
            published,
            stop,
            task,
        }
    }

    /// Closes every connection and stops listening.
    pub async fn stop(self) -> SocketAddr {
        self.stop.send(()).expect("the server runs");
        within("the end of the issuer", self.task)
            .await
            .expect("the server works");
        self.address
    }

    /// Returns the address on which the issuer listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the URL of a path. The URL of `""` is the issuer's name (`iss`).
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns settings of a verifier that fetches the keys of this issuer.
    pub fn verifier(&self) -> VerifierBuilder {
        Verifier::builder()
            .jwks_url(self.url(KEYS))
            .algorithms(["EdDSA", "ES256", "RS256"])
    }

    /// Sets the response for a path.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.published
            .answers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(path.to_owned(), answer);
    }

    /// Sets the keys at [`KEYS`].
    pub fn publish(&self, keys: &[&SigningKey]) {
        self.answer(KEYS, Answer::keys(keys));
    }

    /// Sets the document at [`DISCOVERY`].
    pub fn publish_discovery(&self, issuer: &str, keys_url: &str) {
        self.answer(
            DISCOVERY,
            Answer::ok(json!({ "issuer": issuer, "jwks_uri": keys_url }).to_string()),
        );
    }

    /// Returns the number of requests.
    pub fn requests(&self) -> usize {
        self.published.asked.borrow().len()
    }

    /// Returns the requests, in order.
    pub fn received_requests(&self) -> Vec<ReceivedRequest> {
        self.published.asked.borrow().clone()
    }

    /// Waits until the issuer has received this number of requests.
    ///
    /// # Panics
    ///
    /// If it does not receive them in time.
    pub async fn wait_for_requests(&self, number: usize) {
        let mut asked = self.published.asked.subscribe();
        within("requests", asked.wait_for(|asked| asked.len() >= number))
            .await
            .expect("the issuer lives");
    }
}

async fn respond(State(published): State<Arc<Published>>, request: Request) -> Response<Body> {
    let (parts, _) = request.into_parts();
    let answer = published
        .answers
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(parts.uri.path())
        .cloned();
    let response = answer
        .unwrap_or_else(|| Answer::new(404, "nothing here"))
        .to(&parts.headers);

    published.asked.send_modify(|asked| {
        asked.push(ReceivedRequest {
            uri: parts.uri,
            headers: parts.headers,
        })
    });

    response
}

impl fmt::Debug for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Issuer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
