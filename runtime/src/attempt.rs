//! What surrounds each authentication: the rate limit, logouts that happen meanwhile, the panic
//! guard and the log.

use std::sync::{Arc, Weak};

use futures_util::FutureExt;
use socketioxide::{adapter::Adapter, socket::Socket};

use crate::{
    error::{AuthError, ErrorCode},
    guard, log,
    rate_limit::{AttemptPermit, limiter},
    registry::{LogoutWatch, UserOnServer, registry},
    session::{
        Session,
        rooms::{AttemptKind, AttemptMark, SocketLeft},
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
    pub(crate) fn begin(socket: &'a Arc<Socket<A>>, kind: AttemptKind) -> Result<Self, AuthError> {
        let permit = limiter().begin_attempt(socket.id)?;
        let watch = registry().watch();
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
    /// Returns the refusal, and counts and logs it.
    pub(crate) fn run(
        &self,
        refused: &str,
        attempt: impl Future<Output = Result<Arc<dyn Session>, AuthError>>,
    ) -> impl Future<Output = Result<Arc<dyn Session>, AuthError>> {
        guard::future("the authentication", attempt).map(move |result| {
            let result = result.and_then(|result| result);
            self.conclude(&result, refused);
            result
        })
    }

    fn conclude(&self, result: &Result<Arc<dyn Session>, AuthError>, refused: &str) {
        match result {
            // A guest resets nothing: any client can connect as a guest, as often as it likes.
            Ok(session) if session.state().is_guest() => {}
            Ok(_) => self.permit.reset(),
            Err(error) => {
                self.permit.record_refusal();
                log::refusal(self.socket, error, refused);
            }
        }
    }

    /// Registers the session, so that logouts find it. The socket must be in the room of its user.
    ///
    /// # Errors
    ///
    /// Returns `session_ended` if the user was logged out since the attempt began, on any node.
    pub(crate) fn register(&self, session: &Arc<dyn Session>) -> Result<(), ErrorCode> {
        let Some(room) = session.state().room() else {
            return Ok(());
        };
        let user = UserOnServer::of_socket(self.socket, Arc::clone(room));
        let socket: Weak<Socket<A>> = Arc::downgrade(self.socket);
        self.watch.register(user, session, socket)?;

        match &self.mark {
            Some(mark) if mark.is_logged_out(room) => Err(ErrorCode::SessionEnded),
            _ => Ok(()),
        }
    }
}
