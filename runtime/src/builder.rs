//! From settings to a middleware.

use std::{fmt, time::Duration};

use crate::{
    attempts::Refusals,
    config::{ConfigError, OneOrMany, Setting},
    lookup::UserLookup,
    middleware::{JwtAuth, Pipeline},
    origin::Origin,
    token::TokenSource,
    verify::{VerifierBuilder, verifier_settings},
};

/// Settings of a [`JwtAuth`]: what `your_function::builder()` returns, filled in from the attribute.
///
/// A later call of the same method replaces what an earlier one (or the attribute) said, and so does a later source
/// of keys; for settings that are known at run time only, and for tests.
///
/// ```
/// use socketioxide_jwt_auth::jwt_auth;
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// #[jwt_auth(secret_env = "JWT_SECRET")]
/// async fn authenticate(claims: Claims) -> Option<String> {
///     Some(claims.sub)
/// }
///
/// let middleware = authenticate::builder().secret("a secret of thirty-two bytes or more").build()?;
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
#[must_use = "a builder does nothing until `build` is called"]
pub struct JwtAuthBuilder<L> {
    lookup: L,
    verifier: VerifierBuilder,
    token: Vec<TokenSource>,
    allowed_origins: Option<Vec<String>>,
    guest: bool,
    lookup_timeout: Duration,
    /// A value that did not read, kept until `build` can return it.
    mistake: Option<ConfigError>,
}

impl<L: UserLookup> JwtAuthBuilder<L> {
    verifier_settings!(|builder| *builder.verifier.settings());

    /// The default settings around a lookup. `your_function::builder()` calls it.
    pub fn new(lookup: L) -> Self {
        Self {
            lookup,
            verifier: VerifierBuilder::default(),
            token: TokenSource::defaults(),
            allowed_origins: None,
            guest: false,
            lookup_timeout: Duration::from_secs(10),
            mistake: None,
        }
    }

    /// Where a token is looked for, in this order. The default is `auth("token")`, `auth("auth_token")`, `bearer`,
    /// `header("x-auth-token")`, `query("auth_token")`.
    pub fn token(mut self, sources: impl IntoIterator<Item = TokenSource>) -> Self {
        self.token = sources.into_iter().collect();
        self
    }

    /// The web origins that a handshake may come from, like `https://app.example.com`. Once set, a handshake without
    /// an `Origin` header is refused too. Required with [`TokenSource::cookie`].
    pub fn allowed_origins(mut self, origins: impl OneOrMany) -> Self {
        self.allowed_origins = Some(origins.into_texts());
        self
    }

    /// Lets a connection without a token in, as a guest. One whose token is bad is refused all the same.
    pub fn guest(mut self, guest: bool) -> Self {
        self.guest = guest;
        self
    }

    /// How long the user lookup may take; 10 seconds if nothing is said. After it the connection is refused with
    /// `lookup_timeout`. It bounds a [`KeySource`](crate::KeySource) too, then with `keys_unavailable`.
    ///
    /// A lookup that blocks its thread cannot be interrupted: let it be `async`.
    pub fn lookup_timeout(mut self, limit: impl Setting<Duration>) -> Self {
        match limit.into_value("lookup_timeout") {
            Ok(limit) => self.lookup_timeout = limit,
            Err(error) => self.mistake = Some(error),
        }
        self
    }

    /// Loads the keys and checks every setting.
    ///
    /// # Errors
    ///
    /// A setting that is missing, contradictory or too weak. The text says how to repair it.
    pub fn build(self) -> Result<JwtAuth<L>, ConfigError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let allowed_origins = read_origins(self.allowed_origins)?;
        check_sources(&self.token, allowed_origins.is_some())?;
        if self.lookup_timeout.is_zero() {
            return Err(ConfigError::new("lookup_timeout is zero, so every lookup would fail; 10s is usual"));
        }
        Ok(JwtAuth::new(Pipeline {
            lookup: self.lookup,
            verifier: self.verifier.build()?,
            sources: self.token,
            allowed_origins,
            guest: self.guest,
            lookup_timeout: self.lookup_timeout,
            refusals: Refusals::new(),
        }))
    }
}

fn read_origins(texts: Option<Vec<String>>) -> Result<Option<Vec<Origin>>, ConfigError> {
    let Some(texts) = texts else { return Ok(None) };
    if texts.is_empty() {
        return Err(ConfigError::new("allowed_origins is empty, so every handshake would be refused; name at least one"));
    }
    texts.iter().map(|text| Origin::from_config(text)).collect::<Result<_, _>>().map(Some)
}

fn check_sources(sources: &[TokenSource], origins_are_checked: bool) -> Result<(), ConfigError> {
    if sources.is_empty() {
        return Err(ConfigError::new("token is an empty list; name at least one source, like auth(\"token\")"));
    }
    sources.iter().try_for_each(TokenSource::check)?;
    if !origins_are_checked && sources.iter().any(TokenSource::is_cookie) {
        return Err(ConfigError::new(
            "token: a cookie needs allowed_origins, because browsers send it with handshakes of foreign pages too \
             (cross-site WebSocket hijacking); set allowed_origins = [\"https://your.site\"]",
        ));
    }
    Ok(())
}

impl<L> fmt::Debug for JwtAuthBuilder<L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JwtAuthBuilder")
            .field("verifier", &self.verifier)
            .field("token", &self.token)
            .field("guest", &self.guest)
            .finish_non_exhaustive()
    }
}
