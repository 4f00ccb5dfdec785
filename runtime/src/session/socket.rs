//! A socket with any adapter, for code that does not depend on the adapter.

use std::{
    any::Any,
    borrow::Cow,
    sync::{Arc, Weak},
};

use serde::Serialize;
use socketioxide::{
    SendError, SocketError,
    adapter::Adapter,
    socket::{Sid, Socket},
};

use super::{
    Session,
    expiry::ExpiresAt,
    rooms::{self, SessionRooms},
    store,
};
use crate::{error::AuthError, guard, log, refusal};

/// The event that tells a client about a refusal.
pub(crate) const UNAUTHORIZED: &str = "unauthorized";

/// The event that warns a client of the expiry of its token.
pub(crate) const TOKEN_EXPIRING: &str = "token_expiring";

/// An event of this crate.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum Message<'a> {
    Unauthorized(Unauthorized<'a>),
    TokenExpiring(ExpiresAt),
    Announcement(Announcement),
}

/// The data of the event [`UNAUTHORIZED`].
#[derive(Debug, Serialize)]
pub(crate) struct Unauthorized<'a> {
    #[serde(flatten)]
    pub(crate) error: &'a AuthError,
    /// The event that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event: Option<&'a str>,
}

/// The data of the `announce_event`.
#[derive(Debug, Serialize)]
pub(crate) struct Announcement {
    pub(crate) logged_in: bool,
    #[serde(flatten)]
    pub(crate) expires: ExpiresAt,
}

/// A socket with any adapter.
pub(crate) trait AnySocket: Any + Send + Sync {
    /// Returns the id, which is that of the connection: the sockets of a connection in other
    /// namespaces have the same one.
    fn connection(&self) -> Sid;

    /// Returns the namespace for the log.
    fn namespace(&self) -> Cow<'_, str>;

    fn is_connected(&self) -> bool;

    /// See [`rooms::is_in_namespace`].
    fn is_in_namespace(&self) -> bool;

    /// Emits an event.
    ///
    /// # Errors
    ///
    /// Returns an error if the client's channel is closed, or full because the client does not
    /// read.
    fn send(&self, event: &str, message: &Message<'_>) -> Result<(), SocketError>;

    /// Disconnects the socket.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`send`](Self::send).
    fn close(self: Arc<Self>) -> Result<(), SocketError>;

    /// Hangs up the connection, if its listener can do that.
    #[cfg(feature = "axum")]
    fn hang_up(&self);

    /// Returns the session that the socket has now.
    fn session(&self) -> Option<Arc<dyn Session>>;

    /// See [`rooms::leave`].
    fn leave_rooms(&self, rooms: &SessionRooms);

    /// See [`rooms::leave_ended`].
    fn leave_ended(&self, rooms: &SessionRooms);
}

impl<A: Adapter> AnySocket for Socket<A> {
    fn connection(&self) -> Sid {
        self.id
    }

    fn namespace(&self) -> Cow<'_, str> {
        log::namespace(self)
    }

    fn is_connected(&self) -> bool {
        self.connected()
    }

    fn is_in_namespace(&self) -> bool {
        rooms::is_in_namespace(self)
    }

    fn send(&self, event: &str, message: &Message<'_>) -> Result<(), SocketError> {
        match self.emit(event, message) {
            Err(SendError::Socket(error)) => Err(error),
            Ok(()) | Err(SendError::Serialize(_)) => Ok(()),
        }
    }

    fn close(self: Arc<Self>) -> Result<(), SocketError> {
        let socket = Arc::clone(&self);
        let closed = guard::call("an extractor of the disconnect handler", || {
            socket.disconnect()
        });
        closed.unwrap_or_else(|error| {
            log::refusal(&*self, &error, "the disconnect handler was not called");
            refusal::finish_disconnect(&self);
            Ok(())
        })
    }

    #[cfg(feature = "axum")]
    fn hang_up(&self) {
        crate::axum::hang_up::socket(self);
    }

    fn session(&self) -> Option<Arc<dyn Session>> {
        store::of_socket(self)
    }

    fn leave_rooms(&self, rooms: &SessionRooms) {
        rooms::leave(self, rooms);
    }

    fn leave_ended(&self, rooms: &SessionRooms) {
        rooms::leave_ended(self, rooms);
    }
}

/// Whether a disconnected socket is still in its namespace although its disconnect handler does not
/// run any more, because it panicked: only the namespace and the caller hold the socket.
/// socketioxide 0.18.9 removes a socket after its handler.
pub(crate) fn is_abandoned(socket: &Arc<dyn AnySocket>) -> bool {
    !socket.is_connected() && Arc::strong_count(socket) == 2 && socket.is_in_namespace()
}

/// Returns a reference that does not keep the socket alive.
pub(crate) fn downgrade<A: Adapter>(socket: &Arc<Socket<A>>) -> Weak<dyn AnySocket> {
    let socket: Weak<Socket<A>> = Arc::downgrade(socket);
    socket
}
