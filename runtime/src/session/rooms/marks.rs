//! The rooms by which nodes agree on a logout, because an adapter finds sockets only by rooms.

use std::{
    hash::Hasher,
    sync::{Arc, OnceLock},
};

use socketioxide::{
    adapter::Adapter,
    socket::{Sid, Socket},
};

use super::{SessionRooms, SocketLeft, are_shared, changing, is_in_namespace};

/// The room of the sockets with an attempt under way: to connect, to log in or to renew.
pub(crate) const ATTEMPTS: &str = "jwt_auth:attempt";

/// The prefix of the rooms into which a logout puts sockets. Rooms of the application must not
/// begin with it.
const LOGOUT_PREFIX: &str = "jwt_auth:logout:";

/// The sockets that a logout of the other sessions of a user keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Kept {
    /// The sockets in the room of a session key.
    Login(Arc<str>),
    /// The sockets of a connection, in all namespaces.
    Connection(Sid),
}

impl Kept {
    /// Whether a socket with these rooms, of this connection, is kept.
    pub(crate) fn keeps(&self, rooms: &SessionRooms, connection: Sid) -> bool {
        match self {
            Self::Login(room) => rooms.login.as_ref() == Some(room),
            Self::Connection(kept) => *kept == connection,
        }
    }

    /// Returns what a socket with these rooms, of this connection, can be kept by.
    fn all(rooms: &SessionRooms, connection: Sid) -> impl Iterator<Item = Self> {
        let login = rooms.login.clone().map(Self::Login);
        login.into_iter().chain([Self::Connection(connection)])
    }

    fn name(&self) -> String {
        match self {
            Self::Login(room) => room.to_string(),
            Self::Connection(connection) => connection.to_string(),
        }
    }
}

/// The rooms into which a logout puts sockets, on every node.
///
/// The number of these rooms is bounded, because socketioxide keeps an empty room for ever if an
/// adapter has joined no socket to it. If two users share a room and one is logged out, an attempt
/// of the other that is under way is refused too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogoutMarks(pub(crate) Vec<String>);

impl LogoutMarks {
    /// Returns the marks of a logout of all sockets in a room but those that are kept.
    pub(crate) fn of(room: &str, kept: Option<&Kept>) -> Self {
        Self(match kept {
            None => vec![of_logout(room)],
            Some(kept) => vec![of_logout_of_others(room), of_kept(room, kept)],
        })
    }

    /// Returns every mark that means something to a socket with these rooms.
    fn all(rooms: &SessionRooms, connection: Sid) -> Vec<String> {
        let mut marks: Vec<_> = rooms.iter().map(|room| of_logout(room)).collect();
        if let Some(user) = &rooms.user {
            marks.push(of_logout_of_others(user));
            marks.extend(Kept::all(rooms, connection).map(|kept| of_kept(user, &kept)));
        }
        marks
    }
}

fn of_logout(room: &str) -> String {
    format!("{LOGOUT_PREFIX}{}", hash(&[room]))
}

fn of_logout_of_others(room: &str) -> String {
    format!("{LOGOUT_PREFIX}others:{}", hash(&[room]))
}

fn of_kept(room: &str, kept: &Kept) -> String {
    format!("{LOGOUT_PREFIX}kept:{}", hash(&[room, "\0", &kept.name()]))
}

/// The hash must be the same on nodes of different builds, which the standard library's hasher does
/// not promise.
fn hash(parts: &[&str]) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    for part in parts {
        hasher.write(part.as_bytes());
    }
    hasher.finish() % (1 << 16)
}

/// Whether another node has logged out a socket with these rooms.
pub(crate) fn is_logged_out<A: Adapter>(socket: &Socket<A>, rooms: &SessionRooms) -> bool {
    let marks = socket.rooms();
    let is_marked = |mark: String| marks.iter().any(|room| *room == mark);

    rooms.iter().any(|room| is_marked(of_logout(room)))
        || rooms.user.as_ref().is_some_and(|user| {
            is_marked(of_logout_of_others(user))
                && !Kept::all(rooms, socket.id).any(|kept| is_marked(of_kept(user, &kept)))
        })
}

/// Takes a socket that was not logged out out of the rooms of logouts.
pub(crate) fn clear<A: Adapter>(socket: &Socket<A>) {
    let _changing = changing();
    if is_in_namespace(socket) {
        leave_marks(socket, |_| true);
    }
}

fn leave_marks<A: Adapter>(socket: &Socket<A>, leaves: impl Fn(&str) -> bool) {
    let mut marks = socket.rooms();
    marks.retain(|room| room.starts_with(LOGOUT_PREFIX) && leaves(room));
    if !marks.is_empty() {
        socket.leave(marks);
    }
}

/// Marks a socket with an attempt under way by a room, because the logouts of other nodes find
/// sockets only by rooms.
pub(crate) struct AttemptMark<'a, A: Adapter> {
    socket: &'a Socket<A>,
    kind: AttemptKind,
    /// The rooms that the socket does not leave when the attempt ends.
    kept: OnceLock<Vec<String>>,
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

    /// Whether another node logged out a session with these rooms since the attempt began. The
    /// socket must already be in the rooms, where later logouts find it.
    pub(crate) fn is_logged_out(&self, rooms: &SessionRooms) -> bool {
        let is_logged_out = is_logged_out(self.socket, rooms);
        if !is_logged_out && self.kind == AttemptKind::Connection {
            // These rooms stay, so that a logout between now and the end of the attempt is found
            // when the socket is connected.
            self.kept.set(LogoutMarks::all(rooms, self.socket.id)).ok();
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
        let kept = self.kept.get().map_or(&[] as &[_], Vec::as_slice);
        leave_marks(self.socket, |mark| !kept.iter().any(|kept| kept == mark));
        self.socket.leave(ATTEMPTS);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{super::of_user, of_logout};

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
