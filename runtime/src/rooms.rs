//! The rooms of a socket that may have left meanwhile.
//!
//! socketioxide keeps rooms by the id of the connection. A client that leaves a namespace and comes back gets another
//! socket with the same id, and whatever is done to the rooms of the first one is done to those of the second.

use std::sync::{Mutex, MutexGuard, PoisonError};

use socketioxide::{adapter::Adapter, socket::Socket};

/// A client comes back through [`enter`] only, so it cannot do so while somebody else holds this.
static CHANGING: Mutex<()> = Mutex::new(());

fn changing() -> MutexGuard<'static, ()> {
    CHANGING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a socket that is about to be connected.
pub(crate) fn enter<A: Adapter>(socket: &Socket<A>, room: Option<&str>) {
    let _changing = changing();
    if let Some(room) = room {
        socket.join(room.to_owned());
    }
}

/// Nothing, if the socket has left.
pub(crate) fn change<A: Adapter>(socket: &Socket<A>, from: Option<&str>, to: Option<&str>) {
    let _changing = changing();
    if !socket.connected() {
        return;
    }
    if let Some(from) = from.filter(|_| from != to) {
        socket.leave(from.to_owned());
    }
    if let Some(to) = to {
        socket.join(to.to_owned());
        // Closed in between, it may have left its rooms already, and nothing would take it out of this one.
        if !socket.connected() {
            socket.leave(to.to_owned());
        }
    }
}

/// Nothing, if the socket has left.
pub(crate) fn leave_all<A: Adapter>(socket: &Socket<A>) {
    let _changing = changing();
    if socket.connected() {
        socket.leave_all();
    }
}
