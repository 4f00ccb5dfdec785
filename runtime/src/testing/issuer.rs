//! An issuer of tokens for tests, and the builder methods that trust it.

use std::{fmt, sync::Arc};

use serde::Serialize;
use serde_json::json;

use super::{TestToken, signing_key::SigningKey};
use crate::{
    Algorithm, JwtAuthBuilder, UserLookup, VerifierBuilder,
    keys::FixedKeys,
    verify::{KeyChoice, VerifierSettings},
};

/// Issues tokens for tests, signed with a key of its own that is made at run time.
///
/// A middleware or a verifier accepts its tokens only if its builder was given the issuer:
/// [`JwtAuthBuilder::test_issuer`](crate::JwtAuthBuilder::test_issuer) and
/// [`VerifierBuilder::test_issuer`](crate::VerifierBuilder::test_issuer). The keys of two issuers
/// differ, also in the next run. Clones share the key.
///
/// ```
/// use socketioxide_jwt_auth::{Verifier, testing::TestIssuer};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let issuer = TestIssuer::new();
/// let verifier = Verifier::builder().test_issuer(&issuer).audience("chat").build()?;
///
/// let token = issuer.token("1").audience("chat").claim("role", "admin").sign();
/// let claims = verifier.verify::<serde_json::Value>(&token).await?.claims;
/// assert_eq!(claims["role"], "admin");
///
/// let token = issuer.token("1").audience("chat").forged().sign();
/// let error = verifier.verify::<serde_json::Value>(&token).await.unwrap_err();
/// assert_eq!(error.code(), "token_signature_invalid");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TestIssuer(Arc<SigningKey>);

impl TestIssuer {
    /// Makes an issuer that signs with HS256 and a random secret.
    ///
    /// # Panics
    ///
    /// If the system has no random numbers.
    #[expect(
        clippy::new_without_default,
        reason = "two issuers are never equal, so there is no default one"
    )]
    pub fn new() -> Self {
        Self::with(Algorithm::HS256)
    }

    /// Makes an issuer that signs with this algorithm and a random key.
    ///
    /// An RSA key takes some tenths of a second in a debug build, so tests may share an issuer in a
    /// `LazyLock`.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{Algorithm, testing::TestIssuer};
    ///
    /// let issuer = TestIssuer::with(Algorithm::ES256);
    /// assert_eq!(issuer.algorithm(), Algorithm::ES256);
    /// ```
    ///
    /// # Panics
    ///
    /// If the system has no random numbers.
    pub fn with(algorithm: Algorithm) -> Self {
        Self(Arc::new(SigningKey::generate(algorithm)))
    }

    /// Returns the algorithm that the issuer signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    /// Begins a token for a subject, which is usually a string. It has the claims `sub`, `iat`,
    /// `exp` (in an hour) and a random `jti`.
    ///
    /// # Panics
    ///
    /// If the subject cannot be written as JSON.
    pub fn token(&self, subject: impl Serialize) -> TestToken {
        TestToken::new(self.clone(), subject)
    }

    /// Returns the key that verifies the tokens as a JWK Set: to serve it over HTTP, or for
    /// [`Issuer::jwks`](crate::Issuer::jwks) if there are several issuers. With an HMAC it holds the
    /// secret.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{Issuer, Verifier, testing::TestIssuer};
    ///
    /// let [ours, theirs] = [TestIssuer::new(), TestIssuer::new()];
    /// let verifier = Verifier::builder()
    ///     .issuers([
    ///         Issuer::new("https://login.example.com").jwks(ours.jwks()).algorithm("HS256"),
    ///         Issuer::new("https://partner.example.org").jwks(theirs.jwks()).algorithm("HS256"),
    ///     ])
    ///     .build()?;
    /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
    /// ```
    pub fn jwks(&self) -> String {
        json!({ "keys": [self.0.verification_jwk()] }).to_string()
    }

    pub(super) fn key(&self) -> &SigningKey {
        &self.0
    }

    /// Replaces the keys of a verifier, or those of each issuer in its list.
    fn replace_keys(&self, settings: &mut VerifierSettings) {
        if let Some(KeyChoice::ByIssuer(issuers)) = &mut settings.keys {
            for issuer in issuers {
                self.replace_keys(&mut issuer.settings);
            }
            return;
        }
        settings.keys = Some(FixedKeys::Jwks(self.jwks()).into());
        settings.reload_keys = None;
        settings.algorithms = Some(vec![self.algorithm().as_str().to_owned()]);
    }
}

impl fmt::Debug for TestIssuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TestIssuer")
            .field("algorithm", &self.algorithm())
            .finish_non_exhaustive()
    }
}

/// For tests.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl VerifierBuilder {
    /// Replaces the keys and the `algorithms` by those of a [`TestIssuer`]. Every other setting
    /// stays, so a token needs the `iss` and the `aud` that the application demands.
    ///
    /// In a list of [`issuers`](Self::issuers) it replaces the keys of each. An accepted issuer that
    /// came from `oidc_issuer` goes with its keys; call [`issuer`](Self::issuer) to demand one.
    pub fn test_issuer(mut self, issuer: &TestIssuer) -> Self {
        issuer.replace_keys(&mut self.settings);
        self
    }
}

/// For tests.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl<L: UserLookup> JwtAuthBuilder<L> {
    /// Replaces the keys and the `algorithms` of the attribute by those of a [`TestIssuer`]. Every
    /// other setting stays, so a token needs the `iss` and the `aud` that the application demands.
    ///
    /// In a list of [`issuers`](Self::issuers) it replaces the keys of each. An accepted issuer that
    /// came from `oidc_issuer` goes with its keys; call [`issuer`](Self::issuer) to demand one.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{jwt_auth, testing::TestIssuer};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String }
    ///
    /// #[jwt_auth(secret_env = "JWT_SECRET")]
    /// async fn authenticate(claims: Claims) -> Option<String> {
    ///     Some(claims.sub)
    /// }
    ///
    /// // `JWT_SECRET` need not be set.
    /// let issuer = TestIssuer::new();
    /// let middleware = authenticate::builder().test_issuer(&issuer).build()?;
    /// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
    /// ```
    pub fn test_issuer(mut self, issuer: &TestIssuer) -> Self {
        issuer.replace_keys(&mut self.verifier);
        self
    }
}

#[cfg(test)]
mod tests;
