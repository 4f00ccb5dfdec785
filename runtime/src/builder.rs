//! From settings to a middleware.

use std::{
    fmt::{self, Display},
    time::Duration,
};

use crate::{
    authenticate::{Authenticator, UserKey},
    clock::Clock,
    error::ConfigError,
    lookup::UserLookup,
    middleware::{JwtAuth, Shared},
    origin::Origin,
    session::expiry::{Expiry, ExpiryRules},
    settings::{OneOrMany, Setting},
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
pub struct JwtAuthBuilder<L: UserLookup> {
    lookup: L,
    verifier: VerifierBuilder,
    token: Vec<TokenSource>,
    allowed_origins: Option<Vec<String>>,
    guest: bool,
    guest_timeout: Option<Duration>,
    authenticate_event: Option<String>,
    expiry: Expiry,
    expiry_warning: Option<Duration>,
    user_key: Option<UserKey<L::User>>,
    lookup_timeout: Duration,
    clock: Clock,
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
            guest_timeout: None,
            authenticate_event: None,
            expiry: Expiry::default(),
            expiry_warning: None,
            user_key: None,
            lookup_timeout: Duration::from_secs(10),
            clock: Clock::system(),
            mistake: None,
        }
    }

    /// Where a token is looked for, in this order. The default is `auth("token")`, `auth("auth_token")`, `bearer`,
    /// `header("x-auth-token")`, `query("auth_token")`. What stands in one of them is a token or is refused with
    /// `token_malformed`, also where guests are let in. Other places are ignored.
    pub fn token(mut self, sources: impl IntoIterator<Item = TokenSource>) -> Self {
        self.token = sources.into_iter().collect();
        self
    }

    /// The web origins that a handshake may come from, as browsers send them: `scheme://host` or `scheme://host:port`,
    /// like `https://app.example.com`, `http://[::1]:3000` or `capacitor://localhost`. Scheme and host are compared
    /// without regard to case; a port that is left out is 443 for `https` and 80 for `http`. There are no wildcards.
    ///
    /// Once set, a handshake whose `Origin` header is missing, is there twice or is not an origin is refused too.
    /// Required with [`TokenSource::cookie`].
    pub fn allowed_origins(mut self, origins: impl OneOrMany) -> Self {
        self.allowed_origins = Some(origins.into_texts());
        self
    }

    /// Lets a connection without a token in, as a guest. One whose token is bad is refused all the same.
    pub fn guest(mut self, guest: bool) -> Self {
        self.guest = guest;
        self
    }

    /// Disconnects a guest that has not logged in by then, with `login_required`. Needs
    /// [`guest`](Self::guest) and [`authenticate_event`](Self::authenticate_event).
    pub fn guest_timeout(mut self, limit: impl Setting<Duration>) -> Self {
        self.guest_timeout = self.read(limit, "guest_timeout");
        self
    }

    /// Lets a client log in or renew its token on the open socket, by emitting this event with `{token}`. It is
    /// answered with `{"expires_at": <seconds since 1970, or null>}` or `{"error": {"code", "message"}}`.
    ///
    /// The handler of this event belongs to the middleware: `socket.on` with the same name would replace it.
    pub fn authenticate_event(mut self, name: impl Into<String>) -> Self {
        self.authenticate_event = Some(name.into());
        self
    }

    /// What happens to the socket at `exp` plus leeway: `"disconnect"` (the default) or `"ignore"`.
    pub fn expiry(mut self, expiry: impl Setting<Expiry>) -> Self {
        if let Some(expiry) = self.read(expiry, "expiry") {
            self.expiry = expiry;
        }
        self
    }

    /// Emits `token_expiring` with `{"expires_at", "expires_in"}` so long before `exp`, for the client to renew. A token
    /// that lives shorter than twice this time is announced at half of its life.
    pub fn expiry_warning(mut self, before: impl Setting<Duration>) -> Self {
        self.expiry_warning = self.read(before, "expiry_warning");
        self
    }

    /// Names a user, so that all of its sockets can be reached with [`user_room`](crate::user_room) and ended with
    /// [`disconnect_user`](crate::disconnect_user).
    ///
    /// ```
    /// # use socketioxide_jwt_auth::jwt_auth;
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims { sub: String }
    /// struct User { id: String }
    ///
    /// #[jwt_auth(secret_env = "JWT_SECRET", user_key = |user: &User| user.id.clone())]
    /// async fn authenticate(claims: Claims) -> Option<User> {
    ///     Some(User { id: claims.sub })
    /// }
    /// ```
    pub fn user_key<K: Display>(mut self, key: impl Fn(&L::User) -> K + Send + Sync + 'static) -> Self {
        self.user_key = Some(Box::new(move |user| key(user).to_string()));
        self
    }

    /// How long the user lookup may take; 10 seconds if nothing is said. After it the connection is refused with
    /// `lookup_timeout`. It bounds a [`KeySource`](crate::KeySource) too, then with `keys_unavailable`.
    ///
    /// A lookup that blocks its thread cannot be interrupted: let it be `async`.
    pub fn lookup_timeout(mut self, limit: impl Setting<Duration>) -> Self {
        if let Some(limit) = self.read(limit, "lookup_timeout") {
            self.lookup_timeout = limit;
        }
        self
    }

    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    fn read<T>(&mut self, setting: impl Setting<T>, name: &'static str) -> Option<T> {
        setting.into_value(name).map_err(|error| self.mistake = Some(error)).ok()
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
        self.check_times()?;
        let allowed_origins = read_origins(self.allowed_origins)?;
        check_sources(&self.token, allowed_origins.is_some())?;
        let verifier = self.verifier.build()?;
        let expiry = ExpiryRules {
            expiry: self.expiry,
            expiry_warning: self.expiry_warning,
            guest_timeout: self.guest_timeout,
            leeway: verifier.leeway(),
            clock: self.clock,
        };
        let authenticator = Authenticator {
            lookup: self.lookup,
            verifier,
            sources: self.token,
            allowed_origins,
            guest: self.guest,
            lookup_timeout: self.lookup_timeout,
            expiry,
            user_key: self.user_key,
        };
        let authenticate_event = check_event(self.authenticate_event)?;
        Ok(JwtAuth::new(Shared { authenticator, authenticate_event }))
    }

    fn check_times(&self) -> Result<(), ConfigError> {
        let times = [
            ("lookup_timeout", Some(self.lookup_timeout)),
            ("guest_timeout", self.guest_timeout),
            ("expiry_warning", self.expiry_warning),
        ];
        if let Some((name, _)) = times.iter().find(|(_, time)| time.is_some_and(|time| time.is_zero())) {
            return Err(ConfigError::new(format!("{name} is zero; write a time like \"10s\", or leave it out")));
        }
        if self.guest_timeout.is_some() && !(self.guest && self.authenticate_event.is_some()) {
            return Err(ConfigError::new(
                "guest_timeout is for guests that may log in: set guest = true and authenticate_event = \"authenticate\", \
                 or leave it out",
            ));
        }
        Ok(())
    }
}

/// Socket.IO keeps these names for itself; a client cannot emit them.
const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

fn check_event(name: Option<String>) -> Result<Option<String>, ConfigError> {
    match name {
        Some(name) if name.is_empty() || RESERVED_EVENTS.contains(&name.as_str()) => Err(ConfigError::new(format!(
            "authenticate_event: clients cannot emit {name:?}; use another name, like \"authenticate\""
        ))),
        name => Ok(name),
    }
}

fn read_origins(texts: Option<Vec<String>>) -> Result<Option<Vec<Origin>>, ConfigError> {
    let Some(texts) = texts else { return Ok(None) };
    if texts.is_empty() {
        return Err(ConfigError::new(
            "allowed_origins is empty, so every handshake would be refused; name at least one",
        ));
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

impl<L: UserLookup> fmt::Debug for JwtAuthBuilder<L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JwtAuthBuilder")
            .field("verifier", &self.verifier)
            .field("token", &self.token)
            .field("guest", &self.guest)
            .finish_non_exhaustive()
    }
}
