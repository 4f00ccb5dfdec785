//! The connect middleware: what socketioxide calls for a connection.

use std::{
    fmt::{self, Display},
    panic::AssertUnwindSafe,
    sync::Arc,
};

use futures_util::FutureExt;
use socketioxide::{
    adapter::Adapter,
    handler::{ConnectMiddleware, Value},
    socket::Socket,
};

use crate::{
    error::AuthError,
    life,
    lookup::{LookupOn, UserLookup},
    pipeline::{Attempt, Pipeline, log_refusal},
    renewal::AuthenticateHandler,
    session::{self, namespace},
    verify::Verifier,
};

/// The connect middleware: what `your_function::middleware()` returns, for
/// [`ConnectHandler::with`](socketioxide::handler::ConnectHandler::with).
///
/// Cheap to clone: clones share everything. See [`jwt_auth`](crate::jwt_auth) for what it does.
pub struct JwtAuth<L: UserLookup>(Arc<Pipeline<L>>);

impl<L: UserLookup> JwtAuth<L> {
    pub(crate) fn new(pipeline: Pipeline<L>) -> Self {
        Self(Arc::new(pipeline))
    }

    /// The verifier of this middleware, for checking the same tokens elsewhere.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{JwtAuth, UserLookup, Verifier};
    /// fn share<L: UserLookup>(middleware: &JwtAuth<L>) -> Verifier {
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
        // Not even logged: a client can ask thousands of times in a second.
        if let Err(error) = self.0.refusals.check(socket.id) {
            return Err(Box::new(error));
        }
        // A panic in here would leave the client waiting until its connection times out.
        let admission = AssertUnwindSafe(self.0.admit(Attempt { socket: &socket, payload })).catch_unwind();
        let admitted = admission.await.unwrap_or_else(|_| Err(AuthError::internal("the user lookup panicked")));
        match admitted.and_then(|session| session::begin(&socket, &session).map(|()| session)) {
            Ok(session) => {
                life::start(&socket, &session, &self.0.life);
                self.0.refusals.forget(socket.id);
                if let Some(event) = &self.0.authenticate_event {
                    socket.on(event.clone(), AuthenticateHandler::new(Arc::clone(&self.0)));
                }
                tracing::debug!(namespace = namespace(&socket), socket = %socket.id, "connection accepted");
                Ok(())
            }
            Err(error) => {
                self.0.refusals.count(socket.id, error.kind());
                log_refusal(&socket, &error, "connection refused");
                Err(Box::new(error))
            }
        }
    }
}

impl<L: UserLookup> Clone for JwtAuth<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: UserLookup> fmt::Debug for JwtAuth<L> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("JwtAuth").field("verifier", &self.0.verifier).finish_non_exhaustive()
    }
}
