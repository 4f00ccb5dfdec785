//! The URL of a JWK Set, and how it is found: configured, or by OpenID Connect Discovery.

use std::{net::IpAddr, str::FromStr};

use reqwest::Url;
use serde::Deserialize;

use super::RemoteProblem;
use crate::{error::ConfigError, settings::environment_variable};

/// The raw value of a builder's setting.
#[derive(Clone)]
pub(crate) enum RemoteSettings {
    JwksUrl(String),
    JwksUrlEnv(String),
    OidcIssuer(String),
    OidcIssuerEnv(String),
}

impl RemoteSettings {
    /// Returns the endpoint, and the issuer if it is known.
    ///
    /// # Errors
    ///
    /// The variable is not set, or the URL cannot be trusted. The error does not show the URL,
    /// which may hold a key of the operator.
    pub(crate) fn resolve(
        self,
        http: PlainHttp,
    ) -> Result<(Endpoint, Option<String>), ConfigError> {
        let (option, url) = match &self {
            Self::JwksUrl(url) => ("jwks_url".to_owned(), url.clone()),
            Self::OidcIssuer(issuer) => ("oidc_issuer".to_owned(), issuer.clone()),
            Self::JwksUrlEnv(variable) | Self::OidcIssuerEnv(variable) => (
                format!("the environment variable {variable}"),
                environment_variable(variable)?,
            ),
        };

        let endpoint = match self {
            Self::JwksUrl(_) | Self::JwksUrlEnv(_) => {
                parse_url(&url, http).map(|url| (Endpoint::Jwks(url), None))
            }
            Self::OidcIssuer(_) | Self::OidcIssuerEnv(_) => Discovery::new(&url, http)
                .map(|discovery| (Endpoint::Discovery(discovery), Some(url))),
        };

        endpoint.map_err(|problem| ConfigError::invalid(format!("{option} {problem}")))
    }
}

/// The hosts that keys may be fetched from without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlainHttp {
    Loopback,
    Anywhere,
}

impl PlainHttp {
    pub(crate) fn new(allow_insecure_http: bool) -> Self {
        if allow_insecure_http {
            Self::Anywhere
        } else {
            Self::Loopback
        }
    }
}

/// Where a JWK Set is published.
pub(crate) enum Endpoint {
    Jwks(Url),
    Discovery(Discovery),
}

impl Endpoint {
    /// Returns the URL of the first request.
    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Jwks(url) => url,
            Self::Discovery(discovery) => &discovery.document,
        }
    }
}

/// Finds the set by [OpenID Connect
/// Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html).
pub(crate) struct Discovery {
    issuer: String,
    pub(super) document: Url,
    http: PlainHttp,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    jwks_uri: String,
}

impl Discovery {
    fn new(issuer: &str, http: PlainHttp) -> Result<Self, RemoteProblem> {
        if issuer.contains(char::is_whitespace) {
            return Err(RemoteProblem::IssuerWithSpace);
        }

        let url = parse_url(issuer, http)?;
        if url.query().is_some() || url.fragment().is_some() {
            return Err(RemoteProblem::IssuerWithQuery);
        }

        let document = format!(
            "{}/.well-known/openid-configuration",
            issuer.trim_end_matches('/')
        );

        Ok(Self {
            issuer: issuer.to_owned(),
            document: parse_url(&document, http)?,
            http,
        })
    }

    /// Returns the URL of the set, from the issuer's document.
    pub(super) fn parse_document(&self, json: &str) -> Result<Url, RemoteProblem> {
        let found: Document =
            serde_json::from_str(json).map_err(|_| RemoteProblem::IncompleteDocument)?;
        // Discovery §4.3: otherwise one issuer could speak for another.
        if found.issuer != self.issuer {
            return Err(RemoteProblem::OtherIssuer(found.issuer));
        }

        let url = parse_url(&found.jwks_uri, self.http)
            .map_err(|problem| RemoteProblem::JwksUri(Box::new(problem)))?;
        if url.scheme() == "http" {
            self.check_plain_http(&url)?;
        }
        Ok(url)
    }

    fn check_plain_http(&self, keys: &Url) -> Result<(), RemoteProblem> {
        if self.document.scheme() != "http" {
            return Err(RemoteProblem::InsecureJwksUri);
        }
        // A remote issuer must not make this server send requests to itself.
        if is_loopback(keys) && !is_loopback(&self.document) {
            return Err(RemoteProblem::LoopbackJwksUri);
        }
        Ok(())
    }
}

/// # Errors
///
/// The string is not a URL, or an attacker on the network could exchange the keys.
fn parse_url(url: &str, http: PlainHttp) -> Result<Url, RemoteProblem> {
    let url = Url::from_str(url).map_err(RemoteProblem::NotUrl)?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if http == PlainHttp::Anywhere || is_loopback(&url) => Ok(url),
        "http" => Err(RemoteProblem::PlainHttp),
        _ => Err(RemoteProblem::OtherScheme),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::{Discovery, PlainHttp, RemoteProblem};

    /// Returns the URL of the keys that an issuer publishes at `jwks_uri`.
    fn discover(issuer: &str, jwks_uri: &str, http: PlainHttp) -> Result<String, RemoteProblem> {
        let document = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"}}"#);
        let url = Discovery::new(issuer, http)?.parse_document(&document)?;
        Ok(url.to_string())
    }

    #[test]
    fn keys_over_plain_http_need_an_issuer_over_plain_http() {
        const HTTP: &str = "http://keycloak:8080/realms/a";
        const HTTPS: &str = "https://keycloak.example/realms/a";
        const LOCAL: &str = "http://127.0.0.1:8080/realms/a";

        for (issuer, jwks_uri, accepted_with_option, accepted_without) in [
            (HTTP, "http://keycloak:8080/keys", true, false),
            (HTTP, "http://keys.internal/keys", true, false),
            (HTTP, "https://keys.example/keys", true, false),
            (HTTP, "http://127.0.0.1/keys", false, false),
            (HTTP, "http://localhost:8080/keys", false, false),
            (HTTP, "http://[::1]/keys", false, false),
            (HTTP, "ftp://keycloak:8080/keys", false, false),
            (HTTPS, "http://keycloak.example/keys", false, false),
            (HTTPS, "http://127.0.0.1/keys", false, false),
            (HTTPS, "https://keys.example/keys", true, true),
            (LOCAL, "http://localhost:8080/keys", true, true),
            (LOCAL, "http://keys.internal/keys", true, false),
        ] {
            for (http, is_accepted) in [
                (PlainHttp::Anywhere, accepted_with_option),
                (PlainHttp::Loopback, accepted_without),
            ] {
                let found = discover(issuer, jwks_uri, http);
                assert_eq!(found.is_ok(), is_accepted, "{issuer} {jwks_uri} {found:?}");
            }
        }
    }

    #[test]
    fn a_remote_issuer_cannot_point_to_this_machine() {
        let discovery = Discovery::new("https://issuer.example", PlainHttp::Loopback).unwrap();
        let document = |url| format!(r#"{{"issuer":"https://issuer.example","jwks_uri":"{url}"}}"#);
        for url in [
            "http://127.0.0.1/keys",
            "http://localhost:8080/keys",
            "http://[::1]/keys",
            "http://a.example/keys",
        ] {
            let problem = discovery.parse_document(&document(url)).unwrap_err();
            assert!(
                problem.to_string().contains("must begin with https://"),
                "{url}: {problem}"
            );
        }
        for url in [
            "https://issuer.example/keys",
            "https://keys.example/keys?v=2",
        ] {
            assert_eq!(
                discovery.parse_document(&document(url)).unwrap().as_str(),
                url
            );
        }
    }
}
