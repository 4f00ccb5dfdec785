//! What happens as soon as a socket is connected, after the connect middlewares that run later.

use std::sync::{Arc, Weak};

use socketioxide::{adapter::Adapter, socket::Socket};

use super::{
    Session,
    expiry::ExpiresAt,
    rooms,
    socket::{self, Announcement, AnySocket, Message},
    store,
};
use crate::{
    clock::Clock,
    error::{AuthError, ErrorCode},
    log,
    refusal::Ending,
    retry::{until_connected, while_full},
};

/// Announces a session to its client, if there is an event for it, and ends the session if another
/// node has logged it out meanwhile. From the moment on at which the socket is connected, a logout
/// on another node reaches it by its rooms.
pub(crate) fn once_connected<A: Adapter>(
    socket: &Arc<Socket<A>>,
    session: &Arc<dyn Session>,
    event: Option<&str>,
    clock: &Clock,
) {
    let is_in_shared_rooms =
        rooms::are_shared::<A>() && session.state().rooms().iter().next().is_some();
    if event.is_none() && !is_in_shared_rooms {
        return;
    }

    let (connecting, session) = (socket::downgrade(socket), Arc::downgrade(session));
    let (socket, event, clock) = (
        Arc::downgrade(socket),
        event.map(str::to_owned),
        clock.clone(),
    );
    tokio::spawn(async move {
        until_connected(&connecting).await;
        if is_in_shared_rooms && end_if_logged_out(&socket, &session, &connecting).await {
            return;
        }
        if let Some(event) = event {
            announce(&connecting, &event, &clock).await;
        }
    });
}

/// Returns whether the session was logged out.
async fn end_if_logged_out<A: Adapter>(
    socket: &Weak<Socket<A>>,
    session: &Weak<dyn Session>,
    any: &Weak<dyn AnySocket>,
) -> bool {
    let (Some(open), Some(began)) = (socket.upgrade(), session.upgrade()) else {
        return true;
    };
    let rooms = began.state().rooms().clone();
    if !rooms::is_logged_out(&open, &rooms) {
        rooms::clear(&open);
        return false;
    }

    // A client may have renewed already.
    let current = store::of_socket(&open).unwrap_or(began);
    current.state().end(ErrorCode::SessionEnded);
    let reason = AuthError::from(ErrorCode::SessionEnded);
    log::ended(&*open, current.state(), &reason, "user disconnected");
    drop((open, current));
    Ending::new(rooms, Arc::new(reason)).run(any).await;
    true
}

async fn announce(socket: &Weak<dyn AnySocket>, event: &str, clock: &Clock) {
    while_full(socket, |socket| {
        let Some(session) = socket.session() else {
            return Ok(());
        };
        let session = session.state();
        if session.check_alive().is_err() {
            return Ok(());
        }

        let announcement = Announcement {
            logged_in: !session.is_guest(),
            expires: ExpiresAt::new(session.expires_at(), clock),
        };
        socket.send(event, &Message::Announcement(announcement))
    })
    .await;
}
