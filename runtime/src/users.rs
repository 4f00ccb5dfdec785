//! Functions for all sockets of one user, in every namespace and on every node.

mod disconnect;

use std::{fmt::Display, sync::Arc};

use socketioxide::{SocketIo, adapter::Adapter};

use crate::{error::AuthError, session::rooms};

/// Returns the room that every socket of a user is in, if the middleware has a `user_key`.
///
/// Different keys have different rooms, whatever characters they contain.
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

/// The error of a forced logout that did not reach all sockets of the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The adapter did not reach the other nodes. The sockets of this node are still ended.
    #[error("the other nodes could not be told to disconnect the user: {0}")]
    // The error of an adapter need not be `Sync`, so only its message can be kept.
    Adapter(String),
    /// A client reads too slowly to be disconnected within the time limit. If it is on this node,
    /// its session has ended, and it is disconnected as soon as it reads. If it is on another node,
    /// it may act as the user until then.
    #[error(
        "a client reads too slowly to be disconnected; its session has ended, and it is disconnected once it reads"
    )]
    SlowClient,
}

/// Disconnects all sockets of a user, in every namespace of this node and, with a remote adapter,
/// on every node. The middleware needs a `user_key`.
///
/// The sessions on this node end first: even if a client reads slowly, handlers that take the user
/// are no longer called for it. A connection, login or renewal of the user that began before is
/// refused with `session_ended`, on every node, while its lookup runs and while later connect
/// middlewares run.
///
/// Tokens stay valid: refuse the user in the lookup before you call this function, or the user
/// connects again. The sockets of a dynamic namespace are not reached if the namespace has had
/// clients on other nodes only, because then it does not exist on this node.
///
/// # Errors
///
/// Returns an error if the adapter fails or a client reads too slowly; all other sockets are still
/// disconnected. A node that hangs is not noticed.
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
pub async fn disconnect_user<A: Adapter>(
    io: &SocketIo<A>,
    key: impl Display,
) -> Result<(), DisconnectError> {
    disconnect::end(io, &user_room(key), None).await
}

/// Disconnects all sockets of a user like [`disconnect_user`], but tells them why first: they get
/// `unauthorized` with the code and the message of `reason`.
///
/// # Errors
///
/// Returns the same errors as [`disconnect_user`].
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
    /// Compiles only if a handler can await the functions, on any adapter.
    #[expect(dead_code, reason = "it need not run")]
    fn a_handler_can_wait_for_it<A: socketioxide::adapter::Adapter>(
        io: socketioxide::SocketIo<A>,
        key: String,
    ) {
        fn assert_handler(_: impl Future<Output = ()> + Send + 'static) {}
        assert_handler(async move {
            super::disconnect_user(&io, &key).await.ok();
            super::disconnect_user_because(&io, &key, &crate::AuthError::denied("no"))
                .await
                .ok();
        });
    }

    #[test]
    fn errors_pass_through_question_marks() {
        fn assert_passes<E: std::error::Error + Send + Sync + 'static>() {}
        assert_passes::<super::DisconnectError>();
    }
}
