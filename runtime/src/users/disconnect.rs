//! Ends the sockets of a user or of a login, on this node and on other nodes.

use std::{any::Any, fmt::Display, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    extract::SocketRef,
    handler::FromConnectParts,
    operators::BroadcastOperators,
    socket::{RemoteActionError, RemoteSocket, Sid, Socket},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::DisconnectError;
use crate::{
    error::AuthError,
    guard, log,
    refusal::Ending,
    registry::{LoggedOut, Logout, OthersOf, Server},
    retry::{Backoff, until_connected, until_removed},
    session::{
        Session, SessionState,
        rooms::{self, ATTEMPTS, Kept, LogoutMarks},
        socket::UNAUTHORIZED,
        store,
    },
};

/// The time limit for slow clients of this node.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit for other nodes.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pauses between the checks for sockets that remain on other nodes.
const REMAINING: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(2));

/// How often the sockets that remain on other nodes are disconnected again.
const MAX_TRIES: u32 = 7;

/// How many namespaces are handled at once, because a server can have many dynamic ones.
const CONCURRENT_NAMESPACES: usize = 32;

/// Ends all sockets in a room, which is that of a user or of a login.
pub(super) async fn end<A: Adapter>(
    io: &SocketIo<A>,
    room: &str,
    reason: Arc<AuthError>,
) -> Result<usize, DisconnectError> {
    let room: Arc<str> = room.into();
    let logged_out = Server::find(io).and_then(|server| {
        server.log_out(&Logout {
            room: &room,
            code: reason.code(),
            others_of: None,
        })
    });

    let target = Target { room, kept: None };
    end_everywhere(io, target, logged_out.unwrap_or_default(), reason).await
}

/// Ends all sockets of a socket's user, but those of the same login.
pub(super) async fn end_others<A: Adapter>(
    socket: &Socket<A>,
    reason: Arc<AuthError>,
) -> Result<usize, DisconnectError> {
    let Some((session, io)) = session_and_server(socket) else {
        return Ok(0);
    };
    let caller = session.state();
    let Some(room) = caller.rooms().user.clone() else {
        return Ok(0);
    };
    let kept = match &caller.rooms().login {
        Some(login) => Kept::Login(Arc::clone(login)),
        None => Kept::Connection(socket.id),
    };

    let others_of = OthersOf {
        caller,
        kept: kept.clone(),
    };
    let logged_out = Server::find(&io).and_then(|server| {
        server.log_out(&Logout {
            room: &room,
            code: reason.code(),
            others_of: Some(others_of),
        })
    });
    let Some(logged_out) = logged_out else {
        return Ok(0);
    };

    let target = Target {
        room,
        kept: Some(kept),
    };
    end_everywhere(&io, target, logged_out, reason).await
}

/// Returns `None` for a socket without a session.
fn session_and_server<A: Adapter>(socket: &Socket<A>) -> Option<(Arc<dyn Session>, SocketIo<A>)> {
    let session = store::of_socket(socket)?;
    let any: Arc<dyn Any + Send + Sync> = session.state().socket().upgrade()?;
    let socket: Arc<Socket<A>> = any.downcast().ok()?;
    let Ok(io) = SocketIo::from_connect_parts(&socket, &None);
    Some((session, io))
}

/// Disconnects the sockets of this node whose sessions were ended, and ends those of other nodes.
async fn end_everywhere<A: Adapter>(
    io: &SocketIo<A>,
    target: Target,
    logged_out: LoggedOut,
    reason: Arc<AuthError>,
) -> Result<usize, DisconnectError> {
    // This node comes first: an adapter that fails to reach other nodes does not disconnect the
    // sockets here either.
    let LoggedOut { sessions, ended } = logged_out;
    let slow: Vec<_> = sessions
        .iter()
        .filter_map(|session| end_here(session.state(), &reason))
        .collect();
    drop(sessions);
    let here = async {
        timeout(LOCAL_TIMEOUT, join_all(slow))
            .await
            .map(drop)
            .map_err(|_| DisconnectError::SlowClient)
    };

    let namespaces = io.nsps().into_iter().map(|namespace| {
        let logout = NamespaceLogout {
            io: io.clone(),
            path: namespace.ns_path().to_owned(),
            target: target.clone(),
        };
        logout.run(Arc::clone(&reason))
    });
    let namespaces: Vec<_> = namespaces.collect();
    let elsewhere = stream::iter(namespaces)
        .buffer_unordered(CONCURRENT_NAMESPACES)
        .collect::<Vec<_>>();

    let (here, elsewhere) = join(here, elsewhere).await;
    elsewhere.into_iter().collect::<Result<(), _>>().and(here)?;
    Ok(ended)
}

/// Tells and disconnects a socket of this node. Returns a task if its client reads too slowly.
fn end_here(session: &SessionState, reason: &Arc<AuthError>) -> Option<JoinHandle<()>> {
    let socket = session.socket().upgrade()?;
    log::ended(&*socket, session, reason, "user disconnected");

    let mut ending = Ending::new(session.rooms().clone(), Arc::clone(reason));
    if !socket.is_connected() {
        // Later connect middlewares still run. The session has ended, so the caller need not wait
        // for the rest.
        let socket = Arc::downgrade(&socket);
        tokio::spawn(async move {
            until_connected(&socket).await;
            ending.run(&socket).await;
        });
        return None;
    }

    let is_closed = ending.attempt(&socket).is_ok();
    let is_removed = !socket.is_in_namespace();
    let socket = Arc::downgrade(&socket);
    if !is_closed {
        return Some(tokio::spawn(async move { ending.run(&socket).await }));
    }
    if !is_removed {
        tokio::spawn(async move { until_removed(&socket).await });
    }
    None
}

/// The sockets to end.
#[derive(Clone)]
struct Target {
    room: Arc<str>,
    kept: Option<Kept>,
}

/// A logout in one namespace, through the adapter: of the sockets on other nodes, and of those here
/// that the registry does not know.
struct NamespaceLogout<A: Adapter> {
    io: SocketIo<A>,
    path: String,
    target: Target,
}

impl<A: Adapter> NamespaceLogout<A> {
    /// Selects the sockets in some rooms. Returns `None` if the namespace was deleted, which
    /// disconnects its sockets.
    fn sockets<const N: usize>(&self, rooms: [String; N]) -> Option<BroadcastOperators<A>> {
        self.io.of(&self.path).map(|namespace| namespace.to(rooms))
    }

    /// Ends the sockets, and waits until they are gone.
    async fn run(self, reason: Arc<AuthError>) -> Result<(), DisconnectError> {
        let ending = timeout(REMOTE_TIMEOUT, async {
            self.refuse_attempts().await?;
            match &self.target.kept {
                _ if !rooms::are_shared::<A>() => self.disconnect_unregistered(&reason),
                None => self.disconnect_all(&reason).await?,
                Some(_) => self.disconnect_others(&reason).await?,
            }
            self.end_remaining().await
        });
        let ended = ending
            .await
            .unwrap_or_else(|_| Err(adapter_error("no answer")));
        self.unmark_kept().await;
        ended
    }

    /// Makes other nodes refuse attempts under way, and sockets that are accepted but not connected
    /// yet.
    async fn refuse_attempts(&self) -> Result<(), DisconnectError> {
        if !rooms::are_shared::<A>() {
            return Ok(());
        }
        let room = self.target.room.to_string();
        let Some(sockets) = self.sockets([ATTEMPTS.to_owned(), room]) else {
            return Ok(());
        };
        sockets.join(self.marks()).await.map_err(adapter_error)
    }

    fn marks(&self) -> Vec<String> {
        LogoutMarks::of(&self.target.room, self.target.kept.as_ref()).0
    }

    /// Disconnects the sockets of this node, the only one, that the registry does not know: those that
    /// the application put into the room.
    fn disconnect_unregistered(&self, reason: &AuthError) {
        let Some(sockets) = self.sockets([self.target.room.to_string()]) else {
            return;
        };
        let sockets = match &self.target.kept {
            Some(Kept::Login(room)) => sockets.except(room.to_string()),
            _ => sockets,
        };

        for socket in sockets.sockets() {
            if self.target.kept != Some(Kept::Connection(socket.id)) {
                disconnect_unless_ending(socket, reason);
            }
        }
    }

    async fn disconnect_all(&self, reason: &AuthError) -> Result<(), DisconnectError> {
        let room = || self.sockets([self.target.room.to_string()]);
        if let Some(sockets) = room() {
            // If it fails, the clients are still disconnected.
            sockets.emit(UNAUTHORIZED, reason).await.ok();
        }
        match room() {
            Some(sockets) => only_adapter_error(sockets.disconnect().await),
            None => Ok(()),
        }
    }

    /// Disconnects the sockets one by one, because an adapter cannot leave out a connection.
    async fn disconnect_others(&self, reason: &AuthError) -> Result<(), DisconnectError> {
        let sockets = self.remaining_in([self.target.room.to_string()]).await?;
        let ending = sockets.into_iter().map(async |socket| {
            socket.emit(UNAUTHORIZED, reason).await.ok();
            only_adapter_error(socket.disconnect().await)
        });
        join_all(ending).await.into_iter().collect()
    }

    /// Takes kept sockets out of the rooms of the logout, in which they stay connected. Those with
    /// an attempt under way leave them themselves.
    async fn unmark_kept(&self) {
        if !rooms::are_shared::<A>() {
            return;
        }

        match &self.target.kept {
            Some(Kept::Login(room)) => {
                if let Some(sockets) = self.sockets([room.to_string()]) {
                    sockets.leave(self.marks()).await.ok();
                }
            }
            Some(Kept::Connection(connection)) => {
                let namespace = self.io.of(&self.path);
                let socket = namespace.and_then(|namespace| namespace.get_socket(*connection));
                if let Some(socket) = socket {
                    socket.leave(self.marks());
                }
            }
            None => {}
        }
    }

    /// Waits until the sockets on other nodes are gone, and disconnects them again until then: a
    /// node does not report a socket that it could not disconnect because the client reads too
    /// slowly.
    async fn end_remaining(&self) -> Result<(), DisconnectError> {
        let mut remaining = self.remaining().await?;
        let mut backoff = REMAINING;
        for _ in 0..MAX_TRIES {
            if remaining.is_empty() {
                return Ok(());
            }
            sleep(backoff.pause()).await;

            let known: Vec<_> = remaining.iter().map(|socket| socket.data().id).collect();
            // A socket that is being disconnected is listed until its disconnect handler has run.
            // Sockets of this node are first told why they end, and then disconnected by their own task.
            for socket in self.remaining_of(&known).await? {
                if socket.data().server_id != self.io.config().server_id {
                    only_adapter_error(socket.disconnect().await)?;
                }
            }
            remaining = self.remaining_of(&known).await?;
        }
        Err(DisconnectError::SlowClient)
    }

    /// Returns the sockets that are not disconnected yet, including those whose session had ended
    /// before.
    async fn remaining(&self) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        let room = &self.target.room;
        self.remaining_in([room.to_string(), rooms::of_ended(room)])
            .await
    }

    async fn remaining_in<const N: usize>(
        &self,
        rooms: [String; N],
    ) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        let Some(sockets) = self.sockets(rooms) else {
            return Ok(Vec::new());
        };
        let sockets = match &self.target.kept {
            Some(Kept::Login(room)) => sockets.except(room.to_string()),
            _ => sockets,
        };

        let mut sockets = sockets.fetch_sockets().await.map_err(adapter_error)?;
        if let Some(Kept::Connection(connection)) = self.target.kept {
            sockets.retain(|socket| socket.data().id != connection);
        }
        Ok(sockets)
    }

    /// Returns those of the `known` sockets that remain. Sockets that connected meanwhile have
    /// passed the lookup, so they may stay.
    async fn remaining_of(&self, known: &[Sid]) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        let mut sockets = self.remaining().await?;
        sockets.retain(|socket| known.contains(&socket.data().id));
        Ok(sockets)
    }
}

/// Disconnects a socket of this node. Leaves out one whose session has ended, because what ended it
/// disconnects the client, and one that is not connected yet: its client would hear of the end before
/// its CONNECT is answered, and take itself for connected afterwards.
fn disconnect_unless_ending<A: Adapter>(socket: SocketRef<A>, reason: &AuthError) {
    let session = store::of_socket(&socket);
    let state = session.as_ref().map(|session| session.state());
    let has_ended = state.is_some_and(|state| state.ended_with().is_some());
    if has_ended || !socket.connected() {
        return;
    }

    // A client that reads too slowly is disconnected later, if at all.
    socket.emit(UNAUTHORIZED, reason).ok();
    if let Some(socket) = state.and_then(|state| state.socket().upgrade()) {
        socket.close().ok();
        return;
    }

    // Its namespace has no middleware of this crate.
    let disconnect = || {
        guard::call("an extractor of the disconnect handler", || {
            socket.clone().disconnect().ok()
        })
    };
    // After a panic socketioxide keeps the socket, which a second disconnect removes.
    if disconnect().is_err() {
        disconnect().ok();
    }
}

/// Keeps the errors of the adapter only. A socket that could not be disconnected is closed already,
/// or [`NamespaceLogout::end_remaining`] tries again.
fn only_adapter_error(
    result: Result<(), impl Into<RemoteActionError>>,
) -> Result<(), DisconnectError> {
    match result.map_err(Into::into) {
        Err(RemoteActionError::Adapter(error)) => Err(adapter_error(error)),
        _ => Ok(()),
    }
}

fn adapter_error(error: impl Display) -> DisconnectError {
    DisconnectError::Adapter(error.to_string())
}
