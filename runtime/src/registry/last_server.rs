//! The server that a middleware has connected its last socket to.

use std::sync::{Arc, Mutex, PoisonError};

use socketioxide::{SocketIo, adapter::Adapter, handler::FromConnectParts, socket::Socket};

use super::{Server, ServerId};

/// The server of a middleware's last attempt. It is kept, because a server without sessions would be
/// made again for each connection. Nearly every middleware has one server.
#[derive(Default)]
pub(crate) struct LastServer(Mutex<Option<Arc<Server>>>);

impl LastServer {
    /// Returns the server of a socket.
    pub(crate) fn of_socket<A: Adapter>(&self, socket: &Arc<Socket<A>>) -> Arc<Server> {
        let Ok(io) = SocketIo::from_connect_parts(socket, &None);
        let id = ServerId::of(&io);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = last.as_ref().filter(|server| server.id == id) {
            return Arc::clone(server);
        }

        let server = Server::with_id(id);
        let before = last.replace(Arc::clone(&server));
        drop(last);
        drop(before);
        server
    }
}
