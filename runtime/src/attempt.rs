//! What surrounds each authentication: the rate limit, logouts that happen meanwhile, the panic
//! guard and the log.

use std::sync::Arc;

use futures_util::FutureExt;
use socketioxide::{adapter::Adapter, socket::Socket};

use crate::{
    error::{AuthError, ErrorCode},
    events::Events,
    guard, log,
    metrics::{self, Step},
    rate_limit::{AttemptPermit, limiter},
    registry::{LastServer, LogoutWatch},
    session::{
        Session,
        rooms::{AttemptKind, AttemptMark, SocketLeft},
        socket,
    },
};

/// An attempt to connect, to log in or to renew a token. It ends when this is dropped.
pub(crate) struct Attempt<'a, A: Adapter> {
    socket: &'a Arc<Socket<A>>,
    permit: AttemptPermit,
    watch: LogoutWatch,
    /// `None` if there are no other nodes.
    mark: Option<AttemptMark<'a, A>>,
}

impl<'a, A: Adapter> Attempt<'a, A> {
    /// Begins an attempt of the socket.
    ///
    /// # Errors
    ///
    /// Returns `too_many_attempts` past the limits of the connection, and `session_ended` if the
    /// socket has left.
    pub(crate) fn begin(
        socket: &'a Arc<Socket<A>>,
        server: &LastServer,
        kind: AttemptKind,
    ) -> Result<Self, AuthError> {
        let permit = limiter().begin_attempt(socket.id)?;
        let watch = server.of_socket(socket).watch();
        let mark = AttemptMark::begin(&**socket, kind).map_err(|SocketLeft| {
            AuthError::from(ErrorCode::SessionEnded).with_detail("the socket has left")
        })?;
        Ok(Self {
            socket,
            permit,
            watch,
            mark,
        })
    }

    /// Runs the attempt. Turns a panic into `internal_error`: without an answer the client would
    /// wait until its connection times out.
    ///
    /// # Errors
    ///
    /// Returns the refusal, and counts, logs and reports it.
    pub(crate) fn run(
        &self,
        events: &Events,
        refused: &str,
        attempt: impl Future<Output = Result<Arc<dyn Session>, AuthError>>,
    ) -> impl Future<Output = Result<Arc<dyn Session>, AuthError>> {
        let attempt = metrics::timed(Step::Authentication, attempt);
        guard::future("the authentication", attempt).map(move |result| {
            let result = result.and_then(|result| result);
            self.conclude(&result, events, refused);
            result
        })
    }

    fn conclude(
        &self,
        result: &Result<Arc<dyn Session>, AuthError>,
        events: &Events,
        refused: &str,
    ) {
        match result {
            // A guest resets nothing: any client can connect as a guest, as often as it likes.
            Ok(session) if session.state().is_guest() => {}
            Ok(_) => self.permit.reset(),
            Err(error) => {
                self.permit.record_refusal();
                log::refused(self.socket, events, error, refused);
            }
        }
    }

    /// Asks the store of revocations about the session, if there is one. From here on revocations
    /// find the session: one that the store does not know yet is told.
    ///
    /// # Errors
    ///
    /// Returns `token_revoked`, `revocations_unavailable`, or `token_expired` if that happened
    /// meanwhile.
    pub(crate) async fn check_revocations(
        &self,
        session: &Arc<dyn Session>,
    ) -> Result<(), AuthError> {
        let state = session.state();
        let Some(revocable) = state.in_store() else {
            return Ok(());
        };

        let socket = socket::downgrade(self.socket);
        self.watch
            .hear_revocations(session, revocable, socket, self.socket.id);
        state.check_revocations().await?;
        revocable.check_time(state.clock().now())
    }

    /// Registers the session, so that logouts find it. The socket must be in the rooms of the
    /// session, and still in those of the `previous` one, which a renewal replaces.
    ///
    /// # Errors
    ///
    /// Returns `session_ended` if one of them was logged out since the attempt began, on any node, and
    /// `token_revoked` if the session was revoked since the store was asked.
    pub(crate) fn register(
        &self,
        session: &Arc<dyn Session>,
        previous: Option<&dyn Session>,
    ) -> Result<(), ErrorCode> {
        let socket = socket::downgrade(self.socket);
        self.watch.register(session, socket, self.socket.id)?;

        let is_logged_out = |session: &dyn Session| {
            let mark = self.mark.as_ref();
            mark.is_some_and(|mark| mark.is_logged_out(session.state().rooms()))
        };
        if is_logged_out(&**session) || previous.is_some_and(is_logged_out) {
            return Err(ErrorCode::SessionEnded);
        }
        Ok(())
    }
}
