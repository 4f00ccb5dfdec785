//! The steps from a client's handshake to its session: origin, token, verification, lookup,
//! session.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::request::Parts;
use socketioxide::{adapter::Adapter, extract::Data, handler::FromConnectParts};

use crate::{
    clock::Timestamp,
    error::{AuthError, ErrorCode},
    events::Events,
    guard, keys, log,
    lookup::{LookupContext, LookupOn, LookupRequest, UserLookup},
    metrics::{self, Step},
    origin::{self, Origin, Page},
    registry::LastServer,
    session::{
        Extras, GuestSession, Login, Session, SessionState, TokenFacts, UserSession,
        expiry::ExpiryRules,
        recheck::Recheck,
        revocable::Revocable,
        rooms::{self, SessionRooms},
    },
    time_limit::within,
    token::{self, AuthPayload, RawToken, TokenSource},
    verify::{Registered, SignedPayload, Verifier},
};

/// Authenticates clients, when they connect and when they renew their token.
pub(crate) struct Authenticator<L: UserLookup> {
    pub(crate) lookup: L,
    pub(crate) verifier: Verifier,
    pub(crate) sources: Vec<TokenSource>,
    pub(crate) allowed_origins: Option<Vec<Origin>>,
    pub(crate) guest: bool,
    pub(crate) lookup_timeout: Duration,
    pub(crate) expiry: ExpiryRules,
    pub(crate) user_key: Option<UserKey<L::User>>,
    pub(crate) session_key: Option<SessionKey<L::Claims>>,
    pub(crate) recheck: Option<Duration>,
    pub(crate) events: Events,
    /// Whether clients can send another token on the open socket.
    pub(crate) is_renewable: bool,
    pub(crate) server: LastServer,
}

/// Returns the key of a user, which must be the same on every node.
pub(crate) type UserKey<T> = Box<dyn Fn(&T) -> String + Send + Sync>;

/// Returns the key of a login, which must be the same on every node.
pub(crate) type SessionKey<C> = Box<dyn Fn(&C) -> Option<String> + Send + Sync>;

impl<L: UserLookup> Authenticator<L> {
    /// Returns the session of a client that connects.
    ///
    /// # Errors
    ///
    /// Returns the error of the first step that refuses the client, in the order below.
    pub(crate) async fn authenticate<A: Adapter>(
        self: &Arc<Self>,
        request: &LookupRequest<'_, A>,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let parts = request.parts;
        let page = self.check_origin(parts)?;
        let payload = Self::payload(request)?;
        if let Some(found) = token::find(&self.sources, parts, &payload)? {
            let login = Login::begin(self.expiry.clock.now()).reported_to(&self.events);
            return self.log_in(request, &found.sent_by(page)?, login).await;
        }

        let elsewhere = token::in_handshake(parts, &payload);
        log::elsewhere(request.socket(), elsewhere.as_ref(), &self.sources);
        if self.guest {
            self.admit_guest(request).await
        } else {
            Err(token::missing(&self.sources, elsewhere))
        }
    }

    /// Returns what the request says about the page that sent it.
    ///
    /// # Errors
    ///
    /// Returns `origin_not_allowed`.
    pub(crate) fn check_origin(&self, parts: &Parts) -> Result<Page, AuthError> {
        // Without `allowed_origins` no page is known to be an allowed one.
        match &self.allowed_origins {
            Some(allowed) => origin::check(allowed, parts),
            None => Ok(Page::Unknown),
        }
    }

    fn payload<A: Adapter>(request: &LookupRequest<'_, A>) -> Result<AuthPayload, AuthError> {
        match request.payload {
            Some(_) => Data::from_connect_parts(request.socket(), request.payload)
                .map(|Data(payload)| payload)
                .map_err(|_| token::unreadable("the auth payload")),
            None => Ok(AuthPayload::default()),
        }
    }

    /// Returns the session of a client that sent a token.
    ///
    /// # Errors
    ///
    /// Returns why the token, or the lookup, refuses the client.
    pub(crate) async fn log_in<A: Adapter>(
        self: &Arc<Self>,
        request: &LookupRequest<'_, A>,
        token: &RawToken,
        login: Login,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let handshake = keys::Handshake {
            parts: request.parts,
            namespace: Some(log::path(request.socket())),
        };
        let payload = self.check_signature(token, handshake).await?;
        let registered = self.verifier.check_claims(&payload)?;

        let user = self.find_user(request, &payload, token).await?;
        // The token may have expired while the lookup ran.
        registered.check_times(SystemTime::now())?;

        // The lookup took the claims by value, and they need not be `Clone`.
        let claims = payload.deserialize::<L::Claims>()?;
        let keys = self.keys_of(&user, &claims)?;
        let rooms = SessionRooms {
            #[cfg(feature = "axum")]
            issuer: crate::axum::issuer_rooms::of_token::<A>(&registered, &payload),
            ..keys.rooms()
        };

        let revocable = self.verifier.revocations().map(|store| {
            let query = registered.revocation_query();
            let (user, login) = (keys.user.as_deref(), keys.login.as_deref());
            Revocable::new(store, &query, user, login, registered.valid_until())
        });
        // `refresh_user` finds sessions by their user's key.
        let is_rechecked = self.recheck.is_some() || self.user_key.is_some();
        let needs_facts = self.is_renewable || revocable.is_some();

        let end = self.expiry.end_of(registered.valid_until(), &login);
        let expires_at = registered.expires_at();
        let extras = Extras {
            rooms,
            token: needs_facts.then(|| facts_of(&registered)),
            warning_at: self.expiry.warning_of(expires_at).map(Timestamp::from),
            recheck: is_rechecked.then(|| Recheck::new::<A, L>(self, token)),
            revocable: revocable.map(Box::new),
        };
        let clock = self.expiry.clock.clone();
        let state = SessionState::of_token(claims, expires_at, login, clock)
            .ending(end)
            .with_extras(extras);

        Ok(user_session(user, state))
    }

    /// Checks everything but the claims of a token, within the time limit.
    ///
    /// # Errors
    ///
    /// Returns why the token is refused, and `keys_unavailable` past the limit.
    pub(crate) async fn check_signature(
        &self,
        token: &RawToken,
        handshake: keys::Handshake<'_>,
    ) -> Result<SignedPayload, AuthError> {
        // The keys may come from the application's `KeySource`, which has no other time limit.
        let checked = pin!(
            self.verifier
                .check_signature(token.as_str(), Some(handshake))
        );

        within(self.lookup_timeout, checked).await.map_err(|_| {
            let limit = self.lookup_timeout;
            AuthError::keys_unavailable(format!(
                "the keys were not there within {limit:?}; `lookup_timeout` sets the limit"
            ))
        })?
    }

    /// Calls the lookup for a verified token.
    ///
    /// # Errors
    ///
    /// Returns why the claims are not of the application's type, or the lookup refuses them.
    pub(crate) async fn find_user<C: LookupContext>(
        &self,
        request: &LookupRequest<'_, C>,
        payload: &SignedPayload,
        token: &RawToken,
    ) -> Result<L::User, AuthError>
    where
        L: LookupOn<C>,
    {
        let claims = payload.deserialize()?;
        let user = self.look_up(request, Some(claims), Some(token)).await?;
        user.ok_or_else(|| {
            AuthError::from(ErrorCode::UserNotFound)
                .with_detail("the user lookup returned None for a verified token")
        })
    }

    async fn admit_guest<A: Adapter>(
        &self,
        request: &LookupRequest<'_, A>,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let user = if L::CALLED_FOR_GUESTS {
            self.look_up(request, None, None).await?
        } else {
            None
        };

        let clock = self.expiry.clock.clone();
        let login = Login::begin(clock.now()).reported_to(&self.events);
        let end = self.expiry.end_of_guest(&login);
        let state = SessionState::of_guest::<L::Claims>(login, clock).ending(end);
        match user {
            // Guest users returned by the lookup are in no rooms.
            Some(user) => Ok(user_session(user, state)),
            None => Ok(Arc::new(GuestSession::<L::User>::new(state))),
        }
    }

    /// Returns the keys of a user with these claims.
    pub(crate) fn keys_of(
        &self,
        user: &L::User,
        claims: &L::Claims,
    ) -> Result<SessionKeys, AuthError> {
        let user_key = self
            .user_key
            .as_ref()
            .map(|key| guard::call("`user_key`", || key(user)));
        let session_key = self.session_key.as_ref();
        let session_key = session_key.map(|key| guard::call("`session_key`", || key(claims)));

        let session_key = session_key.transpose()?.flatten();
        Ok(SessionKeys {
            user: user_key.transpose()?,
            // Claims without a session key may be parsed as an empty one. They would share a room.
            login: session_key.filter(|key| !key.is_empty()),
        })
    }

    /// Calls the lookup, within its time limit.
    pub(crate) async fn look_up<C: LookupContext>(
        &self,
        request: &LookupRequest<'_, C>,
        claims: Option<L::Claims>,
        token: Option<&RawToken>,
    ) -> Result<Option<L::User>, AuthError>
    where
        L: LookupOn<C>,
    {
        let request = LookupRequest { token, ..*request };

        // The call itself may panic, too: it stands inside the guarded future.
        guard::future("the user lookup", async {
            let lookup = pin!(self.lookup.look_up(claims, request));
            metrics::timed(Step::Lookup, within(self.lookup_timeout, lookup))
                .await
                .map_err(|_| {
                    AuthError::from(ErrorCode::LookupTimeout).with_detail(format!(
                        "the user lookup took longer than {:?}; `lookup_timeout` sets the limit",
                        self.lookup_timeout
                    ))
                })?
        })
        .await?
    }
}

/// The keys by which the application ends sessions.
pub(crate) struct SessionKeys {
    /// That of `user_key`.
    user: Option<String>,
    /// That of `session_key`.
    login: Option<String>,
}

impl SessionKeys {
    pub(crate) fn rooms(&self) -> SessionRooms {
        SessionRooms {
            user: self.user.as_ref().map(|key| rooms::of_user(key).into()),
            login: self.login.as_ref().map(|key| rooms::of_login(key).into()),
            issuer: Vec::new(),
        }
    }
}

fn facts_of(registered: &Registered<'_>) -> TokenFacts {
    TokenFacts {
        issuer: registered.issuer.as_deref().map(Into::into),
        subject: registered.subject.as_deref().map(Into::into),
        issued: registered.issued.map(Timestamp::since_1970),
    }
}

fn user_session<T: Send + Sync + 'static>(user: T, state: SessionState) -> Arc<dyn Session> {
    Arc::new(UserSession::new(user, state))
}
