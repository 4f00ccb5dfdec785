//! The connect middleware, which socketioxide calls for each connection to a namespace.

use std::{
    fmt::{self, Display},
    sync::Arc,
};

use socketioxide::{
    adapter::Adapter,
    handler::{ConnectMiddleware, Value},
    socket::Socket,
};

use crate::{
    attempt::Attempt,
    authenticate::Authenticator,
    error::{AuthError, ConfigError},
    log,
    lookup::{LookupOn, LookupRequest, UserLookup},
    renewal::AuthenticateHandler,
    session::{self, rooms::AttemptKind, store},
    verify::Verifier,
};

/// The connect middleware that `your_function::middleware()` returns, for
/// [`ConnectHandler::with`](socketioxide::handler::ConnectHandler::with).
///
/// It is cheap to clone, because clones share everything. See [`jwt_auth`](crate::jwt_auth) for
/// what it does.
pub struct JwtAuth<L: UserLookup>(Arc<Shared<L>>);

/// What the clones of a middleware share.
pub(crate) struct Shared<L: UserLookup> {
    pub(crate) authenticator: Arc<Authenticator<L>>,
    pub(crate) authenticate_event: Option<String>,
    pub(crate) announce_event: Option<String>,
}

impl<L: UserLookup> JwtAuth<L> {
    pub(crate) fn new(shared: Shared<L>) -> Self {
        Self(Arc::new(shared))
    }

    /// Fetches the keys from a URL now, instead of at the first connection: for the start of a
    /// server, or a readiness check. See [`Verifier::warm_up`].
    ///
    /// # Errors
    ///
    /// There are no usable keys. The error names every URL and issuer whose keys cannot be fetched,
    /// and says why.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{ConfigError, JwtAuth, UserLookup};
    /// async fn start<L: UserLookup>(middleware: &JwtAuth<L>) -> Result<(), ConfigError> {
    ///     middleware.warm_up().await
    /// }
    /// ```
    pub async fn warm_up(&self) -> Result<(), ConfigError> {
        self.verifier().warm_up().await
    }

    /// Returns the verifier of this middleware, for checking the same tokens elsewhere.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{JwtAuth, UserLookup, Verifier};
    /// fn share<L: UserLookup>(middleware: &JwtAuth<L>) -> Verifier {
    ///     middleware.verifier().clone()
    /// }
    /// ```
    pub fn verifier(&self) -> &Verifier {
        &self.0.authenticator.verifier
    }

    #[cfg(feature = "axum")]
    pub(crate) fn lookup_timeout(&self) -> std::time::Duration {
        self.0.authenticator.lookup_timeout
    }
}

#[cfg(feature = "axum")]
impl<L: UserLookup> JwtAuth<L> {
    pub(crate) fn authenticator(&self) -> &Authenticator<L> {
        &self.0.authenticator
    }

    pub(crate) fn is_clone_of(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Marks this implementation, so that it does not overlap with socketioxide's blanket
/// implementations for closures.
#[derive(Debug)]
#[doc(hidden)]
pub struct ViaJwtAuth(());

// The compiler shows this line for a `Result` of a middleware.
#[rustfmt::skip]
impl<A: Adapter, L: LookupOn<A>> ConnectMiddleware<A, ViaJwtAuth> for JwtAuth<L> { // `middleware()` returns a `Result`: add `?`
    async fn call<'a>(
        &'a self,
        socket: Arc<Socket<A>>,
        payload: &'a Option<Value>,
    ) -> Result<(), Box<dyn Display + Send>> {
        match self.0.connect(&socket, payload).await {
            Ok(()) => Ok(()),
            Err(error) => Err(Box::new(error)),
        }
    }
}

impl<L: UserLookup> Shared<L> {
    async fn connect<A: Adapter>(
        self: &Arc<Self>,
        socket: &Arc<Socket<A>>,
        payload: &Option<Value>,
    ) -> Result<(), AuthError>
    where
        L: LookupOn<A>,
    {
        let events = &self.authenticator.events;
        let attempt =
            Attempt::begin(socket, &self.authenticator.server, AttemptKind::Connection)
                .inspect_err(|error| log::refused(socket, events, error, "connection refused"))?;

        let session = attempt
            .run(events, "connection refused", async {
                let session = self
                    .authenticator
                    .authenticate(&LookupRequest::of_socket(socket, payload))
                    .await?;
                attempt.check_revocations(&session).await?;
                store::begin(socket, &session, || attempt.register(&session, None))?;
                Ok(session)
            })
            .await?;

        session.state().start_timers();
        if let Some(event) = &self.authenticate_event {
            socket.on(event.clone(), AuthenticateHandler::new(Arc::clone(self)));
        }
        session::once_connected(
            socket,
            &session,
            self.announce_event.as_deref(),
            &self.authenticator.expiry.clock,
        );
        log::admitted(socket, &*session, "connected");

        Ok(())
    }
}

impl<L: UserLookup> Clone for JwtAuth<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: UserLookup> fmt::Debug for JwtAuth<L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("JwtAuth")
            .field("verifier", self.verifier())
            .finish_non_exhaustive()
    }
}
