//! The steps from a client's handshake to its session: origin, token, verification, lookup,
//! session.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use socketioxide::{adapter::Adapter, extract::Data, handler::FromConnectParts};
use tokio::time::timeout;

use crate::{
    error::{AuthError, ErrorCode},
    guard, keys, log,
    lookup::{LookupOn, LookupRequest, UserLookup},
    origin::{self, Origin, Page},
    session::{
        GuestSession, Session, SessionState, TokenFacts, UserSession, expiry::ExpiryRules, rooms,
    },
    token::{self, AuthPayload, RawToken, TokenSource},
    verify::Verifier,
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
}

/// Returns the key of a user, which must be the same on every node.
pub(crate) type UserKey<T> = Box<dyn Fn(&T) -> String + Send + Sync>;

impl<L: UserLookup> Authenticator<L> {
    /// Returns the session of a client that connects.
    ///
    /// # Errors
    ///
    /// Returns the error of the first step that refuses the client, in the order below.
    pub(crate) async fn authenticate<A: Adapter>(
        &self,
        request: &LookupRequest<'_, A>,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let parts = request.socket.req_parts();
        // Without `allowed_origins` no page is known to be an allowed one.
        let page = match &self.allowed_origins {
            Some(allowed) => origin::check(allowed, parts)?,
            None => Page::Unknown,
        };

        let payload = Self::payload(request)?;
        if let Some(found) = token::find(&self.sources, parts, &payload)? {
            return self.log_in(request, &found.sent_by(page)?).await;
        }

        let elsewhere = token::in_handshake(parts, &payload);
        log::elsewhere(request.socket, elsewhere.as_ref(), &self.sources);
        if self.guest {
            self.admit_guest(request).await
        } else {
            Err(token::missing(&self.sources, elsewhere))
        }
    }

    fn payload<A: Adapter>(request: &LookupRequest<'_, A>) -> Result<AuthPayload, AuthError> {
        match request.payload {
            Some(_) => Data::from_connect_parts(request.socket, request.payload)
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
        &self,
        request: &LookupRequest<'_, A>,
        token: &RawToken,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let origin = keys::Handshake {
            parts: request.socket.req_parts(),
            namespace: log::path(request.socket),
        };
        // The keys may come from the application's `KeySource`, which has no other time limit.
        let checked = timeout(
            self.lookup_timeout,
            self.verifier.check_signature(token.as_str(), Some(origin)),
        );
        let payload = checked.await.map_err(|_| {
            let limit = self.lookup_timeout;
            AuthError::keys_unavailable(format!(
                "the keys were not there within {limit:?}; `lookup_timeout` sets the limit"
            ))
        })??;

        let registered = self.verifier.check_claims(&payload)?;
        let claims = payload.deserialize()?;
        let user = self
            .look_up(request, Some(claims), Some(token))
            .await?
            .ok_or_else(|| {
                AuthError::from(ErrorCode::UserNotFound)
                    .with_detail("the user lookup returned None for a verified token")
            })?;

        // The token may have expired while the lookup ran.
        registered.check_times(SystemTime::now())?;
        // The lookup took the claims by value, and they need not be `Clone`.
        let claims = payload.deserialize::<L::Claims>()?;
        let facts = TokenFacts {
            issuer: registered.issuer.as_deref().map(str::to_owned),
            subject: registered.subject.as_deref().map(str::to_owned),
            issued: registered.issued,
            expires_at: registered.expires_at(),
        };
        let ends_at = self.expiry.end_of(registered.valid_until());
        let state =
            SessionState::of_token(claims, facts, self.expiry.clock.clone()).ending_at(ends_at);

        self.user_session(user, state)
    }

    async fn admit_guest<A: Adapter>(
        &self,
        request: &LookupRequest<'_, A>,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let state = SessionState::of_guest::<L::Claims>(self.expiry.clock.clone());

        let user = if L::CALLED_FOR_GUESTS {
            self.look_up(request, None, None).await?
        } else {
            None
        };

        match user {
            Some(user) => self.user_session(user, state),
            None => Ok(Arc::new(GuestSession::<L::User>::new(state))),
        }
    }

    fn user_session(
        &self,
        user: L::User,
        state: SessionState,
    ) -> Result<Arc<dyn Session>, AuthError> {
        let room = match &self.user_key {
            // Guest users returned by the lookup get no user room.
            Some(key) if !state.is_guest() => {
                Some(rooms::of_user(guard::call("`user_key`", || key(&user))?).into())
            }
            _ => None,
        };

        Ok(Arc::new(UserSession {
            user: Arc::new(user),
            state: state.in_room(room),
        }))
    }

    async fn look_up<A: Adapter>(
        &self,
        request: &LookupRequest<'_, A>,
        claims: Option<L::Claims>,
        token: Option<&RawToken>,
    ) -> Result<Option<L::User>, AuthError>
    where
        L: LookupOn<A>,
    {
        let request = LookupRequest { token, ..*request };

        // The call itself may panic, too: it stands inside the guarded future.
        guard::future("the user lookup", async {
            timeout(self.lookup_timeout, self.lookup.look_up(claims, request))
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
