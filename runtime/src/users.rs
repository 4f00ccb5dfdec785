//! All sockets of one user, in every namespace and on every node.

mod disconnect;

use std::{fmt::Display, sync::Arc};

use socketioxide::{SocketIo, adapter::Adapter};

use crate::{error::AuthError, session::rooms};

/// The room that every socket of a user is in, if the middleware has a `user_key`.
///
/// Two keys never share a room, whatever characters they are made of.
///
/// ```
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::user_room;
///
/// async fn notify(io: &SocketIo, user_id: i64) {
///     io.to(user_room(user_id)).emit("notification", "you have mail").await.ok();
/// }
/// ```
pub fn user_room(key: impl Display) -> String {
    rooms::of_user(key)
}

/// Why a user could not be disconnected everywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The adapter did not reach the other nodes. The sockets of this node are ended nevertheless.
    #[error("the other nodes could not be told to disconnect the user: {0}")]
    // The error of an adapter need not be `Sync`, so only its text can be kept.
    Adapter(String),
    /// A client reads so slowly that it could not be disconnected in time. On this node its session has ended, and it is
    /// disconnected as soon as it reads. On another node it may still act as the user until then.
    #[error(
        "a client reads too slowly to be disconnected; its session has ended, and it is disconnected once it reads"
    )]
    SlowClient,
}

/// Disconnects all sockets of a user: in every namespace that this node knows, and with a remote adapter on every
/// node. The middleware needs a `user_key`.
///
/// The sessions on this node end first: no handler that asks for the user is called any more, however slowly the clients
/// read. A connection, login or renewal of the user that began before is refused with `session_ended`, on every node,
/// whether its lookup or a later connect middleware runs.
///
/// It ends sockets, not tokens: refuse the user in the lookup before you call it, or the user comes back with the next
/// connection. It does not reach the sockets of a dynamic namespace that only other nodes have clients in, because this
/// node does not know of it.
///
/// # Errors
///
/// The adapter fails, or a client reads too slowly. All other sockets are disconnected nevertheless. A node that hangs
/// goes unnoticed.
///
/// ```
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::disconnect_user;
///
/// async fn log_out(io: &SocketIo, user_id: i64) {
///     if let Err(error) = disconnect_user(io, user_id).await {
///         eprintln!("user {user_id} may still be connected: {error}");
///     }
/// }
/// ```
pub async fn disconnect_user<A: Adapter>(io: &SocketIo<A>, key: impl Display) -> Result<(), DisconnectError> {
    disconnect::end(io, &user_room(key), None).await
}

/// [`disconnect_user`], after telling the client why: it gets `unauthorized` with the code and the words of the error.
///
/// # Errors
///
/// As [`disconnect_user`].
///
/// ```
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::{AuthError, disconnect_user_because};
///
/// async fn remove(io: &SocketIo, user_id: i64) {
///     disconnect_user_because(io, user_id, &AuthError::denied("removed by a moderator")).await.ok();
/// }
/// ```
pub async fn disconnect_user_because<A: Adapter>(
    io: &SocketIo<A>,
    key: impl Display,
    reason: &AuthError,
) -> Result<(), DisconnectError> {
    disconnect::end(io, &user_room(key), Some(Arc::new(reason.for_client()))).await
}

#[cfg(test)]
mod tests {
    /// Compiles only if it can be awaited in a handler, on any adapter.
    #[expect(dead_code, reason = "it need not run")]
    fn a_handler_can_wait_for_it<A: socketioxide::adapter::Adapter>(io: socketioxide::SocketIo<A>, key: String) {
        fn assert_handler(_: impl Future<Output = ()> + Send + 'static) {}
        assert_handler(async move {
            super::disconnect_user(&io, &key).await.ok();
            super::disconnect_user_because(&io, &key, &crate::AuthError::denied("no")).await.ok();
        });
    }

    #[test]
    fn errors_pass_through_question_marks() {
        fn assert_passes<E: std::error::Error + Send + Sync + 'static>() {}
        assert_passes::<super::DisconnectError>();
    }
}
