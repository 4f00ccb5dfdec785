//! The way of a client, from what it sends to its session: at its connection, and at the authenticate event.

use std::{sync::Arc, time::Duration};

use socketioxide::{
    adapter::Adapter,
    extract::Data,
    handler::{FromConnectParts, Value},
    socket::Socket,
};
use tokio::time::timeout;

use crate::{
    attempts::Refusals,
    error::{AuthError, Code},
    life::LifeRules,
    lookup::{LookupOn, LookupRequest, UserLookup},
    origin::{self, Origin},
    session::{Details, GuestSession, Session, TokenFacts, UserSession, namespace},
    token::{self, AuthPayload, RawToken, TokenSource},
    users::user_room,
    verify::{TokenOrigin, Verifier},
};

/// What decides about a client, at its connection and after it.
pub(crate) struct Pipeline<L: UserLookup> {
    pub(crate) lookup: L,
    pub(crate) verifier: Verifier,
    pub(crate) sources: Vec<TokenSource>,
    pub(crate) allowed_origins: Option<Vec<Origin>>,
    pub(crate) guest: bool,
    pub(crate) lookup_timeout: Duration,
    pub(crate) refusals: Refusals,
    pub(crate) life: LifeRules,
    pub(crate) authenticate_event: Option<String>,
    pub(crate) user_key: Option<UserKey<L::User>>,
}

/// Names a user in the same way on every node.
pub(crate) type UserKey<T> = Box<dyn Fn(&T) -> String + Send + Sync>;

/// Somebody who asks to be let in.
pub(crate) struct Attempt<'a, A: Adapter> {
    pub(crate) socket: &'a Arc<Socket<A>>,
    pub(crate) payload: &'a Option<Value>,
}

impl<L: UserLookup> Pipeline<L> {
    pub(crate) async fn admit<A: Adapter>(&self, attempt: Attempt<'_, A>) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        if let Some(allowed) = &self.allowed_origins {
            origin::check(allowed, attempt.socket.req_parts())?;
        }
        match self.find_token(&attempt)? {
            Some(token) => self.log_in(&attempt, &token).await,
            None if self.guest => self.admit_guest(&attempt).await,
            None => Err(Code::TokenMissing.into()),
        }
    }

    fn find_token<A: Adapter>(&self, attempt: &Attempt<'_, A>) -> Result<Option<RawToken>, AuthError> {
        let payload = match attempt.payload {
            Some(_) => {
                let payload = Data::<AuthPayload>::from_connect_parts(attempt.socket, attempt.payload);
                payload.map_err(|_| Code::TokenMalformed)?.0
            }
            None => AuthPayload::default(),
        };
        token::find(&self.sources, attempt.socket.req_parts(), &payload)
    }

    pub(crate) async fn log_in<A: Adapter>(
        &self,
        attempt: &Attempt<'_, A>,
        token: &RawToken,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let origin =
            TokenOrigin { parts: Some(attempt.socket.req_parts()), namespace: Some(namespace(attempt.socket)) };
        // The keys may be the application's own source, which nothing else bounds.
        let payload = timeout(self.lookup_timeout, self.verifier.check_signature(token.as_str(), origin));
        let payload = payload.await.map_err(|_| Code::KeysUnavailable)??;
        let (claims, registered) = self.verifier.read_claims::<L::Claims>(&payload)?;
        let user = self.look_up(attempt, Some(claims), Some(token)).await?.ok_or(Code::UserNotFound)?;
        // The lookup took the claims by value, and they need not be `Clone`.
        let (claims, _) = self.verifier.read_claims::<L::Claims>(&payload)?;
        let token = TokenFacts {
            issuer: registered.issuer.as_deref().map(str::to_owned),
            subject: registered.subject.as_deref().map(str::to_owned),
            issued: registered.issued,
            expires_at: registered.expires_at(),
        };
        Ok(self.user_session(user, Details::of_token(claims, token)))
    }

    async fn admit_guest<A: Adapter>(&self, attempt: &Attempt<'_, A>) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let details = Details::of_guest::<L::Claims>();
        let user = if L::CALLED_FOR_GUESTS { self.look_up(attempt, None, None).await? } else { None };
        Ok(match user {
            Some(user) => self.user_session(user, details),
            None => Arc::new(GuestSession::<L::User>::new(details)),
        })
    }

    fn user_session(&self, user: L::User, mut details: Details) -> Arc<dyn Session> {
        // A guest of the application's own is nobody to be reached.
        if let Some(key) = self.user_key.as_ref().filter(|_| !details.is_guest()) {
            details.room = Some(user_room(key(&user)));
        }
        Arc::new(UserSession { user: Arc::new(user), details })
    }

    async fn look_up<A: Adapter>(
        &self,
        attempt: &Attempt<'_, A>,
        claims: Option<L::Claims>,
        token: Option<&RawToken>,
    ) -> Result<Option<L::User>, AuthError>
    where
        L: LookupOn<A>,
    {
        let request = LookupRequest { socket: attempt.socket, payload: attempt.payload, token };
        timeout(self.lookup_timeout, self.lookup.look_up(claims, request)).await.map_err(|_| Code::LookupTimeout)?
    }
}

/// The cause of a failure of the server is for its operator; a client's own mistakes are not the operator's business.
pub(crate) fn log_refusal<A: Adapter>(socket: &Socket<A>, error: &AuthError, what: &str) {
    let (namespace, socket, code) = (namespace(socket), socket.id, error.code());
    if let Some(cause) = std::error::Error::source(error) {
        tracing::error!(namespace, %socket, code, cause, "{what}");
    } else {
        tracing::info!(namespace, %socket, code, "{what}");
    }
}
