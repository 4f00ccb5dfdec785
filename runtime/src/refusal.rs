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

use crate::{error::AuthError, persist::persist, session::namespace};

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
    let Ok(ack) = AckSender::from_message_parts(socket, value, ack_id);
    answer(socket, event.as_deref(), ack_id.is_some().then_some(ack), error);
}

/// The same, with what was read of the event before.
pub(crate) fn answer<A: Adapter>(
    socket: &Socket<A>,
    event: Option<&str>,
    ack: Option<AckSender<A>>,
    error: &AuthError,
) {
    tracing::debug!(namespace = namespace(socket), socket = %socket.id, event, code = error.code(), "event refused");
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
    tracing::info!(namespace = namespace(socket), socket = %socket.id, code = error.code(), "connection refused");
    let (socket, error) = (Arc::downgrade(socket), error.for_client());
    tokio::spawn(async move { dismiss(&socket, &error).await });
}

/// Tells the client why and disconnects it, in its own time if it reads slowly.
pub(crate) async fn dismiss<A: Adapter>(socket: &Weak<Socket<A>>, error: &AuthError) {
    persist(socket, |socket| tell(socket, error, None)).await;
    persist(socket, disconnect).await;
}

/// socketioxide 0.18.9 removes a socket from its namespace after the disconnect handler has run, and forgets to if one
/// of the handler's extractors fails. Nothing else would ever remove it; a second disconnect does. Its packet reaches
/// a client that left on its own and is already coming back, so such a handler had better take `MaybeAuthUser`.
pub(crate) fn finish_disconnect<A: Adapter>(socket: &Arc<Socket<A>>) {
    if Arc::clone(socket).disconnect().is_err() {
        let socket = Arc::downgrade(socket);
        tokio::spawn(async move { persist(&socket, |socket| Arc::clone(socket).disconnect()).await });
    }
}

/// Nothing, if the socket has left: to socketioxide a client that has come back is the same one, and would be removed.
///
/// # Errors
///
/// A channel that is full, because the client does not read.
fn disconnect<A: Adapter>(socket: &Arc<Socket<A>>) -> Result<(), SocketError> {
    if socket.connected() { Arc::clone(socket).disconnect() } else { Ok(()) }
}

/// # Errors
///
/// A channel that is full, because the client does not read, or closed.
pub(crate) fn tell<A: Adapter>(socket: &Socket<A>, error: &AuthError, event: Option<&str>) -> Result<(), SocketError> {
    match socket.emit(UNAUTHORIZED, &Unauthorized { error, event }) {
        Err(SendError::Socket(error)) => Err(error),
        Ok(()) | Err(SendError::Serialize(_)) => Ok(()),
    }
}
