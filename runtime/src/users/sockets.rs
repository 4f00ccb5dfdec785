//! Ends the sockets of a user, here and elsewhere.

use std::{fmt::Display, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use socketioxide::{
    SocketError, SocketIo,
    adapter::Adapter,
    extract::SocketRef,
    operators::BroadcastOperators,
    socket::{RemoteActionError, RemoteSocket, Sid},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::DisconnectError;
use crate::{
    error::{AuthError, Code},
    persist::while_full,
    refusal::{self, UNAUTHORIZED},
    rooms,
    session::{self, namespace},
};

/// How long the clients of this node may take, and the other nodes.
const PATIENCE_HERE: Duration = Duration::from_secs(5);
const PATIENCE_ELSEWHERE: Duration = Duration::from_secs(10);

/// A client on another node that reads too slowly is tried again after a pause, which doubles from the first to the
/// longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A server can have very many dynamic namespaces.
const NAMESPACES_AT_ONCE: usize = 32;

/// Ends all sockets in a user's room.
pub(super) async fn end<A: Adapter>(
    io: &SocketIo<A>,
    room: &str,
    reason: Option<Arc<AuthError>>,
) -> Result<(), DisconnectError> {
    let paths = io.nsps().into_iter().map(|namespace| namespace.ns_path().to_owned());
    let rooms: Vec<_> = paths.map(|path| NamespaceRoom { io: io.clone(), path, room: room.to_owned() }).collect();

    // Here first, because an adapter that does not reach the others does nothing here either.
    let slow: Vec<_> = rooms.iter().flat_map(|room| room.end_here(reason.as_ref())).collect();
    let here =
        async { timeout(PATIENCE_HERE, join_all(slow)).await.map(drop).map_err(|_| DisconnectError::SlowClient) };

    let elsewhere: Vec<_> = rooms.into_iter().map(|room| room.end_elsewhere(reason.clone())).collect();
    let elsewhere = stream::iter(elsewhere).buffer_unordered(NAMESPACES_AT_ONCE).collect::<Vec<_>>();

    let (here, elsewhere) = join(here, elsewhere).await;
    elsewhere.into_iter().collect::<Result<(), _>>().and(here)
}

/// A user's room in one namespace.
struct NamespaceRoom<A: Adapter> {
    io: SocketIo<A>,
    path: String,
    room: String,
}

impl<A: Adapter> NamespaceRoom<A> {
    /// Used up by one use. `None` if the namespace was deleted, and its sockets with it.
    fn sockets(&self) -> Option<BroadcastOperators<A>> {
        self.io.of(&self.path).map(|namespace| namespace.to(self.room.clone()))
    }

    /// Returns the tasks that go on with the clients that read too slowly.
    fn end_here(&self, reason: Option<&Arc<AuthError>>) -> Vec<JoinHandle<()>> {
        let sockets = self.sockets().map(BroadcastOperators::sockets).unwrap_or_default();
        sockets.into_iter().filter_map(|socket| end_socket(socket, &self.room, reason.cloned())).collect()
    }

    /// Ends the sockets of the other nodes, which only the adapter reaches.
    async fn end_elsewhere(self, reason: Option<Arc<AuthError>>) -> Result<(), DisconnectError> {
        let ending = timeout(PATIENCE_ELSEWHERE, async {
            if let (Some(sockets), Some(reason)) = (self.sockets(), reason) {
                // Whoever cannot be told is disconnected all the same.
                sockets.emit(UNAUTHORIZED, &*reason).await.ok();
            }
            if let Some(sockets) = self.sockets() {
                reached(sockets.disconnect().await)?;
            }
            self.end_remaining().await
        });
        ending.await.unwrap_or_else(|_| Err(unreached("no answer")))
    }

    /// A node that could not disconnect a socket, because its client reads too slowly, tells nobody.
    async fn end_remaining(&self) -> Result<(), DisconnectError> {
        let mut remaining = self.remaining().await?;
        let mut pause = FIRST_PAUSE;
        while !remaining.is_empty() {
            if pause > LONGEST_PAUSE {
                return Err(DisconnectError::SlowClient);
            }
            sleep(pause).await;
            pause *= 2;
            let known: Vec<_> = remaining.iter().map(|socket| socket.data().id).collect();
            // A socket is there until its disconnect handler has run.
            for socket in self.remaining_of(&known).await? {
                reached(socket.disconnect().await)?;
            }
            remaining = self.remaining_of(&known).await?;
        }
        Ok(())
    }

    async fn remaining(&self) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        match self.sockets() {
            Some(sockets) => sockets.fetch_sockets().await.map_err(unreached),
            None => Ok(Vec::new()),
        }
    }

    /// Others have come meanwhile, and passed the lookup.
    async fn remaining_of(&self, known: &[Sid]) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        let mut sockets = self.remaining().await?;
        sockets.retain(|socket| known.contains(&socket.data().id));
        Ok(sockets)
    }
}

/// A socket that cannot be told anything is closed already, or is found among those that remain.
fn reached(result: Result<(), impl Into<RemoteActionError>>) -> Result<(), DisconnectError> {
    match result.map_err(Into::into) {
        Err(RemoteActionError::Adapter(error)) => Err(unreached(error)),
        _ => Ok(()),
    }
}

fn unreached(error: impl Display) -> DisconnectError {
    DisconnectError::Adapter(error.to_string())
}

/// Ends a socket of this node. If its client reads too slowly, a task goes on with it.
fn end_socket<A: Adapter>(socket: SocketRef<A>, room: &str, reason: Option<Arc<AuthError>>) -> Option<JoinHandle<()>> {
    let code = reason.as_ref().map_or(Code::LoginRequired, |reason| reason.kind());
    tracing::info!(namespace = namespace(&socket), socket = %socket.id, code = code.as_str(), "user disconnected");
    // What the sockets of the other nodes are told is not for this one.
    rooms::change(&socket, Some(room), None);

    let mut dismissal = Dismissal { socket, code, untold: reason };
    if dismissal.attempt().is_ok() {
        return None;
    }
    Some(tokio::spawn(while_full(move || if dismissal.socket.connected() { dismissal.attempt() } else { Ok(()) })))
}

struct Dismissal<A: Adapter> {
    socket: SocketRef<A>,
    code: Code,
    untold: Option<Arc<AuthError>>,
}

impl<A: Adapter> Dismissal<A> {
    /// # Errors
    ///
    /// The client's channel is full.
    fn attempt(&mut self) -> Result<(), SocketError> {
        // At each attempt, because a renewal may have been under way at the one before.
        session::end(&self.socket, self.code);
        let dismissed = self.tell().and_then(|()| self.socket.clone().disconnect());
        if dismissed.is_err() {
            // Nothing that the others are told reaches it any more, however long this takes.
            rooms::leave_all(&self.socket);
        }
        dismissed
    }

    fn tell(&mut self) -> Result<(), SocketError> {
        if let Some(reason) = &self.untold
            && let Err(full @ SocketError::InternalChannelFull) = refusal::tell(&self.socket, reason, None)
        {
            return Err(full);
        }
        self.untold = None;
        Ok(())
    }
}
