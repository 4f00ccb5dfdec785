//! The answer of a handler to an event.

use std::{convert::Infallible, error::Error, fmt, sync::Arc};

use serde::Serialize;
use socketioxide::{
    SendError,
    adapter::{Adapter, LocalAdapter},
    extract::{AckSender, Event},
    handler::{FromMessageParts, Value},
    socket::Socket,
};

use crate::{
    error::AuthError,
    guard,
    log::{loggable, namespace},
    refusal,
};

/// Answers an event with the `Result` of a handler. A client gets the handler's error in the same
/// form as a refusal by an extractor.
///
/// An `Ok` is sent in the acknowledgement, if the client asked for one (`Ok(())` as `null`). An
/// `Err` is sent there as `{"error": {"code", "message", "action"}}`, or as the event `unauthorized` if the
/// client asked for none. As in a user lookup, the client gets an [`AuthError`] unchanged, also if
/// it is only among the sources of the error; every other error is `internal_error` to the client,
/// and its cause goes to `tracing`.
///
/// ```
/// use socketioxide::extract::Data;
/// use socketioxide_jwt_auth::{AuthError, AuthUser, Reply};
///
/// struct User { name: String }
///
/// async fn post(user: AuthUser<User>, Data(text): Data<String>, reply: Reply) {
///     reply.send(save(&user, &text).await);
/// }
///
/// async fn save(user: &User, text: &str) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
///     if text.is_empty() {
///         return Err(AuthError::denied("write something").into());
///     }
///     let number = "1".parse()?;
///     Ok(number)
/// }
/// ```
pub struct Reply<A: Adapter = LocalAdapter> {
    socket: Arc<Socket<A>>,
    event: Option<String>,
    ack_id: Option<i64>,
}

impl<A: Adapter> Reply<A> {
    /// Answers the event. The answer is lost if the client has left or reads too slowly.
    pub fn send<T: Serialize, E: Into<Box<dyn Error + Send + Sync>>>(self, outcome: Result<T, E>) {
        match outcome {
            Ok(value) => self.accept(&value),
            Err(error) => self.refuse(&AuthError::from(error.into())),
        }
    }

    fn accept(self, value: &impl Serialize) {
        let Some(ack) = self.ack() else { return };
        let sent = guard::call("`Serialize` of the answer", || ack.send(value));
        let failure = match sent {
            Err(panicked) => panicked,
            Ok(Err(SendError::Serialize(error))) => AuthError::internal(error),
            // The client has left, or reads too slowly.
            Ok(Ok(()) | Err(SendError::Socket(_))) => return,
        };
        self.refuse(&failure);
    }

    fn refuse(self, error: &AuthError) {
        let (socket, event) = (&*self.socket, self.event.as_deref());
        if let Some(cause) = error.source() {
            tracing::error!(
                namespace = &*namespace(socket),
                socket = %socket.id,
                event = event.map(loggable).as_deref(),
                cause = guard::error_chain(cause),
                "event failed"
            );
        }
        refusal::answer(socket, event, self.ack(), error);
    }

    fn ack(&self) -> Option<AckSender<A>> {
        self.ack_id
            .map(|_| refusal::ack_sender(&self.socket, self.ack_id))
    }
}

impl<A: Adapter> FromMessageParts<A> for Reply<A> {
    type Error = Infallible;

    fn from_message_parts(
        socket: &Arc<Socket<A>>,
        value: &mut Value,
        ack_id: &Option<i64>,
    ) -> Result<Self, Infallible> {
        let event = Event::from_message_parts(socket, value, ack_id)
            .map(|Event(name)| name)
            .ok();

        Ok(Self {
            socket: Arc::clone(socket),
            event,
            ack_id: *ack_id,
        })
    }
}

impl<A: Adapter> fmt::Debug for Reply<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Reply")
            .field("event", &self.event)
            .finish_non_exhaustive()
    }
}
