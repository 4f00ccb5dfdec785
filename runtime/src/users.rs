//! All sockets of one user, in every namespace and on every node.

use std::{fmt::Display, time::Duration};

use socketioxide::{BroadcastError, SocketError, SocketIo, adapter::Adapter, operators::BroadcastOperators};
use tokio::time::sleep;

use crate::{error::AuthError, refusal::UNAUTHORIZED};

/// Rooms of the application do not begin like this.
const PREFIX: &str = "jwt_auth:user:";

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
    // Adapters build the names of channels and patterns from rooms, so a key keeps its letters and digits only.
    let encoded: String = form_urlencoded::byte_serialize(key.to_string().as_bytes()).collect();
    format!("{PREFIX}{encoded}")
}

/// Why a user could not be disconnected everywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DisconnectError {
    /// The adapter did not reach the other nodes.
    #[error("the other nodes could not be told to disconnect the user: {0}")]
    // The error of an adapter need not be `Sync`, so only its text can be kept.
    Adapter(String),
    /// A client on this node reads so slowly that it could not be told in time.
    #[error("a client reads too slowly to be disconnected; its connection ends when it stops answering pings")]
    SlowClient,
}

/// How often, and with which pauses, a client on this node that reads too slowly is tried.
const TRIES: u32 = 8;
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Disconnects all sockets of a user: in every namespace that this node knows, and with a remote adapter on every
/// node. The middleware needs a `user_key`.
///
/// It ends sockets, not tokens: refuse the user in the lookup as well, or it comes back.
///
/// # Errors
///
/// The adapter fails, or a client reads too slowly. All namespaces are tried all the same.
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
    let room = user_room(key);
    let mut result = Ok(());
    for namespace in io.nsps() {
        let path = namespace.ns_path().to_owned();
        let disconnected = disconnect_room(|| io.of(&path).map(|namespace| namespace.to(room.clone()))).await;
        result = result.and(disconnected);
    }
    result
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
    let key = key.to_string();
    for namespace in io.nsps() {
        // Whoever cannot be told is disconnected all the same.
        namespace.to(user_room(&key)).emit(UNAUTHORIZED, reason).await.ok();
    }
    disconnect_user(io, key).await
}

/// `room` is made anew for each try: the operators are used up by one.
async fn disconnect_room<A: Adapter>(room: impl Fn() -> Option<BroadcastOperators<A>>) -> Result<(), DisconnectError> {
    let mut pause = FIRST_PAUSE;
    for _ in 0..TRIES {
        // A namespace can be deleted meanwhile, and its sockets with it.
        let Some(sockets) = room() else { return Ok(()) };
        match sockets.disconnect().await {
            Err(BroadcastError::Socket(errors)) if errors.iter().any(is_full) => sleep(pause).await,
            // Sockets that cannot be told anything were closed already.
            Ok(()) | Err(BroadcastError::Socket(_)) => return Ok(()),
            Err(error) => return Err(DisconnectError::Adapter(error.to_string())),
        }
        pause *= 2;
    }
    Err(DisconnectError::SlowClient)
}

fn is_full(error: &SocketError) -> bool {
    matches!(error, SocketError::InternalChannelFull)
}

#[cfg(test)]
mod tests {
    use super::user_room;

    #[test]
    fn errors_pass_through_question_marks() {
        fn assert_passes<E: std::error::Error + Send + Sync + 'static>() {}
        assert_passes::<super::DisconnectError>();
    }

    #[test]
    fn keys_never_share_a_room() {
        let keys = ["1", "1 ", "a:b", "a%3Ab", "a*", "*", "", "é", "e\u{301}", "a\0b", "a+b", "a b"];
        let rooms: std::collections::HashSet<_> = keys.iter().map(user_room).collect();
        assert_eq!(rooms.len(), keys.len());
        assert!(rooms.iter().all(|room| room.is_ascii() && !room.contains(['\0', ' '])));
    }
}
