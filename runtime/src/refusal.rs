//! How a refusal reaches the client.

use std::sync::{Arc, Weak};

use serde::Serialize;
use socketioxide::{
    SendError, SocketError,
    adapter::Adapter,
    extract::{AckSender, Event},
    handler::{FromMessageParts, Value},
    socket::Socket,
};

use crate::{
    error::AuthError,
    log::{self, loggable, namespace},
    retry::while_full,
    session::{rooms, store},
};

/// The event that tells a client what it was refused.
pub(crate) const UNAUTHORIZED: &str = "unauthorized";

/// What the client gets as `unauthorized`.
#[derive(Serialize)]
struct Unauthorized<'a> {
    #[serde(flatten)]
    error: &'a AuthError,
    /// The event that was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'a str>,
}

/// What the client gets as acknowledgement.
#[derive(Serialize)]
pub(crate) struct Refused<'a> {
    pub(crate) error: &'a AuthError,
}

/// An event with an acknowledgement is answered there; without, the client gets `unauthorized`.
pub(crate) fn refuse_event<A: Adapter>(
    socket: &Arc<Socket<A>>,
    value: &mut Value,
    ack_id: &Option<i64>,
    error: &AuthError,
) {
    let event = Event::from_message_parts(socket, value, ack_id).map(|Event(name)| name).ok();
    let ack = ack_id.map(|_| ack_sender(socket, *ack_id));
    answer(socket, event.as_deref(), ack, error);
}

/// The acknowledgement of an event, by its number.
pub(crate) fn ack_sender<A: Adapter>(socket: &Arc<Socket<A>>, ack_id: Option<i64>) -> AckSender<A> {
    // The event's own value is not used for it.
    let mut value = Value::Str("".into(), None);
    let Ok(ack) = AckSender::from_message_parts(socket, &mut value, &ack_id);
    ack
}

/// The same, with what was read of the event before.
pub(crate) fn answer<A: Adapter>(
    socket: &Socket<A>,
    event: Option<&str>,
    ack: Option<AckSender<A>>,
    error: &AuthError,
) {
    tracing::debug!(
        namespace = &*namespace(socket),
        socket = %socket.id,
        event = event.map(loggable).as_deref(),
        code = error.code(),
        "event refused"
    );
    // A client that does not read its channel cannot be told anything.
    match ack {
        Some(ack) => drop(ack.send(&Refused { error })),
        None => drop(tell(socket, error, event)),
    }
}

/// A socket whose connect handler did not run must not stay in the namespace.
///
/// As a parameter of another middleware the extractor runs before the socket is connected; there the error itself
/// becomes the `connect_error`.
pub(crate) fn refuse_connection<A: Adapter>(socket: &Arc<Socket<A>>, error: &AuthError) {
    if !socket.connected() {
        return;
    }
    log::refusal(socket, error, "connection refused");
    let user_room = store::of_socket(socket).and_then(|session| session.state().room().cloned());
    let ending = Ending::new(user_room, Some(Arc::new(error.for_client())));
    let socket = Arc::downgrade(socket);
    tokio::spawn(async move { ending.run(&socket).await });
}

/// The end of a socket: the client is told why, and disconnected.
pub(crate) struct Ending {
    user_room: Option<Arc<str>>,
    /// What the client is still to be told.
    pending_reason: Option<Arc<AuthError>>,
}

impl Ending {
    pub(crate) fn new(user_room: Option<Arc<str>>, reason: Option<Arc<AuthError>>) -> Self {
        Self { user_room, pending_reason: reason }
    }

    /// Tries again until it is done, if the client reads slowly.
    pub(crate) async fn run<A: Adapter>(mut self, socket: &Weak<Socket<A>>) {
        while_full(socket, |socket| self.attempt(socket)).await;
    }

    /// Does nothing if the socket has left: to socketioxide a client that has come back is the same one, and would be
    /// removed.
    ///
    /// # Errors
    ///
    /// A channel that is full, because the client does not read.
    pub(crate) fn attempt<A: Adapter>(&mut self, socket: &Arc<Socket<A>>) -> Result<(), SocketError> {
        if !socket.connected() {
            return Ok(());
        }
        // What an adapter tells the user's other sockets is not for this one.
        rooms::leave(socket, self.user_room.as_ref());

        let ended = self.tell(socket).and_then(|()| Arc::clone(socket).disconnect());
        if ended.is_err() {
            // At each attempt, because the application may put the socket into other rooms meanwhile.
            rooms::leave_ended(socket, self.user_room.as_ref());
        }
        ended
    }

    fn tell<A: Adapter>(&mut self, socket: &Socket<A>) -> Result<(), SocketError> {
        if let Some(reason) = &self.pending_reason
            && let Err(full @ SocketError::InternalChannelFull) = tell(socket, reason, None)
        {
            return Err(full);
        }
        self.pending_reason = None;
        Ok(())
    }
}

/// socketioxide 0.18.9 removes a socket from its namespace after the disconnect handler has run, and forgets to if one
/// of the handler's extractors fails. Nothing else would ever remove it; a second disconnect does. Its packet reaches
/// a client that left on its own and is already coming back, so such a handler had better take `MaybeAuthUser`.
pub(crate) fn finish_disconnect<A: Adapter>(socket: &Arc<Socket<A>>) {
    if Arc::clone(socket).disconnect().is_err() {
        let socket = Arc::downgrade(socket);
        tokio::spawn(async move { while_full(&socket, |socket| Arc::clone(socket).disconnect()).await });
    }
}

/// # Errors
///
/// A channel that is full, because the client does not read, or closed.
fn tell<A: Adapter>(socket: &Socket<A>, error: &AuthError, event: Option<&str>) -> Result<(), SocketError> {
    match socket.emit(UNAUTHORIZED, &Unauthorized { error, event }) {
        Err(SendError::Socket(error)) => Err(error),
        Ok(()) | Err(SendError::Serialize(_)) => Ok(()),
    }
}
