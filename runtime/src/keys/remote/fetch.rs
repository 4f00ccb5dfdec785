//! Requests for a JWK Set over HTTP.

use std::{error::Error, fmt, iter, sync::Arc, time::Duration};

use headers::{Age, CacheControl, HeaderMapExt};
use http::HeaderMap;
use reqwest::{Client, Response, StatusCode, Url, redirect};
use tokio::time::timeout;

use super::{Endpoint, Fetch, Fetched, RemoteProblem};
use crate::{
    error::{ConfigError, ConfigErrorKind},
    keys::{KeySet, jwk},
};

/// The time limit of a fetch, with Discovery's two requests. A healthy issuer answers in well under
/// a second, and a client may be waiting.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(5);

/// Enough for a hundred RSA keys with their certificates; an endless answer is cut off.
pub(super) const SIZE_LIMIT: usize = 512 * 1024;

const MAX_REDIRECTS: usize = 3;

/// Some hosts refuse requests without it.
const USER_AGENT: &str = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));

/// A client whose [`Debug`](fmt::Debug) shows nothing: its default headers may hold a key of the
/// operator.
#[derive(Clone)]
pub(crate) struct HttpClient(pub(crate) Client);

impl fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HttpClient(..)")
    }
}

/// Fetches over HTTP.
pub(crate) struct HttpFetch {
    client: Client,
    endpoint: Endpoint,
}

impl HttpFetch {
    /// # Errors
    ///
    /// The client cannot be built, because the system's certificates cannot be loaded.
    pub(crate) fn new(endpoint: Endpoint, client: Option<HttpClient>) -> Result<Self, ConfigError> {
        let client = match client {
            Some(HttpClient(client)) => client,
            None => build_client(&endpoint).map_err(|error| {
                let message =
                    format!("the HTTP client cannot be built ({error}); pass one with http_client");
                ConfigError::new(ConfigErrorKind::HttpClient, message).with_source(Arc::new(error))
            })?,
        };
        Ok(Self { client, endpoint })
    }

    async fn fetch_set(&self) -> Result<Fetched, RemoteProblem> {
        let (body, lifetime) = match &self.endpoint {
            Endpoint::Jwks(url) => self.get(url).await?,
            Endpoint::Discovery(discovery) => {
                let (document, _) = self.get(&discovery.document).await?;
                self.get(&discovery.parse_document(&document)?).await?
            }
        };

        let usable = jwk::parse_fetched(&body)?;
        Ok(Fetched {
            keys: KeySet::new(usable.keys),
            left_out: usable.left_out,
            lifetime,
        })
    }

    async fn get(&self, url: &Url) -> Result<(String, Option<Duration>), RemoteProblem> {
        let request = self
            .client
            .get(url.clone())
            .header("accept", "application/json");
        let response = request.send().await.map_err(|error| describe(&error))?;

        // The application's client may follow redirects to any host.
        if !same_site(url, response.url()) {
            return Err(RemoteProblem::OtherHost);
        }
        if response.status() != StatusCode::OK {
            return Err(RemoteProblem::Status(response.status()));
        }

        let lifetime = lifetime(response.headers());
        Ok((receive_body(response).await?, lifetime))
    }
}

impl Fetch for HttpFetch {
    /// Leaves out the query and the password, which may be secret.
    fn place(&self) -> String {
        let url = self.endpoint.url();
        format!("{}{}", url.origin().ascii_serialization(), url.path())
    }

    async fn fetch(&self) -> Result<Fetched, RemoteProblem> {
        timeout(TIME_LIMIT, self.fetch_set())
            .await
            .map_err(|_| RemoteProblem::Timeout)?
    }
}

fn build_client(endpoint: &Endpoint) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .user_agent(USER_AGENT)
        .redirect(redirect::Policy::custom(follow));
    // `http://` is for this machine or a network of the operator's own, and a proxy would see and
    // could change the answer.
    let builder = if endpoint.url().scheme() == "http" {
        builder.no_proxy()
    } else {
        builder
    };
    builder.build()
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let first = attempt.previous().first().cloned();
    match first {
        Some(first)
            if attempt.previous().len() <= MAX_REDIRECTS && same_site(&first, attempt.url()) =>
        {
            attempt.follow()
        }
        _ => attempt.stop(),
    }
}

fn same_site(requested: &Url, answered: &Url) -> bool {
    requested.scheme() == answered.scheme()
        && requested.host() == answered.host()
        && requested.port_or_known_default() == answered.port_or_known_default()
}

/// Returns how long an answer is fresh ([RFC 9111
/// §4.2](https://www.rfc-editor.org/rfc/rfc9111#section-4.2)), as a private cache computes it:
/// `max-age` less the `Age` that another cache adds. `s-maxage` is for shared caches, and `Expires`
/// needs clocks that agree.
fn lifetime(headers: &HeaderMap) -> Option<Duration> {
    let cache = headers.typed_get::<CacheControl>()?;
    if cache.no_store() || cache.no_cache() {
        return Some(Duration::ZERO);
    }
    let age = headers.typed_get::<Age>().map_or(0, |age| age.as_secs());
    cache
        .max_age()
        .map(|lifetime| lifetime.saturating_sub(Duration::from_secs(age)))
}

async fn receive_body(mut response: Response) -> Result<String, RemoteProblem> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| describe(&error))? {
        if body.len() + chunk.len() > SIZE_LIMIT {
            return Err(RemoteProblem::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| RemoteProblem::NotUtf8)
}

/// Describes an error without the URL: reqwest's errors contain it, their causes do not.
fn describe(error: &reqwest::Error) -> RemoteProblem {
    let problem = if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "the answer broke off"
    } else {
        "no answer"
    };

    let causes = iter::successors(error.source(), |cause| (**cause).source());
    let causes = causes.filter(|cause| !cause.is::<reqwest::Error>());
    let parts: Vec<_> = iter::once(problem.to_owned())
        .chain(causes.map(ToString::to_string))
        .collect();

    RemoteProblem::Request(parts.join(": "))
}
