//! From a token to claims: checks the signature and the registered claims, each once.
//!
//! jsonwebtoken does the cryptography. Its `decode` is not used, because it parses header and
//! claims twice and leaves the demands of the JWT best current practice ([RFC
//! 8725](https://www.rfc-editor.org/rfc/rfc8725)) to its caller.

mod builder;
mod claims;
mod header;
mod issuers;
mod known_header;
#[cfg(feature = "axum")]
mod logout_token;
mod rules;
mod segments;
mod settings;
mod token_cache;
mod unverified;

use std::{borrow::Cow, fmt, sync::Arc, time::SystemTime};

use serde::de::DeserializeOwned;

use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    keys::{self, Handshake},
    revocations::RevocationCheck,
    settings::checked,
};
pub use builder::VerifierBuilder;
use claims::ClaimRules;
pub(crate) use claims::Registered;
pub use issuers::Issuer;
use issuers::VerifierRules;
use known_header::KnownHeader;
#[cfg(feature = "axum")]
pub(crate) use logout_token::{LogoutToken, LogoutVerifier};
use segments::Segments;
pub(crate) use segments::SignedPayload;
#[cfg(feature = "testing")]
pub(crate) use settings::KeyChoice;
pub(crate) use settings::VerifierSettings;
use unverified::{CheckKind, UnverifiedToken};

/// Verifies tokens with the same checks as a connection: for an HTTP route or a worker.
///
/// Cheap to clone: clones share keys and settings.
///
/// ```
/// use socketioxide_jwt_auth::Verifier;
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let verifier = Verifier::builder()
///     .secret("a secret of thirty-two bytes or more")
///     .issuer("https://login.example.com")
///     .build()?;
///
/// match verifier.verify::<Claims>("not.a.token").await {
///     Ok(token) => println!("welcome, {}", token.claims.sub),
///     Err(error) => assert_eq!(error.code(), "token_malformed"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Verifier {
    rules: Arc<VerifierRules>,
    known_header: Arc<KnownHeader>,
    revocations: Option<RevocationCheck>,
}

/// A token that passed every check.
///
/// ```
/// # use socketioxide_jwt_auth::VerifiedToken;
/// fn greet(token: &VerifiedToken<serde_json::Value>) -> String {
///     format!("{} until {:?}", token.claims["sub"], token.expires_at)
/// }
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifiedToken<C> {
    /// The claims, as the application's type.
    pub claims: C,
    /// The `exp` claim, without leeway; `None` if the token has none (which `required_claims` must
    /// allow).
    pub expires_at: Option<SystemTime>,
}

impl Verifier {
    /// Loads the keys and checks every setting.
    ///
    /// # Errors
    ///
    /// Returns all mistakes as one error.
    pub(crate) fn new(settings: VerifierSettings) -> Result<Self, ConfigError> {
        let revocations = RevocationCheck::from_settings(
            settings.revocations.clone(),
            settings.revocations_timeout.clone(),
        );
        let verifier = checked!(Self {
            rules: VerifierRules::new(settings).map(Arc::new),
            known_header: Ok(Arc::default()),
            revocations: revocations,
        })?;

        keys::install_backend();
        Ok(verifier)
    }

    /// Returns a builder with the default settings. It needs at least a source of keys.
    ///
    /// ```
    /// use socketioxide_jwt_auth::Verifier;
    ///
    /// let error = Verifier::builder().build().unwrap_err();
    /// assert!(error.to_string().contains("secret_env"));
    /// ```
    pub fn builder() -> VerifierBuilder {
        VerifierBuilder::default()
    }

    /// Fetches the keys from a URL now, instead of at the first token: for the start of a server,
    /// or a readiness check. With [`issuers`](VerifierBuilder::issuers) it fetches those of every
    /// issuer, at the same time. Keys of other kinds are loaded already, so it does nothing.
    ///
    /// It uses the cache of the verifier, and shares a request that is under way. If the cache has
    /// keys that are still usable, it returns at once, so it may be called as often as a readiness
    /// check is: also while the issuer is down, as long as tokens can be verified. A request has a
    /// limit of 5 seconds. After one that failed there is a pause of 1 to 60 seconds, in which the
    /// last error is returned again.
    ///
    /// # Errors
    ///
    /// There are no usable keys. The error, of the kind
    /// [`RemoteKeys`](crate::ConfigErrorKind::RemoteKeys), names every URL and issuer whose keys
    /// cannot be fetched, and says why.
    ///
    /// ```
    /// use socketioxide_jwt_auth::Verifier;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), socketioxide_jwt_auth::ConfigError> {
    /// let verifier = Verifier::builder().secret("a secret of thirty-two bytes or more").build()?;
    /// verifier.warm_up().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn warm_up(&self) -> Result<(), ConfigError> {
        self.rules.warm_up().await
    }

    /// Verifies a token and parses its claims.
    ///
    /// `token` is the encoded token, without `Bearer `.
    ///
    /// # Errors
    ///
    /// Returns the first of these that applies: `token_too_large`, `token_malformed`,
    /// `token_algorithm_not_allowed`, `keys_unavailable`, `token_key_unknown`,
    /// `token_signature_invalid`, `token_claims_invalid` (another kind of JWT, such as a logout
    /// token, or a claim that is ambiguous, or a registered claim that has a wrong type),
    /// `token_claim_missing`, `token_expired`, `token_not_yet_valid`, `token_issuer_invalid`,
    /// `token_audience_invalid`, `token_claims_invalid` (a claim has none of its `claim_values`, or
    /// the claims cannot be deserialized as `C`). With `revocations` a token that passes is looked up
    /// there: `token_revoked`, `revocations_unavailable`. The key of its user is the `sub` claim, and
    /// that of its session the `sid` claim.
    pub async fn verify<C: DeserializeOwned>(
        &self,
        token: &str,
    ) -> Result<VerifiedToken<C>, AuthError> {
        let payload = self.check_signature(token, None).await?;
        let registered = self.check_claims(&payload)?;
        if let Some(revocations) = &self.revocations {
            revocations.check(registered.revocation_query()).await?;
        }

        let claims = payload.deserialize()?;
        Ok(VerifiedToken {
            claims,
            expires_at: registered.expires_at(),
        })
    }

    /// Checks everything but the claims. `handshake` is where the token came from, for a
    /// [`KeySource`](crate::KeySource).
    pub(crate) fn check_signature(
        &self,
        token: &str,
        handshake: Option<Handshake<'_>>,
    ) -> impl Future<Output = Result<SignedPayload, AuthError>> {
        self.check_signature_and_kind(token, handshake, ClaimRules::check_kind)
    }

    /// Checks everything but the claims, and the kind of token that the header names by
    /// `check_kind`.
    async fn check_signature_and_kind(
        &self,
        token: &str,
        handshake: Option<Handshake<'_>>,
        check_kind: CheckKind,
    ) -> Result<SignedPayload, AuthError> {
        let token = UnverifiedToken::read(token, &self.rules, &self.known_header)?;
        if let Some(keys) = token.keys_at_hand() {
            let newly_verified = token.verify(keys)?;
            return token.into_payload(newly_verified, check_kind);
        }

        // Boxed, because most verifiers have their keys at hand, and the future of each attempt to
        // connect has room for this one.
        Box::pin(async move {
            let newly_verified = token.verify_in_time(handshake).await?;
            token.into_payload(newly_verified, check_kind)
        })
        .await
    }

    /// Decodes the payload of a token that was verified before.
    pub(crate) fn decode_verified(token: &str) -> Result<SignedPayload, AuthError> {
        Segments::split(token)?.decode()?.into_payload(None)
    }

    /// Checks the registered claims of a payload whose signature was checked, and returns them.
    ///
    /// Only a token that gets here is put into the cache: it has not expired, and the cache knows
    /// when it will.
    pub(crate) fn check_claims<'a>(
        &self,
        payload: &'a SignedPayload,
    ) -> Result<Registered<'a>, AuthError> {
        let rules = self.rules.choose(|| Ok(payload.as_str()))?;
        let now = SystemTime::now();
        let checked = rules.claims.check_payload(payload.as_str(), now);

        checked.inspect(|registered| {
            if let (Some(cache), Some(token)) = (&rules.token_cache, &payload.newly_verified) {
                cache.insert(**token, registered.valid_until(), now);
            }
        })
    }

    /// Returns the store of revocations, for sockets: [`verify`](Self::verify) is not called for
    /// them, and the store must be asked after the session is registered.
    pub(crate) fn revocations(&self) -> Option<&RevocationCheck> {
        self.revocations.as_ref()
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("Verifier")
            .field(&self.rules)
            .finish()
    }
}

/// Returns a refusal whose detail says what is wrong with the token's form.
fn malformed(detail: impl Into<Cow<'static, str>>) -> AuthError {
    AuthError::from(ErrorCode::TokenMalformed).with_detail(detail)
}
