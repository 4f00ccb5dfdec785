//! The settings of a middleware: their names, types and documentation.

mod checks;

use std::{
    fmt::{self, Display},
    sync::Arc,
    time::Duration,
};

use crate::{
    authenticate::{Authenticator, SessionKey, UserKey},
    clock::Clock,
    error::ConfigError,
    events::{AuthEvent, Events, Hook},
    lookup::UserLookup,
    middleware::{JwtAuth, Shared},
    registry::LastServer,
    session::expiry::{Expiry, ExpiryRules},
    settings::{OneOrMany, Setting, StringList, checked, declare_settings},
    token::TokenSource,
    users::{self, IntoSessionKey},
    verify::{Verifier, VerifierSettings},
};
use checks::{
    check_announce_event, check_event, check_guest_timeout, check_sources, check_time,
    parse_origins,
};

/// Builds a [`JwtAuth`]. `your_function::builder()` returns one with the settings of the attribute.
///
/// It is for settings that are known only at run time, and for tests. A call of a method replaces
/// the setting of the attribute and of earlier calls. A source of keys replaces every earlier
/// source of keys.
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
    session_key: Option<SessionKey<L::Claims>>,
    on_event: Option<Hook>,
    clock: Clock,
}

declare_settings! {
    /// The raw values of the settings of connections and sessions; `None` for a setting that is not
    /// given. [`JwtAuthBuilder::build`] checks them and applies the defaults.
    #[derive(Default)]
    struct SessionSettings;

    impl [L: UserLookup] JwtAuthBuilder<L> { self.settings }

    => {
        token: Vec<TokenSource> {
            /// Sets the places where a token is looked for, in this order. Defaults to
            /// `auth("token")`, `auth("auth_token")`, `bearer`, `header("x-auth-token")`,
            /// `query("auth_token")`. Other schemes than `Bearer` are
            /// [`TokenSource::authorization`]. If one of them holds something that is not a token, the
            /// client is refused with `token_malformed`, even where guests are admitted. Other
            /// places are ignored.
            fn token(sources: impl IntoIterator<Item = TokenSource>) { sources.into_iter().collect() }
        }

        allowed_origins: StringList {
            /// Sets the web origins that a handshake may come from, as browsers send them:
            /// `scheme://host` or `scheme://host:port`, like `https://app.example.com`,
            /// `http://[::1]:3000` or `capacitor://localhost`. Scheme and host are compared without
            /// regard to case; the port defaults to 443 for `https` and 80 for `http`. There are no
            /// wildcards.
            ///
            /// Once set, a handshake is refused with `origin_not_allowed` if its `Origin` header
            /// is not one of them, occurs twice or is `null`, whatever the client sends as a token.
            ///
            /// A handshake without this header is refused only if its token comes from a cookie,
            /// and the header `Sec-Fetch-Site` is not `same-origin`. Browsers leave out `Origin`
            /// for polling from a page of the server's own origin only, and send `Sec-Fetch-Site`
            /// then, if the page is loaded with HTTPS or from the local host. Clients that are not
            /// browsers send neither: with a token from another source they are admitted, and
            /// without a token as guests, if guests are admitted.
            ///
            /// Required with [`TokenSource::cookie`].
            fn allowed_origins(origins: impl OneOrMany) { StringList::Strings(origins.into_strings()) }

            /// [`allowed_origins`](Self::allowed_origins), from an environment variable: origins
            /// that are separated by commas.
            fn allowed_origins_env(variable: impl Into<String>) {
                StringList::Environment { setting: "allowed_origins_env", variable: variable.into() }
            }
        }

        guest: bool {
            /// Admits a connection without a token as a guest. A connection with a bad token is
            /// still refused.
            ///
            /// The log says at DEBUG of every connection whether it came in as a guest or as a
            /// user: `connected`, with the field `as`. A guest whose handshake has what looks like
            /// a token in a place that is not among the sources is logged at INFO, once for each
            /// connection.
            fn guest(guest: bool) { guest }
        }

        guest_timeout: Result<Duration, ConfigError> {
            /// Disconnects a guest that has not logged in within this time, with `login_required`.
            /// Needs [`guest`](Self::guest) and [`authenticate_event`](Self::authenticate_event).
            fn guest_timeout(limit: impl Setting<Duration>) { limit.into_value("guest_timeout") }
        }

        authenticate_event: String {
            /// Lets a client log in or renew its token on the open socket, by emitting this event
            /// with `{token}`, or with the token itself. The acknowledgement is `{"expires_at",
            /// "expires_in"}` (seconds since 1970 and from now, both null for a token without
            /// `exp`) or `{"error": {"code", "message", "action"}}`.
            ///
            /// The middleware registers the handler of this event; `socket.on` with the same name
            /// would replace it.
            fn authenticate_event(name: impl Into<String>) { name.into() }
        }

        announce_event: String {
            /// Emits this event once the socket is connected: `{"logged_in", "expires_at",
            /// "expires_in"}` says whether the client is logged in or a guest, and when its token
            /// expires (seconds since 1970 and from now, both null without an `exp`). Off by
            /// default.
            ///
            /// It is emitted after the connect middlewares, at about the same time as what an
            /// asynchronous connect handler emits first.
            ///
            /// ```
            /// # use socketioxide_jwt_auth::{JwtAuthBuilder, UserLookup};
            /// fn announced<L: UserLookup>(builder: JwtAuthBuilder<L>) -> JwtAuthBuilder<L> {
            ///     builder.announce_event("authenticated")
            /// }
            /// ```
            fn announce_event(name: impl Into<String>) { name.into() }
        }

        expiry: Result<Expiry, ConfigError> {
            /// Sets what happens to the socket at `exp` plus leeway: `"disconnect"` (the default)
            /// or `"ignore"`.
            fn expiry(expiry: impl Setting<Expiry>) { expiry.into_value("expiry") }
        }

        expiry_warning: Result<Duration, ConfigError> {
            /// Emits `token_expiring` with `{"expires_at", "expires_in"}` this long before `exp`,
            /// so that the client can renew its token. If less than twice this time is left when
            /// the session begins, the event is emitted after half of what is left.
            fn expiry_warning(before: impl Setting<Duration>) { before.into_value("expiry_warning") }
        }

        max_session: Result<Duration, ConfigError> {
            /// Ends a login after this time with `session_ended`, however often its token is
            /// renewed, and also if tokens have no `exp` or [`expiry`](Self::expiry) is
            /// `"ignore"`. It counts from the connection, or from the login on the open socket. No
            /// `token_expiring` is sent for it. Off by default.
            ///
            /// It is for sessions on open sockets: a client that connects again begins a new
            /// one. The issuer of the tokens decides how long a user stays logged in at all.
            ///
            /// ```
            /// # use socketioxide_jwt_auth::{JwtAuthBuilder, UserLookup};
            /// fn for_a_day<L: UserLookup>(builder: JwtAuthBuilder<L>) -> JwtAuthBuilder<L> {
            ///     builder.max_session("12h")
            /// }
            /// ```
            fn max_session(limit: impl Setting<Duration>) { limit.into_value("max_session") }
        }

        recheck: Result<Duration, ConfigError> {
            /// Looks the users of open sockets up again at this interval: a user that the lookup
            /// refuses is told why and disconnected, and a user that has changed replaces the old
            /// one, so that policies and [`AuthUser`](crate::AuthUser) see it at the next event.
            /// Off by default.
            ///
            /// The first re-check of a socket comes at a random moment within the interval, and a
            /// server runs at most 16 at a time. The lookup is called with the claims of the
            /// session's token, and without an auth payload. If it fails for the server's own
            /// reasons (`internal_error`, `lookup_timeout`, or another refusal whose action is
            /// `retry`), the session goes on, and the log says so at WARN. A lookup that returns a
            /// user with another `user_key` ends the session with `subject_mismatch`. Guests are
            /// not looked up again.
            ///
            /// [`refresh_user`](crate::refresh_user) does it at once.
            ///
            /// ```
            /// # use socketioxide_jwt_auth::{JwtAuthBuilder, UserLookup};
            /// fn looked_up_again<L: UserLookup>(builder: JwtAuthBuilder<L>) -> JwtAuthBuilder<L> {
            ///     builder.recheck("5m")
            /// }
            /// ```
            fn recheck(interval: impl Setting<Duration>) { interval.into_value("recheck") }
        }

        lookup_timeout: Result<Duration, ConfigError> {
            /// Sets the time limit of the user lookup. Defaults to 10 seconds. A lookup that takes
            /// longer refuses the client with `lookup_timeout`. A [`KeySource`](crate::KeySource)
            /// has the same limit, and refuses with `keys_unavailable`.
            ///
            /// The limit cannot interrupt a lookup that blocks its thread, so make the lookup
            /// `async`.
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
            session_key: None,
            on_event: None,
            clock: Clock::system(),
        }
    }

    /// Sets the function that returns the key of a user. [`user_room`](crate::user_room) and
    /// [`disconnect_user`](crate::disconnect_user) find all sockets of a user by this key.
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
    pub fn user_key<K: Display>(
        mut self,
        key: impl Fn(&L::User) -> K + Send + Sync + 'static,
    ) -> Self {
        self.user_key = Some(Box::new(move |user| key(user).to_string()));
        self
    }

    /// Sets the function that returns the key of a login, such as the claim `sid`: all sockets of
    /// a device, or of a login at the identity provider. It returns a value that can be displayed,
    /// or an `Option` of one. `None` and an empty key stand for a token without a key.
    ///
    /// [`disconnect_session`](crate::disconnect_session) ends all sockets with a key, and
    /// [`disconnect_others`](crate::disconnect_others) all others of the user. A renewal moves
    /// its socket to the key of the new token. A [store of revocations](Self::revocations) knows the
    /// session by this key too.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::jwt_auth;
    /// #[derive(serde::Deserialize)]
    /// struct Claims { sub: String, sid: Option<String> }
    ///
    /// #[jwt_auth(secret_env = "JWT_SECRET", session_key = |claims: &Claims| claims.sid.clone())]
    /// async fn authenticate(claims: Claims) -> Option<String> {
    ///     Some(claims.sub)
    /// }
    /// ```
    pub fn session_key<K: IntoSessionKey<M>, M>(
        mut self,
        key: impl Fn(&L::Claims) -> K + Send + Sync + 'static,
    ) -> Self {
        self.session_key = Some(Box::new(move |claims| key(claims).into_session_key()));
        self
    }

    /// Calls this hook for each event of authentication: for audit logs. An [`AuthEvent`] says that
    /// a client was accepted or refused, that a session was renewed, or that it was ended.
    ///
    /// The hook is called by the task that authenticates or ends, which waits for it. So it must
    /// not block; let it send the event to a channel. A client can cause thousands of refusals in a
    /// second: past the limits of a connection each has the code `too_many_attempts`. The events of
    /// a socket come in their order. A panic of the hook is logged, and changes nothing else.
    ///
    /// A socket that was accepted has exactly one event [`Ended`](crate::AuthEventKind::Ended) if
    /// this crate ends it, on the node that has the socket. Not reported is the end of a socket
    /// that its client or the application disconnects, that a connect middleware of the
    /// application refuses, or that another node disconnects: use a disconnect handler for those.
    /// Events that a handler's extractors refuse are not reported either; the log has them.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use socketioxide_jwt_auth::{AuthEvent, jwt_auth};
    /// # #[derive(serde::Deserialize)]
    /// # struct Claims { sub: String }
    ///
    /// #[jwt_auth(secret_env = "JWT_SECRET")]
    /// async fn authenticate(claims: Claims) -> Option<String> {
    ///     Some(claims.sub)
    /// }
    ///
    /// let (sender, audit_log) = mpsc::sync_channel::<AuthEvent>(1000);
    /// let builder = authenticate::builder().on_event(move |event| {
    ///     sender.try_send(event.clone()).ok();
    /// });
    /// ```
    pub fn on_event(mut self, hook: impl Fn(&AuthEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Some(Box::new(hook));
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
    /// Returns an error if a setting is missing, contradicts another one or is too weak. Its
    /// message names every such setting and says how to fix it.
    pub fn build(self) -> Result<JwtAuth<L>, ConfigError> {
        let SessionSettings {
            allowed_origins,
            authenticate_event,
            guest,
            ..
        } = &self.settings;
        let origins_are_checked = allowed_origins.is_some();
        let is_renewable = authenticate_event.is_some();
        let guests_can_log_in = guest.unwrap_or(false) && is_renewable;

        let settings = self.settings;
        let expiry = checked!(ExpiryRules {
            expiry: settings.expiry.unwrap_or_else(|| Ok(Expiry::default())),
            expiry_warning: check_time("expiry_warning", settings.expiry_warning),
            guest_timeout: check_guest_timeout(settings.guest_timeout, guests_can_log_in),
            max_session: check_time("max_session", settings.max_session),
            clock: Ok(self.clock),
        });

        let authenticator = checked!(Authenticator {
            lookup: Ok(self.lookup),
            verifier: Verifier::new(self.verifier),
            sources: check_sources(
                settings.token.unwrap_or_else(TokenSource::defaults),
                origins_are_checked
            ),
            allowed_origins: settings.allowed_origins.map(parse_origins).transpose(),
            guest: Ok(settings.guest.unwrap_or(false)),
            lookup_timeout: check_time("lookup_timeout", settings.lookup_timeout)
                .map(|limit| limit.unwrap_or(Duration::from_secs(10))),
            expiry: expiry,
            user_key: Ok(self.user_key),
            session_key: Ok(self.session_key),
            recheck: check_time("recheck", settings.recheck),
            events: Ok(Events::new(self.on_event)),
            is_renewable: Ok(is_renewable),
            server: Ok(LastServer::default()),
        });

        let shared = checked!(Shared {
            authenticator: authenticator.map(Arc::new),
            announce_event: check_announce_event(
                settings.announce_event,
                settings.authenticate_event.as_deref()
            ),
            authenticate_event: check_event(
                "authenticate_event",
                settings.authenticate_event,
                "authenticate"
            ),
        });

        shared.map(|shared| {
            users::note_keys(&shared.authenticator);
            JwtAuth::new(shared)
        })
    }
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
