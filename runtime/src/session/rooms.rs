//! The rooms of a socket: those of its user and of its login, and the rooms through which a logout
//! reaches other nodes.
//!
//! socketioxide keeps rooms by the id of the connection. A client that leaves a namespace and comes
//! back gets another socket with the same id, so a change to the rooms of the first socket changes
//! those of the second.

mod marks;

use std::{
    any::TypeId,
    fmt::Display,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use socketioxide::{
    adapter::{Adapter, LocalAdapter},
    socket::Socket,
};

pub(crate) use marks::{
    ATTEMPTS, AttemptKind, AttemptMark, Kept, LogoutMarks, clear, is_logged_out,
};

/// The prefixes of this crate's rooms, which rooms of the application must not begin with.
const USER_PREFIX: &str = "jwt_auth:user:";
const LOGIN_PREFIX: &str = "jwt_auth:session:";
const ENDED_PREFIX: &str = "jwt_auth:ended:";

/// The rooms of a session's socket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SessionRooms {
    /// The room of the user's sockets.
    pub(crate) user: Option<Arc<str>>,
    /// The room of the sockets with the same session key.
    pub(crate) login: Option<Arc<str>>,
    /// The rooms by which the token's issuer ends the session.
    pub(crate) issuer: Vec<Arc<str>>,
}

impl SessionRooms {
    pub(crate) const fn none() -> Self {
        Self {
            user: None,
            login: None,
            issuer: Vec::new(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.user.iter().chain(&self.login).chain(&self.issuer)
    }

    pub(crate) fn contains(&self, room: &str) -> bool {
        self.iter().any(|own| **own == *room)
    }

    /// Returns whether the user key and the session key are the same.
    pub(crate) fn have_same_keys(&self, other: &Self) -> bool {
        self.user == other.user && self.login == other.login
    }

    /// Returns the rooms that are not among `others`.
    pub(crate) fn without(&self, others: &Self) -> Self {
        let only = |room: &Option<Arc<str>>| room.clone().filter(|room| !others.contains(room));
        Self {
            user: only(&self.user),
            login: only(&self.login),
            issuer: self
                .issuer
                .iter()
                .filter(|room| !others.contains(room))
                .cloned()
                .collect(),
        }
    }

    fn names(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }
}

/// Returns the room of a user's sockets.
pub(crate) fn of_user(key: impl Display) -> String {
    encoded(USER_PREFIX, &key)
}

/// Returns the key of the user whose room this is.
pub(crate) fn user_key(room: &str) -> String {
    let encoded = room.strip_prefix(USER_PREFIX).unwrap_or(room);
    // The encoded key has neither `=` nor `&`, so it is the name of the only pair.
    let mut pairs = form_urlencoded::parse(encoded.as_bytes());
    pairs.next().map_or_else(String::new, |(key, _)| key.into())
}

/// Returns the room of the sockets with a session key.
pub(crate) fn of_login(key: impl Display) -> String {
    encoded(LOGIN_PREFIX, &key)
}

/// Adapters may build the names of channels from rooms, so special characters are encoded.
fn encoded(prefix: &str, key: &impl Display) -> String {
    let key = key.to_string();
    let mut room = String::with_capacity(prefix.len() + key.len());
    room.push_str(prefix);
    room.extend(form_urlencoded::byte_serialize(key.as_bytes()));
    room
}

/// Returns the room of those sockets of a room whose session has ended and that cannot be
/// disconnected yet.
pub(crate) fn of_ended(room: &str) -> String {
    format!("{ENDED_PREFIX}{room}")
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
pub(super) fn is_in_namespace<A: Adapter>(socket: &Socket<A>) -> bool {
    socket
        .local()
        .get_socket(socket.id)
        .is_some_and(|found| std::ptr::eq(&raw const *found, socket))
}

/// Joins the rooms of a socket that is about to be connected.
pub(crate) fn enter<A: Adapter>(socket: &Socket<A>, rooms: &SessionRooms) {
    let _changing = changing();
    let names = rooms.names();
    if !names.is_empty() {
        socket.join(names);
    }
}

/// Joins the rooms of a connected socket.
///
/// # Errors
///
/// Returns an error, and changes no rooms, if the socket has left its namespace.
pub(crate) fn join<A: Adapter>(socket: &Socket<A>, rooms: &SessionRooms) -> Result<(), SocketLeft> {
    let _changing = changing();
    if !is_in_namespace(socket) {
        return Err(SocketLeft);
    }

    socket.join(rooms.names());
    // If socketioxide removed the socket just before the join, nothing else would take it out of
    // these rooms.
    if !is_in_namespace(socket) {
        socket.leave(rooms.names());
        return Err(SocketLeft);
    }
    Ok(())
}

/// Leaves rooms. Does nothing if the socket has left its namespace.
pub(crate) fn leave<A: Adapter>(socket: &Socket<A>, rooms: &SessionRooms) {
    let _changing = changing();
    if is_in_namespace(socket) {
        socket.leave(rooms.names());
    }
}

/// Takes a socket whose session has ended out of all rooms, and puts it into the rooms of ended
/// sockets, so that a logout on another node still finds it: its client may read too slowly to be
/// disconnected. Does nothing if the socket has left.
pub(crate) fn leave_ended<A: Adapter>(socket: &Socket<A>, rooms: &SessionRooms) {
    let _changing = changing();
    if !is_in_namespace(socket) {
        return;
    }

    socket.leave_all();
    let ended: Vec<_> = rooms.iter().map(|room| of_ended(room)).collect();
    if !ended.is_empty() {
        socket.join(ended);
        if !is_in_namespace(socket) {
            socket.leave_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{SessionRooms, of_ended, of_login, of_user};

    #[test]
    fn keys_never_share_a_room() {
        let keys = [
            "1", "1 ", "a:b", "a%3Ab", "a*", "*", "", "é", "e\u{301}", "a\0b", "a+b", "a b",
        ];
        let rooms = keys.iter().map(of_user).chain(keys.iter().map(of_login));
        let rooms: HashSet<_> = rooms.collect();
        assert_eq!(rooms.len(), 2 * keys.len());
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

    #[test]
    fn a_renewal_leaves_the_rooms_that_the_next_session_does_not_have() {
        let rooms = |user: &str, login: Option<&str>| SessionRooms {
            user: Some(user.into()),
            login: login.map(Into::into),
            issuer: vec![format!("of {user}").into()],
        };
        let (old, new) = (rooms("ada", Some("phone")), rooms("ada", Some("tablet")));
        assert_eq!(
            old.without(&new),
            SessionRooms {
                user: None,
                login: Some("phone".into()),
                issuer: Vec::new(),
            }
        );
        assert_eq!(old.without(&old), SessionRooms::default());
        let issuer = old.without(&rooms("grace", None)).issuer;
        assert_eq!(issuer.as_slice(), ["of ada".into()]);
        assert_eq!(old.without(&SessionRooms::default()), old);
    }
}
