//! An attempt to authenticate as the rest of the server sees it: its limits, the logouts meanwhile, panics, and the log.

use std::sync::{Arc, Weak};

use socketioxide::{adapter::Adapter, socket::Socket};

use crate::{
    error::{AuthError, Code},
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
    /// # Errors
    ///
    /// `too_many_attempts` past the limits of the connection, `session_ended` if the socket has left.
    pub(crate) fn begin(socket: &'a Arc<Socket<A>>, kind: AttemptKind) -> Result<Self, Code> {
        // Not even logged: a client can ask thousands of times in a second.
        let permit = limiter().begin_attempt(socket.id)?;
        let watch = registry().watch();
        let mark = AttemptMark::begin(&**socket, kind).map_err(|SocketLeft| Code::SessionEnded)?;
        Ok(Self { socket, permit, watch, mark })
    }

    /// Runs the attempt. A panic in it is `internal_error`: it would leave the client waiting until its connection times
    /// out.
    ///
    /// # Errors
    ///
    /// Why the attempt is refused, which is counted and logged.
    pub(crate) async fn run(
        &self,
        refused: &str,
        attempt: impl Future<Output = Result<Arc<dyn Session>, AuthError>>,
    ) -> Result<Arc<dyn Session>, AuthError> {
        let result = guard::future("the authentication", attempt).await.and_then(|result| result);

        match &result {
            // Anybody can be a guest again and again.
            Ok(session) if session.state().is_guest() => {}
            Ok(_) => self.permit.reset(),
            Err(error) => {
                self.permit.record_refusal();
                log::refusal(self.socket, error, refused);
            }
        }
        result
    }

    /// Makes the session known to logouts. The socket must be in the room of its user.
    ///
    /// # Errors
    ///
    /// `session_ended` if the user was logged out since the attempt began, on any node.
    pub(crate) fn register(&self, session: &Arc<dyn Session>) -> Result<(), Code> {
        let Some(room) = session.state().room() else { return Ok(()) };
        let user = UserOnServer::of_socket(self.socket, Arc::clone(room));
        let socket: Weak<Socket<A>> = Arc::downgrade(self.socket);
        self.watch.register(user, session, socket)?;

        match &self.mark {
            Some(mark) if mark.is_logged_out(room) => Err(Code::SessionEnded),
            _ => Ok(()),
        }
    }
}
