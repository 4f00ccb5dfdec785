//! The settings of a middleware: what each is called, takes and means, and how it is checked.

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
    settings::{OneOrMany, Setting, checked, declare_settings},
    token::TokenSource,
    verify::{Verifier, VerifierSettings},
};

/// Settings of a [`JwtAuth`]: what `your_function::builder()` returns, filled in from the attribute.
///
/// For settings that are known only at run time, and for tests. A later call of the same method replaces an earlier one
/// and the attribute, and a later source of keys replaces an earlier one.
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
    pub(crate) verifier: VerifierSettings,
    settings: SessionSettings,
    lookup: L,
    user_key: Option<UserKey<L::User>>,
    clock: Clock,
}

declare_settings! {
    /// The raw values of the settings that are about connections and sessions; `None` for those that are not given.
    /// [`JwtAuthBuilder::build`] checks them and has the defaults.
    #[derive(Default)]
    struct SessionSettings;

    impl [L: UserLookup] JwtAuthBuilder<L> { self.settings }

    => {
        token: Vec<TokenSource> {
            /// The places where a token is looked for, in this order. Defaults to `auth("token")`, `auth("auth_token")`,
            /// `bearer`, `header("x-auth-token")`, `query("auth_token")`. A value in one of them is a token or is refused
            /// with `token_malformed`, also if guests are admitted. Other places are ignored.
            fn token(sources: impl IntoIterator<Item = TokenSource>) { sources.into_iter().collect() }
        }

        allowed_origins: Vec<String> {
            /// The web origins that a handshake may come from, as browsers send them: `scheme://host` or
            /// `scheme://host:port`, like `https://app.example.com`, `http://[::1]:3000` or `capacitor://localhost`.
            /// Scheme and host are compared without regard to case; the port defaults to 443 for `https` and 80 for
            /// `http`. There are no wildcards.
            ///
            /// Once set, a handshake is also refused if its `Origin` header is missing, is there twice or is not an
            /// origin. Required with [`TokenSource::cookie`].
            fn allowed_origins(origins: impl OneOrMany) { origins.into_strings() }
        }

        guest: bool {
            /// Admits a connection without a token, as a guest. A connection with a bad token is still refused.
            fn guest(guest: bool) { guest }
        }

        guest_timeout: Result<Duration, ConfigError> {
            /// Disconnects a guest that has not logged in within this time, with `login_required`. Needs
            /// [`guest`](Self::guest) and [`authenticate_event`](Self::authenticate_event).
            fn guest_timeout(limit: impl Setting<Duration>) { limit.into_value("guest_timeout") }
        }

        authenticate_event: String {
            /// Lets a client log in or renew its token on the open socket, by emitting this event with `{token}`. It is
            /// answered with `{"expires_at": <seconds since 1970, or null>}` or `{"error": {"code", "message"}}`.
            ///
            /// The handler of this event belongs to the middleware: `socket.on` with the same name would replace it.
            fn authenticate_event(name: impl Into<String>) { name.into() }
        }

        expiry: Result<Expiry, ConfigError> {
            /// What happens to the socket at `exp` plus leeway: `"disconnect"` (the default) or `"ignore"`.
            fn expiry(expiry: impl Setting<Expiry>) { expiry.into_value("expiry") }
        }

        expiry_warning: Result<Duration, ConfigError> {
            /// Emits `token_expiring` with `{"expires_at", "expires_in"}` this long before `exp`, for the client to renew.
            /// If a token lives shorter than twice this time, it is emitted at half of its life.
            fn expiry_warning(before: impl Setting<Duration>) { before.into_value("expiry_warning") }
        }

        lookup_timeout: Result<Duration, ConfigError> {
            /// The time limit of the user lookup. Defaults to 10 seconds. After it the connection is refused with
            /// `lookup_timeout`. It also limits a [`KeySource`](crate::KeySource), then with `keys_unavailable`.
            ///
            /// A lookup that blocks its thread cannot be interrupted: make it `async`.
            fn lookup_timeout(limit: impl Setting<Duration>) { limit.into_value("lookup_timeout") }
        }
    }
}

impl<L: UserLookup> JwtAuthBuilder<L> {
    /// Makes a builder with the default settings. `your_function::builder()` calls it.
    pub fn new(lookup: L) -> Self {
        Self {
            verifier: VerifierSettings::default(),
            settings: SessionSettings::default(),
            lookup,
            user_key: None,
            clock: Clock::system(),
        }
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

    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Loads the keys and checks every setting.
    ///
    /// # Errors
    ///
    /// A setting is missing, contradicts another one or is too weak. The text names every such setting and says how to
    /// repair it.
    pub fn build(self) -> Result<JwtAuth<L>, ConfigError> {
        let SessionSettings { allowed_origins, authenticate_event, guest, .. } = &self.settings;
        let origins_are_checked = allowed_origins.is_some();
        let guests_can_log_in = guest.unwrap_or(false) && authenticate_event.is_some();

        let settings = self.settings;
        let expiry = checked!(ExpiryRules {
            expiry: settings.expiry.unwrap_or_else(|| Ok(Expiry::default())),
            expiry_warning: check_time("expiry_warning", settings.expiry_warning),
            guest_timeout: check_guest_timeout(settings.guest_timeout, guests_can_log_in),
            clock: Ok(self.clock),
        });
        let authenticator = checked!(Authenticator {
            lookup: Ok(self.lookup),
            verifier: Verifier::new(self.verifier),
            sources: check_sources(settings.token.unwrap_or_else(TokenSource::defaults), origins_are_checked),
            allowed_origins: settings.allowed_origins.map(|origins| parse_origins(&origins)).transpose(),
            guest: Ok(settings.guest.unwrap_or(false)),
            lookup_timeout: check_time("lookup_timeout", settings.lookup_timeout)
                .map(|limit| limit.unwrap_or(Duration::from_secs(10))),
            expiry: expiry,
            user_key: Ok(self.user_key),
        });
        let shared = checked!(Shared {
            authenticator: authenticator,
            authenticate_event: check_event(settings.authenticate_event),
        });
        shared.map(JwtAuth::new)
    }
}

fn check_time(
    name: &'static str,
    time: Option<Result<Duration, ConfigError>>,
) -> Result<Option<Duration>, ConfigError> {
    match time.transpose()? {
        Some(time) if time.is_zero() => {
            Err(ConfigError::invalid(format!("{name} is zero; write a time like \"10s\", or leave it out")))
        }
        time => Ok(time),
    }
}

fn check_guest_timeout(
    limit: Option<Result<Duration, ConfigError>>,
    guests_can_log_in: bool,
) -> Result<Option<Duration>, ConfigError> {
    let limit = check_time("guest_timeout", limit)?;
    if limit.is_some() && !guests_can_log_in {
        return Err(ConfigError::contradiction(
            "guest_timeout is for guests that may log in: set guest = true and authenticate_event = \"authenticate\", \
             or leave it out",
        ));
    }
    Ok(limit)
}

/// The names of Socket.IO's own events; a client cannot emit them.
const RESERVED_EVENTS: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

fn check_event(name: Option<String>) -> Result<Option<String>, ConfigError> {
    match name {
        Some(name) if name.is_empty() || RESERVED_EVENTS.contains(&name.as_str()) => Err(ConfigError::invalid(
            format!("authenticate_event: clients cannot emit {name:?}; use another name, like \"authenticate\""),
        )),
        name => Ok(name),
    }
}

fn parse_origins(origins: &[String]) -> Result<Vec<Origin>, ConfigError> {
    if origins.is_empty() {
        return Err(ConfigError::invalid(
            "allowed_origins is empty, so every handshake would be refused; name at least one",
        ));
    }
    ConfigError::collect(origins.iter().map(|origin| Origin::from_config(origin)))
}

fn check_sources(sources: Vec<TokenSource>, origins_are_checked: bool) -> Result<Vec<TokenSource>, ConfigError> {
    if sources.is_empty() {
        return Err(ConfigError::invalid("token is an empty list; name at least one source, like auth(\"token\")"));
    }
    ConfigError::collect(sources.iter().map(TokenSource::check))?;

    if !origins_are_checked && sources.iter().any(TokenSource::is_cookie) {
        return Err(ConfigError::contradiction(
            "token: a cookie needs allowed_origins, because browsers send it with handshakes of foreign pages too \
             (cross-site WebSocket hijacking); set allowed_origins = [\"https://your.site\"]",
        ));
    }
    Ok(sources)
}

impl<L: UserLookup> fmt::Debug for JwtAuthBuilder<L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JwtAuthBuilder")
            .field("verifier", &self.verifier)
            .field("token", &self.settings.token)
            .field("guest", &self.settings.guest)
            .finish_non_exhaustive()
    }
}
