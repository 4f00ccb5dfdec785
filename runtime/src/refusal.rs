//! Tells clients about refusals, and disconnects sockets.

use std::sync::{Arc, Weak};

use serde::Serialize;
use socketioxide::{
    SocketError,
    adapter::Adapter,
    extract::{AckSender, Event},
    handler::{FromMessageParts, Value},
    socket::Socket,
};

use crate::{
    error::AuthError,
    log::{self, loggable, namespace},
    retry::{until_connected, until_removed, while_full},
    session::{
        Session, SessionState,
        rooms::SessionRooms,
        socket::{self, AnySocket, Message, UNAUTHORIZED, Unauthorized},
        store,
    },
};

/// The data of an acknowledgement that refuses an event.
#[derive(Serialize)]
pub(crate) struct Refused<'a> {
    pub(crate) error: &'a AuthError,
}

/// Refuses an event: in its acknowledgement if the client asked for one, else by the event
/// `unauthorized`.
pub(crate) fn refuse_event<A: Adapter>(
    socket: &Arc<Socket<A>>,
    value: &mut Value,
    ack_id: &Option<i64>,
    error: &AuthError,
) {
    let event = Event::from_message_parts(socket, value, ack_id)
        .map(|Event(name)| name)
        .ok();
    let ack = ack_id.map(|_| ack_sender(socket, *ack_id));
    answer(socket, event.as_deref(), ack, error);
}

/// Returns the sender of an acknowledgement.
pub(crate) fn ack_sender<A: Adapter>(socket: &Arc<Socket<A>>, ack_id: Option<i64>) -> AckSender<A> {
    // The extractor does not look at the value of the event.
    let mut value = Value::Str("".into(), None);
    let Ok(ack) = AckSender::from_message_parts(socket, &mut value, &ack_id);
    ack
}

/// Refuses an event like [`refuse_event`], for a caller that has extracted its name and its
/// acknowledgement.
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
        code = error.code().as_str(),
        detail = error.detail(),
        "event refused"
    );

    // The refusal is lost if the client does not read: its channel is full.
    match ack {
        Some(ack) => drop(ack.send(&Refused { error })),
        None => drop(tell(socket, error, event)),
    }
}

/// Disconnects a socket whose connect handler did not run, because an extractor failed.
///
/// Does nothing before the socket is connected: there the extractor is a parameter of another
/// middleware, and its error becomes the `connect_error`.
pub(crate) fn refuse_connection<A: Adapter>(socket: &Arc<Socket<A>>, error: &AuthError) {
    if !socket.connected() {
        return;
    }
    let session = store::of_socket(socket);
    let state = session.as_deref().map(Session::state);
    if let Some(state) = state {
        state.end(error.code());
    }
    log::ended_by_extractor(socket, state, error);

    let rooms = state.map(|state| state.rooms().clone());
    let ending = Ending::new(rooms.unwrap_or_default(), Arc::new(error.for_client()));
    let socket = socket::downgrade(socket);
    tokio::spawn(async move { ending.run(&socket).await });
}

/// Logs why a session has ended, tells its client and disconnects it, in a task.
pub(crate) fn end_session(socket: &Arc<dyn AnySocket>, session: &SessionState, reason: &AuthError) {
    log::ended(&**socket, session, reason, "session ended");
    let ending = Ending::new(session.rooms().clone(), Arc::new(reason.for_client()));
    let socket = Arc::downgrade(socket);
    tokio::spawn(async move {
        until_connected(&socket).await;
        ending.run(&socket).await;
    });
}

/// Tells a client why its session has ended, and disconnects it.
pub(crate) struct Ending {
    rooms: SessionRooms,
    /// The reason that the client has not been told yet.
    pending_reason: Option<Arc<AuthError>>,
}

impl Ending {
    pub(crate) fn new(rooms: SessionRooms, reason: Arc<AuthError>) -> Self {
        Self {
            rooms,
            pending_reason: Some(reason),
        }
    }

    /// Tells and disconnects the client. Tries again while its channel is full.
    pub(crate) async fn run(mut self, socket: &Weak<dyn AnySocket>) {
        let ending = while_full(socket, |socket| self.attempt(socket));
        #[cfg(feature = "axum")]
        let ending = crate::axum::hang_up::if_deaf(ending, || {
            if let Some(socket) = socket.upgrade() {
                socket.hang_up();
            }
        });
        ending.await;
        until_removed(socket).await;
    }

    /// Tries once to tell and disconnect the client.
    ///
    /// Does nothing if the socket has left: a client that came back has a socket with the same id,
    /// which socketioxide would remove instead.
    ///
    /// # Errors
    ///
    /// Returns an error if the client's channel is full, because the client does not read.
    pub(crate) fn attempt(&mut self, socket: &Arc<dyn AnySocket>) -> Result<(), SocketError> {
        if !socket.is_connected() {
            return Ok(());
        }
        // From now on this socket gets no event that is sent to the sockets of the user.
        socket.leave_rooms(&self.rooms);

        let ended = self
            .tell(&**socket)
            .and_then(|()| Arc::clone(socket).close());
        if ended.is_err() {
            // After each failure, because the application may have put the socket into other rooms
            // meanwhile.
            socket.leave_ended(&self.rooms);
        }
        ended
    }

    fn tell(&mut self, socket: &dyn AnySocket) -> Result<(), SocketError> {
        if let Some(reason) = &self.pending_reason
            && let Err(full @ SocketError::InternalChannelFull) = tell(socket, reason, None)
        {
            return Err(full);
        }
        self.pending_reason = None;
        Ok(())
    }
}

/// Removes a socket from its namespace if an extractor of its disconnect handler fails.
///
/// socketioxide 0.18.9 removes a socket after the disconnect handler has run, but leaves it there
/// for ever if one of the handler's extractors fails; a second disconnect removes it. If the client
/// left and is connecting again, it gets the packet of this disconnect, so such a handler should
/// take `MaybeAuthUser`.
pub(crate) fn finish_disconnect<A: Adapter>(socket: &Arc<Socket<A>>) {
    if Arc::clone(socket).disconnect().is_err() {
        let socket = socket::downgrade(socket);
        tokio::spawn(async move { while_full(&socket, |socket| Arc::clone(socket).close()).await });
    }
}

/// Emits `unauthorized`.
///
/// # Errors
///
/// Returns an error if the client's channel is closed, or full because the client does not read.
fn tell(socket: &dyn AnySocket, error: &AuthError, event: Option<&str>) -> Result<(), SocketError> {
    let refusal = Message::Unauthorized(Unauthorized { error, event });
    socket.send(UNAUTHORIZED, &refusal)
}
