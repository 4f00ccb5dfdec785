//! The rooms of a socket: that of its user, and those by which the nodes of a cluster agree on a logout.
//!
//! socketioxide keeps rooms by the id of the connection. A client that leaves a namespace and comes back gets another
//! socket with the same id, and whatever is done to the rooms of the first one is done to those of the second.

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

/// Rooms of the application do not begin like this.
const USER_PREFIX: &str = "jwt_auth:user:";
const ENDED_PREFIX: &str = "jwt_auth:ended:";
const LOGOUT_PREFIX: &str = "jwt_auth:logout:";

/// The room of the sockets whose attempt to connect, to log in or to renew is under way.
pub(crate) const ATTEMPTS: &str = "jwt_auth:attempt";

/// The room of a user's sockets.
pub(crate) fn of_user(key: impl Display) -> String {
    // Adapters may build the names of channels from rooms, so nothing unusual stays in a key.
    let encoded: String = form_urlencoded::byte_serialize(key.to_string().as_bytes()).collect();
    format!("{USER_PREFIX}{encoded}")
}

/// The room of a user's sockets whose session has ended, and that cannot be disconnected yet.
pub(crate) fn of_ended(user_room: &str) -> String {
    format!("{ENDED_PREFIX}{user_room}")
}

/// The room that a logout puts the sockets of a user into, on every node.
///
/// socketioxide keeps an empty room for ever once an adapter has joined nobody to it, so the number of these is bounded.
/// Two users that share one disturb each other only if the first is logged out while the second logs in.
pub(crate) fn of_logout(user_room: &str) -> String {
    // Nodes of different builds must agree, which the hasher of the standard library does not promise.
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(user_room.as_bytes());
    format!("{LOGOUT_PREFIX}{}", hasher.finish() % (1 << 16))
}

/// Whether other nodes may log out the users of this one.
pub(crate) fn are_shared<A: Adapter>() -> bool {
    TypeId::of::<A>() != TypeId::of::<LocalAdapter>()
}

/// The socket has left its namespace, and another one may be there in its place.
#[derive(Debug)]
pub(crate) struct SocketLeft;

/// A client comes back through [`enter`] only, so it cannot do so while this is held.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether socketioxide has the socket in its namespace. It puts the socket there before it marks it connected, and
/// removes it after its disconnect handler has run, together with its rooms.
fn is_in_namespace<A: Adapter>(socket: &Socket<A>) -> bool {
    socket.local().get_socket(socket.id).is_some_and(|found| std::ptr::eq(&raw const *found, socket))
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
/// The socket has left its namespace. Its rooms are not changed.
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
        // Removed in between, it may have left its rooms already, and nothing would take it out of this one.
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

/// Takes a socket whose session has ended out of all rooms. It stays known to a logout on another node, because its
/// client may read too slowly to be disconnected. Does nothing if the socket has left.
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

/// Lets the logouts of other nodes find a socket while an attempt is under way: they reach rooms only.
pub(crate) struct AttemptMark<'a, A: Adapter> {
    socket: &'a Socket<A>,
    kind: AttemptKind,
    /// The room that stays when the attempt ends.
    kept: OnceLock<String>,
}

/// What a socket attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptKind {
    /// To be connected: socketioxide does not know the socket yet.
    Connection,
    /// To log in, or to renew its token.
    Renewal,
}

impl<'a, A: Adapter> AttemptMark<'a, A> {
    /// Marks the socket until the mark is dropped. `None` if there are no other nodes.
    ///
    /// # Errors
    ///
    /// The socket has left its namespace.
    pub(crate) fn begin(socket: &'a Socket<A>, kind: AttemptKind) -> Result<Option<Self>, SocketLeft> {
        if !are_shared::<A>() {
            return Ok(None);
        }
        let mark = Self { socket, kind, kept: OnceLock::new() };
        let _changing = changing();
        if !mark.owns_rooms() {
            return Err(SocketLeft);
        }
        socket.join(ATTEMPTS);
        Ok(Some(mark))
    }

    /// Whether another node logged a user out since the attempt began. The socket must be in the user's room: from then
    /// on a logout reaches it there.
    pub(crate) fn is_logged_out(&self, user_room: &str) -> bool {
        let is_logged_out = is_logged_out(self.socket, user_room);
        if !is_logged_out {
            // A logout between this look and the end of the attempt is looked for again once the socket is connected.
            self.kept.set(of_logout(user_room)).ok();
        }
        is_logged_out
    }

    /// Whether the rooms of the connection are those of this socket. While a socket connects there is no other one:
    /// socketioxide ignores a second CONNECT.
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
        marks.retain(|room| room.starts_with(LOGOUT_PREFIX) && Some(&**room) != self.kept.get().map(String::as_str));
        marks.push(ATTEMPTS.into());
        self.socket.leave(marks);
    }
}

/// Whether another node logged the user of a socket out.
pub(crate) fn is_logged_out<A: Adapter>(socket: &Socket<A>, user_room: &str) -> bool {
    let logout = of_logout(user_room);
    socket.rooms().iter().any(|room| *room == logout)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{of_logout, of_user};

    #[test]
    fn keys_never_share_a_room() {
        let keys = ["1", "1 ", "a:b", "a%3Ab", "a*", "*", "", "é", "e\u{301}", "a\0b", "a+b", "a b"];
        let rooms: HashSet<_> = keys.iter().map(of_user).collect();
        assert_eq!(rooms.len(), keys.len());
        assert!(rooms.iter().all(|room| room.is_ascii() && !room.contains(['\0', ' '])));
    }

    /// Nodes of an older build know it by this name.
    #[test]
    fn a_logout_has_the_same_room_in_every_build() {
        assert_eq!(of_logout(&of_user("1")), "jwt_auth:logout:18491");
    }

    #[test]
    fn logouts_have_a_bounded_number_of_rooms() {
        let rooms: HashSet<_> = (0..300_000).map(|key| of_logout(&of_user(key))).collect();
        assert!(rooms.len() <= 1 << 16 && rooms.len() > 60_000, "{}", rooms.len());
    }
}
