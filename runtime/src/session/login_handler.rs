//! The application's handler for a guest that logs in on the open socket.

use std::sync::{Arc, Weak};

use socketioxide::{adapter::Adapter, socket::Socket};

use crate::{guard, log};

struct LoginHandler<A: Adapter>(Arc<dyn Fn(Arc<Socket<A>>) + Send + Sync>);

impl<A: Adapter> Clone for LoginHandler<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// A login for which the handler has not been called yet.
struct PendingLogin<A: Adapter>(Weak<Socket<A>>);

impl<A: Adapter> Clone for PendingLogin<A> {
    fn clone(&self) -> Self {
        Self(Weak::clone(&self.0))
    }
}

/// Registers the handler, and calls it if the client has logged in already, because socketioxide
/// handles events of a client even before it calls the connect handler.
pub(crate) fn register<A: Adapter>(
    socket: &Socket<A>,
    handler: impl Fn(Arc<Socket<A>>) + Send + Sync + 'static,
) {
    socket.extensions.insert(LoginHandler(Arc::new(handler)));
    call_once(socket);
}

/// Calls the handler for a login, now or as soon as it is registered.
pub(crate) fn announce_login<A: Adapter>(socket: &Arc<Socket<A>>) {
    socket
        .extensions
        .insert(PendingLogin(Arc::downgrade(socket)));
    call_once(socket);
}

/// Calls the handler if a login is pending.
///
/// Does nothing if the socket is not connected. If the client has left, its disconnect handler has
/// been called already; if it is not connected yet, `register` is called later by the connect
/// handler.
fn call_once<A: Adapter>(socket: &Socket<A>) {
    if !socket.connected() {
        return;
    }
    let Some(LoginHandler(handler)) = socket.extensions.get::<LoginHandler<A>>() else {
        return;
    };
    let pending = socket.extensions.remove::<PendingLogin<A>>();
    let Some(socket) = pending.and_then(|PendingLogin(socket)| socket.upgrade()) else {
        return;
    };

    if let Err(error) = guard::call("an extractor of the `on_login` handler", || {
        handler(Arc::clone(&socket));
    }) {
        log::refusal(&socket, &error, "the login handler was not called");
    }
}
