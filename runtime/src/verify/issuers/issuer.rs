//! One issuer of several.

use super::{
    super::{
        claims::ClaimValues,
        rules::TokenRules,
        settings::{KeyChoice, VerifierSettings},
    },
    IssuerName,
};
use crate::{error::ConfigError, keys::KeySettings, settings::StringList};

/// One of several issuers whose tokens a server accepts, with its keys and rules: for
/// [`JwtAuthBuilder::issuers`](crate::JwtAuthBuilder::issuers), the option `issuers` of the
/// attribute, and [`VerifierBuilder::issuers`](crate::VerifierBuilder::issuers).
///
/// It has every setting of a [`VerifierBuilder`](crate::VerifierBuilder) that is about keys or
/// claims. Settings that it does not have come from the builder. Only `claim_values` of both add up:
/// those of the issuer replace the builder's for the same claim.
///
/// Each issuer has its own keys and its own cache of them: a key of one issuer never verifies a
/// token of another, even if both use the same key id.
///
/// ```
/// use socketioxide_jwt_auth::{Issuer, Verifier};
///
/// let verifier = Verifier::builder()
///     .issuers([
///         Issuer::new("https://auth.example.com").secret("a secret of thirty-two bytes or more"),
///         // Tokens of the old server, until they have expired.
///         Issuer::new("old").secret("another secret of thirty-two bytes or more").algorithm("HS256"),
///     ])
///     .audience("chat")
///     .build()?;
/// # drop(verifier);
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "an issuer does nothing until it is given to `issuers`"]
pub struct Issuer {
    name: String,
    pub(crate) settings: VerifierSettings,
}

impl Issuer {
    /// Makes an issuer with this name, which is exactly the `iss` of its tokens: a slash at the end
    /// matters.
    ///
    /// `{tid}` in the name stands for the claim `tid` of the token: the claim is then required, and
    /// must be equal to that part of `iss`. Microsoft Entra ID needs it, because its tenants share
    /// their keys: `"https://login.microsoftonline.com/{tid}/v2.0"`. Every tenant can issue such
    /// tokens, so name the accepted ones with `claim_values`.
    ///
    /// A name takes one claim, with any name. Its value may have letters, digits, `-` and `_` only.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            settings: VerifierSettings::default(),
        }
    }

    /// Finds the keys by [OpenID Connect
    /// Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html) at the URL that is
    /// the issuer's name. See [`JwtAuthBuilder::oidc_issuer`](crate::JwtAuthBuilder::oidc_issuer).
    ///
    /// ```
    /// use socketioxide_jwt_auth::Issuer;
    ///
    /// let issuer = Issuer::new("https://auth.example.com").oidc().algorithm("RS256").audience("chat");
    /// # drop(issuer);
    /// ```
    #[cfg(feature = "jwks")]
    #[cfg_attr(docsrs, doc(cfg(feature = "jwks")))]
    pub fn oidc(self) -> Self {
        let name = self.name.clone();
        self.oidc_issuer(name)
    }

    pub(super) fn has_files(&self) -> bool {
        matches!(&self.settings.keys, Some(KeyChoice::One(keys)) if keys.are_in_files())
    }

    /// Checks the settings and loads the keys. `common` are the settings that it takes if it does
    /// not have its own.
    ///
    /// # Errors
    ///
    /// Returns all mistakes as one error, which names the issuer.
    pub(super) fn check(
        mut self,
        mut common: VerifierSettings,
    ) -> Result<(IssuerName, TokenRules), ConfigError> {
        let name = IssuerName::parse(&self.name)?;
        let claim_values = ClaimValues::merge(
            self.settings.claim_values.take().unwrap_or_default(),
            common.claim_values.take().unwrap_or_default(),
        );

        // The builder's interval is for the issuers that have files.
        if !self.has_files() {
            common.reload_keys = None;
        }

        let mut settings = self.settings.or(common);
        settings.claim_values = Some(claim_values);
        let keys = match settings.keys.take() {
            Some(KeyChoice::One(keys)) => Some(keys),
            // An `Issuer` has no method that makes the other.
            _ => None,
        };
        if matches!(name, IssuerName::Template(_))
            && keys.as_ref().is_some_and(KeySettings::are_discovered)
        {
            return Err(ConfigError::contradiction(format!(
                "the issuer {name:?} has a claim in its name, so its keys cannot be found by discovery; give their URL \
                 with jwks_url"
            )));
        }
        // The claims of other issuers are compared with the template before they get here.
        settings.issuers = match &name {
            IssuerName::Exact(name) => Some(StringList::Strings(vec![name.clone()])),
            IssuerName::Template(_) => None,
        };

        match TokenRules::new(keys, settings) {
            Ok(rules) => Ok((name, rules)),
            Err(error) => Err(error.within(format_args!("the issuer {name:?}"))),
        }
    }
}
