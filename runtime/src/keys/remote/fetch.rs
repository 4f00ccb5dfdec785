use std::{net::IpAddr, str::FromStr, time::Duration};

use headers::{CacheControl, HeaderMapExt};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::Deserialize;

use super::{Fetch, Fetched};
use crate::{
    config::{ConfigError, read_environment},
    keys::{KeySet, jwk},
};

/// A good answer comes in well under a second, and somebody waits for it.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A hundred RSA keys with their certificates fit; a hostile endless answer does not.
const SIZE_LIMIT: usize = 512 * 1024;

const MAX_REDIRECTS: usize = 3;

/// Where a JWK Set is published.
#[derive(Debug, Clone)]
pub(crate) enum Endpoint {
    Jwks(Url),
    /// [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html) says where.
    Discovery {
        issuer: String,
        document: Url,
    },
}

impl Endpoint {
    /// # Errors
    ///
    /// A text that is no URL, or one over which anybody on the way could exchange the keys.
    fn jwks(option: &str, url: &str) -> Result<Self, ConfigError> {
        read_url(url).map(Self::Jwks).map_err(|problem| ConfigError::new(format!("{option}: {url:?} {problem}")))
    }

    /// # Errors
    ///
    /// As [`Endpoint::jwks`].
    fn discovery(option: &str, issuer: &str) -> Result<Self, ConfigError> {
        let document = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let document =
            read_url(&document).map_err(|problem| ConfigError::new(format!("{option}: {issuer:?} {problem}")))?;
        Ok(Self::Discovery { issuer: issuer.to_owned(), document })
    }
}

fn read_url(text: &str) -> Result<Url, String> {
    let url = Url::from_str(text)
        .map_err(|error| format!("is not a URL ({error}); write it like https://issuer.example/keys"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        _ => Err("must begin with https:// (http:// is for loopback addresses only)".to_owned()),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What a builder was told.
#[derive(Debug, Clone)]
pub(crate) enum RemoteConfig {
    JwksUrl(String),
    JwksUrlEnv(String),
    OidcIssuer(String),
    OidcIssuerEnv(String),
}

impl RemoteConfig {
    /// The endpoint, and the issuer if it is known.
    ///
    /// # Errors
    ///
    /// A variable that is not set, or a URL that cannot be trusted.
    pub(crate) fn resolve(self) -> Result<(Endpoint, Option<String>), ConfigError> {
        match self {
            Self::JwksUrl(url) => Ok((Endpoint::jwks("jwks_url", &url)?, None)),
            Self::JwksUrlEnv(variable) => {
                let url = read_environment(&variable)?;
                Ok((Endpoint::jwks(&format!("the environment variable {variable}"), &url)?, None))
            }
            Self::OidcIssuer(issuer) => Ok((Endpoint::discovery("oidc_issuer", &issuer)?, Some(issuer))),
            Self::OidcIssuerEnv(variable) => {
                let issuer = read_environment(&variable)?;
                Ok((Endpoint::discovery(&format!("the environment variable {variable}"), &issuer)?, Some(issuer)))
            }
        }
    }
}

/// Asks over HTTP.
pub(crate) struct HttpFetch {
    client: Client,
    endpoint: Endpoint,
}

#[derive(Deserialize)]
struct DiscoveryDocument {
    issuer: String,
    jwks_uri: String,
}

impl HttpFetch {
    /// # Errors
    ///
    /// A client that cannot be built, because the system's certificates cannot be read.
    pub(crate) fn new(endpoint: Endpoint, client: Option<Client>) -> Result<Self, ConfigError> {
        let client = match client {
            Some(client) => client,
            None => Client::builder().redirect(redirect::Policy::custom(follow)).build().map_err(|error| {
                ConfigError::new(format!("the HTTP client cannot be built ({error}); pass one with http_client"))
            })?,
        };
        Ok(Self { client, endpoint })
    }

    async fn find_keys_url(&self) -> Result<Url, String> {
        match &self.endpoint {
            Endpoint::Jwks(url) => Ok(url.clone()),
            Endpoint::Discovery { issuer, document } => {
                let (body, _) = self.get(document).await?;
                let found: DiscoveryDocument =
                    serde_json::from_str(&body).map_err(|_| "the discovery document has no issuer or jwks_uri")?;
                if found.issuer != *issuer {
                    return Err(format!("the discovery document is of another issuer ({:?})", found.issuer));
                }
                read_url(&found.jwks_uri).map_err(|problem| format!("the discovery document's jwks_uri {problem}"))
            }
        }
    }

    async fn get(&self, url: &Url) -> Result<(String, Option<Duration>), String> {
        let request = self.client.get(url.clone()).header("accept", "application/json").timeout(TIME_LIMIT);
        let response = request.send().await.map_err(|error| explain(&error))?;
        // The application's own client may follow redirects to anywhere.
        if !same_site(url, response.url()) {
            return Err("the answer came from another host".to_owned());
        }
        if response.status() != StatusCode::OK {
            return Err(format!("the answer has the status {}", response.status()));
        }
        let lifetime = response.headers().typed_get::<CacheControl>().and_then(|cache| lifetime(&cache));
        Ok((read_body(response).await?, lifetime))
    }
}

impl Fetch for HttpFetch {
    async fn fetch(&self) -> Result<Fetched, String> {
        let url = self.find_keys_url().await?;
        let (body, lifetime) = self.get(&url).await?;
        Ok(Fetched { keys: KeySet::from(jwk::read_fetched(&body)?), lifetime })
    }
}

fn lifetime(cache: &CacheControl) -> Option<Duration> {
    if cache.no_store() || cache.no_cache() {
        return Some(Duration::ZERO);
    }
    cache.max_age()
}

async fn read_body(mut response: Response) -> Result<String, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if body.len() + chunk.len() > SIZE_LIMIT {
            return Err(format!("the answer is longer than {SIZE_LIMIT} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    String::from_utf8(body).map_err(|_| "the answer is not UTF-8".to_owned())
}

fn follow(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let first = attempt.previous().first().cloned();
    match first {
        Some(first) if attempt.previous().len() <= MAX_REDIRECTS && same_site(&first, attempt.url()) => {
            attempt.follow()
        }
        _ => attempt.stop(),
    }
}

fn same_site(asked: &Url, answered: &Url) -> bool {
    asked.scheme() == answered.scheme()
        && asked.host() == answered.host()
        && asked.port_or_known_default() == answered.port_or_known_default()
}

/// What went wrong, without the URL: it may hold a key of the operator's in its query.
fn explain(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the answer broke off"
    };
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{kind}{cause}")
}
