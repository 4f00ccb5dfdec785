//! The server's settings: JSON whose members are named after the builder's methods.

use serde::Deserialize;
use socketioxide_jwt_auth::{ConfigError, JwtAuth, JwtAuthBuilder};

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
    algorithms: Option<Vec<String>>,
    issuer: Option<String>,
    audience: Option<String>,
    leeway: Option<String>,
    expiry_warning: Option<String>,
}

impl Config {
    /// Reads the settings from the first argument of the program.
    pub(crate) fn from_args() -> Result<Self, Box<dyn std::error::Error>> {
        let json = std::env::args().nth(1).ok_or("no settings are given")?;
        Ok(serde_json::from_str(&json)?)
    }

    pub(crate) fn middleware(&self, guest: bool) -> Result<JwtAuth<authenticate>, ConfigError> {
        Builder(authenticate::builder().guest(guest))
            .set(self.oidc_issuer.as_ref(), JwtAuthBuilder::oidc_issuer)
            .set(self.jwks_url.as_ref(), JwtAuthBuilder::jwks_url)
            .set(self.secret.as_ref(), JwtAuthBuilder::secret)
            .set(self.algorithms.as_deref(), JwtAuthBuilder::algorithms)
            .set(self.issuer.as_deref(), JwtAuthBuilder::issuer)
            .set(self.audience.as_deref(), JwtAuthBuilder::audience)
            .set(self.leeway.as_deref(), JwtAuthBuilder::leeway)
            .set(
                self.expiry_warning.as_deref(),
                JwtAuthBuilder::expiry_warning,
            )
            .0
            .build()
    }
}

struct Builder(JwtAuthBuilder<authenticate>);

impl Builder {
    /// Calls a method of the builder if there is a value for it.
    fn set<T>(
        self,
        value: Option<T>,
        method: impl FnOnce(JwtAuthBuilder<authenticate>, T) -> JwtAuthBuilder<authenticate>,
    ) -> Self {
        match value {
            Some(value) => Self(method(self.0, value)),
            None => self,
        }
    }
}
