//! Functions for the sockets of a user or of a login, in every namespace and on every node.

mod disconnect;
mod keys;

use std::{fmt::Display, sync::Arc};

use futures_util::future::join_all;
use socketioxide::{SocketIo, adapter::Adapter, socket::Socket};

use crate::{
    error::{AuthError, ErrorCode},
    registry::Server,
    session::{recheck, rooms},
};
pub use keys::IntoSessionKey;
pub(crate) use keys::note_keys;

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

/// The error of a forced logout that did not reach all sockets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The adapter did not reach the other nodes. The sockets of this node are still ended.
    #[error("the other nodes could not be told to disconnect the user: {0}")]
    // The error of an adapter need not be `Sync`, so only its message can be kept.
    Adapter(String),
    /// A client reads too slowly to be disconnected within the time limit. If it is on this node,
    /// its session has ended, and it is disconnected as soon as it reads, or hung up by the
    /// `HangUpListener` of the feature `axum`. If it is on another node, it may act as the user until
    /// then.
    #[error(
        "a client reads too slowly to be disconnected; its session has ended, and it is disconnected once it reads"
    )]
    SlowClient,
}

/// Disconnects all sockets of a user, in every namespace of this node and, with a remote adapter,
/// on every node. The middleware needs a `user_key`; if no middleware of this process has one, the
/// log says so at WARN.
///
/// Clients are told `unauthorized` with `session_ended` first. The sessions on this node end at
/// once: even if a client reads slowly, handlers that take the user are no longer called for it. A
/// connection, login or renewal of the user that began before is refused with `session_ended`, on
/// every node, while its lookup runs and while later connect middlewares run.
///
/// Returns the number of sockets that it ended on this node.
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
) -> Result<usize, DisconnectError> {
    keys::warn_without_user_key("disconnect_user");
    disconnect::end(io, &rooms::of_user(key), session_ended()).await
}

/// Disconnects all sockets of a user like [`disconnect_user`], and tells them another reason: they
/// get `unauthorized` with the code and the message of `reason`.
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
) -> Result<usize, DisconnectError> {
    keys::warn_without_user_key("disconnect_user_because");
    disconnect::end(io, &rooms::of_user(key), Arc::new(reason.without_source())).await
}

/// Disconnects all sockets with a session key: one device, or one login at the identity provider.
/// It reaches the same sockets as [`disconnect_user`] does, and refuses the same attempts. The
/// middleware needs a [`session_key`](crate::JwtAuthBuilder::session_key); if no middleware of
/// this process has one, the log says so at WARN.
///
/// A socket whose token was renewed has the key of the new token only.
///
/// Returns the number of sockets that it ended on this node.
///
/// # Errors
///
/// Returns the same errors as [`disconnect_user`].
///
/// ```
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::disconnect_session;
///
/// async fn log_out_device(io: &SocketIo, sid: &str) {
///     if let Err(error) = disconnect_session(io, sid).await {
///         eprintln!("the device may still be connected: {error}");
///     }
/// }
/// ```
pub async fn disconnect_session<A: Adapter>(
    io: &SocketIo<A>,
    key: impl Display,
) -> Result<usize, DisconnectError> {
    keys::warn_without_session_key("disconnect_session");
    disconnect::end(io, &rooms::of_login(key), session_ended()).await
}

/// Disconnects all sockets with a session key like [`disconnect_session`], and tells them another
/// reason: they get `unauthorized` with the code and the message of `reason`.
///
/// # Errors
///
/// Returns the same errors as [`disconnect_user`].
///
/// ```
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::{AuthError, disconnect_session_because};
///
/// async fn report_stolen(io: &SocketIo, sid: &str) {
///     let reason = AuthError::denied("this device was reported as stolen");
///     disconnect_session_because(io, sid, &reason).await.ok();
/// }
/// ```
pub async fn disconnect_session_because<A: Adapter>(
    io: &SocketIo<A>,
    key: impl Display,
    reason: &AuthError,
) -> Result<usize, DisconnectError> {
    keys::warn_without_session_key("disconnect_session_because");
    disconnect::end(io, &rooms::of_login(key), Arc::new(reason.without_source())).await
}

/// Disconnects all other sockets of this socket's user, in every namespace and on every node: for
/// "log out all other devices", and for one device at a time. The middleware needs a `user_key`.
///
/// The sockets of the same login stay: those with the same
/// [`session_key`](crate::JwtAuthBuilder::session_key), or, if this socket has no session key,
/// those of the same connection in other namespaces. Attempts under way are refused as by
/// [`disconnect_user`], unless they are of the same login. Clients are told `unauthorized` with
/// `session_ended`.
///
/// Returns the number of sockets that it ended on this node. Ends none for a guest, and none if the
/// session of this socket has ended itself: of two sockets that call it at once on one node, one
/// remains.
///
/// # Errors
///
/// Returns the same errors as [`disconnect_user`].
///
/// ```
/// use socketioxide::extract::SocketRef;
/// use socketioxide_jwt_auth::{AuthUser, disconnect_others};
///
/// struct User { name: String }
///
/// async fn log_out_other_devices(socket: SocketRef, user: AuthUser<User>) {
///     match disconnect_others(&socket).await {
///         Ok(ended) => println!("{} has ended {ended} sockets", user.name),
///         Err(error) => eprintln!("some may still be connected: {error}"),
///     }
/// }
/// ```
pub async fn disconnect_others<A: Adapter>(socket: &Socket<A>) -> Result<usize, DisconnectError> {
    keys::warn_without_user_key("disconnect_others");
    disconnect::end_others(socket, session_ended()).await
}

/// Looks the user with this key up again, for each of its sockets on this node, and waits for the
/// outcome: after a role was taken away, or an account was suspended. The middleware needs a
/// `user_key`; if no middleware of this process has one, the log says so at WARN.
///
/// It does at once what [`recheck`](crate::JwtAuthBuilder::recheck) does at intervals, and needs no
/// `recheck`. It does not reach other nodes: call it on each of them, or use `recheck`. A login
/// or renewal whose lookup is under way may still find the user as it was.
///
/// Returns the number of sockets for which the lookup has decided: their user is replaced, or their
/// session has ended. If a lookup fails for the server's own reasons, the session goes on as it
/// is, and the log says so at WARN.
///
/// ```
/// use socketioxide::SocketIo;
/// use socketioxide_jwt_auth::refresh_user;
///
/// async fn take_role_away(io: &SocketIo, user_id: i64) {
///     // After the change of the database.
///     refresh_user(io, user_id).await;
/// }
/// ```
pub async fn refresh_user<A: Adapter>(io: &SocketIo<A>, key: impl Display) -> usize {
    keys::warn_without_user_key("refresh_user");
    let Some(server) = Server::find(io) else {
        return 0;
    };
    let sessions = server.sessions_in(&rooms::of_user(key).into());
    drop(server);

    let decided = join_all(sessions.iter().map(recheck::run)).await;
    decided.into_iter().filter(|decided| *decided).count()
}

fn session_ended() -> Arc<AuthError> {
    Arc::new(AuthError::from(ErrorCode::SessionEnded))
}

/// Disconnects all sockets in a room of this crate, and tells them `session_ended` first.
#[cfg(feature = "axum")]
pub(crate) async fn end_room<A: Adapter>(
    io: &SocketIo<A>,
    room: &str,
) -> Result<usize, DisconnectError> {
    disconnect::end(io, room, session_ended()).await
}

#[cfg(test)]
mod tests {
    /// Compiles only if a handler can await the functions, on any adapter.
    #[expect(dead_code, reason = "it need not run")]
    fn a_handler_can_wait_for_it<A: socketioxide::adapter::Adapter>(
        io: socketioxide::SocketIo<A>,
        socket: socketioxide::extract::SocketRef<A>,
        key: String,
    ) {
        fn assert_handler(_: impl Future<Output = ()> + Send + 'static) {}
        assert_handler(async move {
            super::disconnect_user(&io, &key).await.ok();
            super::disconnect_user_because(&io, &key, &crate::AuthError::denied("no"))
                .await
                .ok();
            super::disconnect_session(&io, &key).await.ok();
            super::disconnect_others(&socket).await.ok();
            super::refresh_user(&io, &key).await;
        });
    }

    #[test]
    fn errors_pass_through_question_marks() {
        fn assert_passes<E: std::error::Error + Send + Sync + 'static>() {}
        assert_passes::<super::DisconnectError>();
    }
}
