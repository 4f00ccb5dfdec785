//! The way of a connection, from its handshake to its session.

use std::{
    fmt::{self, Display},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use socketioxide::{
    adapter::Adapter,
    extract::Data,
    handler::{ConnectMiddleware, FromConnectParts, Value},
    socket::Socket,
};
use tokio::time::timeout;

use crate::{
    attempts::Refusals,
    error::{AuthError, Code},
    lookup::{LookupOn, LookupRequest, UserLookup},
    origin::{self, Origin},
    session::{self, Details, GuestSession, Session, UserSession, namespace},
    token::{self, AuthPayload, RawToken, TokenSource},
    verify::{TokenOrigin, Verifier},
};

/// The connect middleware: what `your_function::middleware()` returns, for
/// [`ConnectHandler::with`](socketioxide::handler::ConnectHandler::with).
///
/// Cheap to clone: clones share everything. See [`jwt_auth`](crate::jwt_auth) for what it does.
pub struct JwtAuth<L>(Arc<Pipeline<L>>);

/// What decides about a client, at its connection and after it.
pub(crate) struct Pipeline<L> {
    pub(crate) lookup: L,
    pub(crate) verifier: Verifier,
    pub(crate) sources: Vec<TokenSource>,
    pub(crate) allowed_origins: Option<Vec<Origin>>,
    pub(crate) guest: bool,
    pub(crate) lookup_timeout: Duration,
    pub(crate) refusals: Refusals,
}

/// Somebody who asks to be let in.
struct Attempt<'a, A: Adapter> {
    socket: &'a Arc<Socket<A>>,
    payload: &'a Option<Value>,
}

impl<L> JwtAuth<L> {
    pub(crate) fn new(pipeline: Pipeline<L>) -> Self {
        Self(Arc::new(pipeline))
    }

    /// The verifier of this middleware, for checking the same tokens elsewhere.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{JwtAuth, Verifier};
    /// fn share<L>(middleware: &JwtAuth<L>) -> Verifier {
    ///     middleware.verifier().clone()
    /// }
    /// ```
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }
}

/// Tells socketioxide's blanket implementations for closures from this one.
#[derive(Debug)]
#[doc(hidden)]
pub struct ViaJwtAuth(());

impl<A: Adapter, L: LookupOn<A>> ConnectMiddleware<A, ViaJwtAuth> for JwtAuth<L> {
    async fn call<'a>(
        &'a self,
        socket: Arc<Socket<A>>,
        payload: &'a Option<Value>,
    ) -> Result<(), Box<dyn Display + Send>> {
        // A panic in here would leave the client waiting until its connection times out.
        let admission = AssertUnwindSafe(self.0.admit(Attempt { socket: &socket, payload })).catch_unwind();
        let admitted = admission.await.unwrap_or_else(|_| Err(AuthError::internal("the user lookup panicked")));
        match admitted.and_then(|session| session::begin(&socket, session)) {
            Ok(()) => {
                self.0.refusals.forget(socket.id);
                tracing::debug!(namespace = namespace(&socket), socket = %socket.id, "connection accepted");
                Ok(())
            }
            Err(error) => {
                self.0.refusals.count(socket.id, error.kind());
                log_refusal(&socket, &error);
                Err(Box::new(error))
            }
        }
    }
}

impl<L: UserLookup> Pipeline<L> {
    async fn admit<A: Adapter>(&self, attempt: Attempt<'_, A>) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        self.refusals.check(attempt.socket.id)?;
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

    async fn log_in<A: Adapter>(
        &self,
        attempt: &Attempt<'_, A>,
        token: &RawToken,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let origin =
            TokenOrigin { parts: Some(attempt.socket.req_parts()), namespace: Some(attempt.socket.ns()) };
        // The keys may be the application's own source, which nothing else bounds.
        let payload = timeout(self.lookup_timeout, self.verifier.check_signature(token.as_str(), origin));
        let payload = payload.await.map_err(|_| Code::KeysUnavailable)??;
        let (claims, registered) = self.verifier.read_claims::<L::Claims>(&payload)?;
        let user = self.look_up(attempt, Some(claims), Some(token)).await?.ok_or(Code::UserNotFound)?;
        // The lookup took the claims by value, and they need not be `Clone`.
        let (claims, _) = self.verifier.read_claims::<L::Claims>(&payload)?;
        let details = Details::new(Some(Arc::new(claims)), registered.expires_at());
        Ok(Arc::new(UserSession { user: Arc::new(user), details }))
    }

    async fn admit_guest<A: Adapter>(&self, attempt: &Attempt<'_, A>) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let details = Details::new::<L::Claims>(None, None);
        let user = if L::CALLED_FOR_GUESTS { self.look_up(attempt, None, None).await? } else { None };
        Ok(match user {
            Some(user) => Arc::new(UserSession { user: Arc::new(user), details }),
            None => Arc::new(GuestSession::<L::User>::new(details)),
        })
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
fn log_refusal<A: Adapter>(socket: &Socket<A>, error: &AuthError) {
    let (namespace, socket, code) = (namespace(socket), socket.id, error.code());
    match std::error::Error::source(error) {
        Some(cause) => tracing::error!(namespace, %socket, code, cause, "connection refused"),
        None => tracing::info!(namespace, %socket, code, "connection refused"),
    }
}

impl<L> Clone for JwtAuth<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L> fmt::Debug for JwtAuth<L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JwtAuth").field("verifier", &self.0.verifier).finish_non_exhaustive()
    }
}
