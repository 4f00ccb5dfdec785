//! The rooms of a socket: the room of its user, and the rooms through which a logout reaches other
//! nodes.
//!
//! socketioxide keeps rooms by the id of the connection. A client that leaves a namespace and comes
//! back gets another socket with the same id, so a change to the rooms of the first socket changes
//! those of the second.

use std::{
    any::TypeId,
    fmt::Display,
    hash::Hasher,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use socketioxide::{
    adapter::{Adapter, LocalAdapter},
    socket::Socket,
};

/// The prefixes of this crate's rooms, which rooms of the application must not begin with.
const USER_PREFIX: &str = "jwt_auth:user:";
const ENDED_PREFIX: &str = "jwt_auth:ended:";
const LOGOUT_PREFIX: &str = "jwt_auth:logout:";

/// The room of the sockets with an attempt under way: to connect, to log in or to renew.
pub(crate) const ATTEMPTS: &str = "jwt_auth:attempt";

/// Returns the room of a user's sockets.
pub(crate) fn of_user(key: impl Display) -> String {
    // Adapters may build the names of channels from rooms, so special characters are encoded.
    let encoded: String = form_urlencoded::byte_serialize(key.to_string().as_bytes()).collect();
    format!("{USER_PREFIX}{encoded}")
}

/// Returns the room of those sockets of a user whose session has ended and that cannot be
/// disconnected yet.
pub(crate) fn of_ended(user_room: &str) -> String {
    format!("{ENDED_PREFIX}{user_room}")
}

/// Returns the room into which a logout puts the sockets of a user, on every node.
///
/// The number of these rooms is bounded, because socketioxide keeps an empty room for ever if an
/// adapter has joined no socket to it. If two users share a room and one is logged out, an attempt
/// of the other that is under way is refused too.
pub(crate) fn of_logout(user_room: &str) -> String {
    // The hash must be the same on nodes of different builds, which the standard library's hasher
    // does not promise.
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(user_room.as_bytes());
    format!("{LOGOUT_PREFIX}{}", hasher.finish() % (1 << 16))
}

/// Whether there may be other nodes, which may log out the users of this one.
pub(crate) fn are_shared<A: Adapter>() -> bool {
    TypeId::of::<A>() != TypeId::of::<LocalAdapter>()
}

/// The error for a socket that has left its namespace. The client may have another socket there
/// already.
#[derive(Debug)]
pub(crate) struct SocketLeft;

/// Held during every change of rooms. A client can come back only through [`enter`], which waits
/// for it.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether socketioxide has the socket in its namespace. It puts the socket there before it marks
/// it connected, and removes it after its disconnect handler has run, together with its rooms.
fn is_in_namespace<A: Adapter>(socket: &Socket<A>) -> bool {
    socket
        .local()
        .get_socket(socket.id)
        .is_some_and(|found| std::ptr::eq(&raw const *found, socket))
}

/// Joins the room of a socket that is about to be connected.
pub(crate) fn enter<A: Adapter>(socket: &Socket<A>, room: Option<&Arc<str>>) {
    let _changing = changing();
    if let Some(room) = room {
        socket.join(room.to_string());
    }
}

/// Moves the socket from one room to another.
///
/// # Errors
///
/// Returns an error, and changes no rooms, if the socket has left its namespace.
pub(crate) fn change<A: Adapter>(
    socket: &Socket<A>,
    from: Option<&Arc<str>>,
    to: Option<&Arc<str>>,
) -> Result<(), SocketLeft> {
    let _changing = changing();
    if !is_in_namespace(socket) {
        return Err(SocketLeft);
    }

    if let Some(from) = from.filter(|_| from != to) {
        socket.leave(from.to_string());
    }
    if let Some(to) = to {
        socket.join(to.to_string());
        // If socketioxide removed the socket just before the join, nothing else would take it out
        // of this room.
        if !is_in_namespace(socket) {
            socket.leave(to.to_string());
            return Err(SocketLeft);
        }
    }
    Ok(())
}

/// Leaves a room. Does nothing if the socket has left its namespace.
pub(crate) fn leave<A: Adapter>(socket: &Socket<A>, room: Option<&Arc<str>>) {
    let _changing = changing();
    if let Some(room) = room.filter(|_| is_in_namespace(socket)) {
        socket.leave(room.to_string());
    }
}

/// Takes a socket whose session has ended out of all rooms, and puts it into the room of ended
/// sockets, so that a logout on another node still finds it: its client may read too slowly to be
/// disconnected. Does nothing if the socket has left.
pub(crate) fn leave_ended<A: Adapter>(socket: &Socket<A>, user_room: Option<&Arc<str>>) {
    let _changing = changing();
    if !is_in_namespace(socket) {
        return;
    }
    socket.leave_all();
    if let Some(room) = user_room {
        socket.join(of_ended(room));
        if !is_in_namespace(socket) {
            socket.leave_all();
        }
    }
}

/// Marks a socket with an attempt under way by a room, because the logouts of other nodes find
/// sockets only by rooms.
pub(crate) struct AttemptMark<'a, A: Adapter> {
    socket: &'a Socket<A>,
    kind: AttemptKind,
    /// The room that the socket does not leave when the attempt ends.
    kept: OnceLock<String>,
}

/// The kind of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptKind {
    /// To connect: the socket is not in its namespace yet.
    Connection,
    /// To log in, or to renew its token.
    Renewal,
}

impl<'a, A: Adapter> AttemptMark<'a, A> {
    /// Marks the socket until the mark is dropped. Returns `None` if there are no other nodes.
    ///
    /// # Errors
    ///
    /// Returns an error if the socket has left its namespace.
    pub(crate) fn begin(
        socket: &'a Socket<A>,
        kind: AttemptKind,
    ) -> Result<Option<Self>, SocketLeft> {
        if !are_shared::<A>() {
            return Ok(None);
        }

        let mark = Self {
            socket,
            kind,
            kept: OnceLock::new(),
        };

        let _changing = changing();
        if !mark.owns_rooms() {
            return Err(SocketLeft);
        }
        socket.join(ATTEMPTS);
        Ok(Some(mark))
    }

    /// Whether another node logged the user out since the attempt began. The socket must already be
    /// in the user's room, where later logouts find it.
    pub(crate) fn is_logged_out(&self, user_room: &str) -> bool {
        let is_logged_out = is_logged_out(self.socket, user_room);
        if !is_logged_out {
            // The logout room stays, so that a logout between now and the end of the attempt is
            // found when the socket is connected.
            self.kept.set(of_logout(user_room)).ok();
        }
        is_logged_out
    }

    /// Whether the rooms of the connection belong to this socket. While a socket connects, the
    /// client has no other one, because socketioxide ignores a second CONNECT.
    fn owns_rooms(&self) -> bool {
        self.kind == AttemptKind::Connection || is_in_namespace(self.socket)
    }
}

impl<A: Adapter> Drop for AttemptMark<'_, A> {
    fn drop(&mut self) {
        let _changing = changing();
        if !self.owns_rooms() {
            return;
        }
        let mut marks = self.socket.rooms();
        marks.retain(|room| {
            room.starts_with(LOGOUT_PREFIX) && Some(&**room) != self.kept.get().map(String::as_str)
        });
        marks.push(ATTEMPTS.into());
        self.socket.leave(marks);
    }
}

/// Whether another node has logged out the user of a socket.
pub(crate) fn is_logged_out<A: Adapter>(socket: &Socket<A>, user_room: &str) -> bool {
    let logout = of_logout(user_room);
    socket.rooms().iter().any(|room| *room == logout)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{of_ended, of_logout, of_user};

    #[test]
    fn keys_never_share_a_room() {
        let keys = [
            "1", "1 ", "a:b", "a%3Ab", "a*", "*", "", "é", "e\u{301}", "a\0b", "a+b", "a b",
        ];
        let rooms: HashSet<_> = keys.iter().map(of_user).collect();
        assert_eq!(rooms.len(), keys.len());
        assert!(
            rooms
                .iter()
                .all(|room| room.is_ascii() && !room.contains(['\0', ' ']))
        );
    }

    /// A logout looks for both rooms of its user on every node.
    #[test]
    fn ended_sessions_of_two_users_have_two_rooms_that_no_user_is_in() {
        let users = ["1", "2"].map(of_user);
        let ended = users.each_ref().map(|room| of_ended(room));
        assert_eq!(
            ended,
            [
                "jwt_auth:ended:jwt_auth:user:1",
                "jwt_auth:ended:jwt_auth:user:2"
            ]
        );
        assert!(users.iter().all(|room| !ended.contains(room)));
    }

    /// Nodes of older builds use this name.
    #[test]
    fn a_logout_has_the_same_room_in_every_build() {
        assert_eq!(of_logout(&of_user("1")), "jwt_auth:logout:18491");
    }

    #[test]
    fn logouts_have_a_bounded_number_of_rooms() {
        let rooms: HashSet<_> = (0..300_000).map(|key| of_logout(&of_user(key))).collect();
        assert!(
            rooms.len() <= 1 << 16 && rooms.len() > 60_000,
            "{}",
            rooms.len()
        );
    }
}
