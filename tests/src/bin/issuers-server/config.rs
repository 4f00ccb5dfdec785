//! The server's settings: JSON whose members are named after the builder's methods.

use std::error::Error;

use serde::Deserialize;
use socketioxide_jwt_auth::{ConfigError, Issuer, JwtAuth, JwtAuthBuilder};

use crate::users::authenticate;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// A free port if it is missing.
    #[serde(default)]
    pub(crate) port: u16,
    oidc_issuer: Option<String>,
    jwks_url: Option<String>,
    secret: Option<String>,
    issuers: Option<Vec<IssuerConfig>>,
    algorithms: Option<Vec<String>>,
    issuer: Option<String>,
    audience: Option<OneOrMore>,
    token_type: Option<String>,
    numeric_subject: Option<bool>,
    leeway: Option<String>,
    expiry_warning: Option<String>,
    /// The URL of the Redis server that joins this server to others.
    pub(crate) redis: Option<String>,
    /// Whether the issuer may end sessions, by a request to `/backchannel-logout`.
    #[serde(default)]
    pub(crate) backchannel_logout: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn as_slice(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::More(values) => values,
        }
    }
}

/// One of several issuers, by the methods of `Issuer`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerConfig {
    name: String,
    /// Discovery, if neither `jwks_url` nor `secret` is given.
    jwks_url: Option<String>,
    secret: Option<String>,
    algorithms: Option<Vec<String>>,
    audience: Option<String>,
}

impl Config {
    /// Reads the settings from the first argument of the program.
    pub(crate) fn from_args() -> Result<Self, Box<dyn Error>> {
        let json = std::env::args().nth(1).ok_or("no settings are given")?;
        Ok(serde_json::from_str(&json)?)
    }

    pub(crate) fn middleware(&self, guest: bool) -> Result<JwtAuth<authenticate>, ConfigError> {
        let issuers = self.issuers.as_deref();
        let issuers = issuers.map(|issuers| issuers.iter().map(IssuerConfig::issuer));

        Settings(authenticate::builder().guest(guest))
            .set(self.oidc_issuer.as_ref(), JwtAuthBuilder::oidc_issuer)
            .set(self.jwks_url.as_ref(), JwtAuthBuilder::jwks_url)
            .set(self.secret.as_ref(), JwtAuthBuilder::secret)
            .set(issuers, JwtAuthBuilder::issuers)
            .set(self.algorithms.as_deref(), JwtAuthBuilder::algorithms)
            .set(self.issuer.as_deref(), JwtAuthBuilder::issuer)
            .set(
                self.audience.as_ref().map(OneOrMore::as_slice),
                JwtAuthBuilder::audience,
            )
            .set(self.token_type.as_deref(), JwtAuthBuilder::token_type)
            .set(self.numeric_subject, JwtAuthBuilder::numeric_subject)
            .set(self.leeway.as_deref(), JwtAuthBuilder::leeway)
            .set(
                self.expiry_warning.as_deref(),
                JwtAuthBuilder::expiry_warning,
            )
            .0
            .build()
    }
}

impl IssuerConfig {
    fn issuer(&self) -> Issuer {
        let issuer = Issuer::new(&self.name);
        let issuer = match (&self.jwks_url, &self.secret) {
            (None, None) => issuer.oidc(),
            _ => issuer,
        };

        Settings(issuer)
            .set(self.jwks_url.as_ref(), Issuer::jwks_url)
            .set(self.secret.as_ref(), Issuer::secret)
            .set(self.algorithms.as_deref(), Issuer::algorithms)
            .set(self.audience.as_deref(), Issuer::audience)
            .0
    }
}

/// A builder, or an issuer.
struct Settings<B>(B);

impl<B> Settings<B> {
    /// Calls a method of the builder if there is a value for it.
    fn set<T>(self, value: Option<T>, method: impl FnOnce(B, T) -> B) -> Self {
        match value {
            Some(value) => Self(method(self.0, value)),
            None => self,
        }
    }
}
