//! Ends the sockets of a user, on this node and on other nodes.

use std::{fmt::Display, sync::Arc, time::Duration};

use futures_util::{
    StreamExt,
    future::{join, join_all},
    stream,
};
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    operators::BroadcastOperators,
    socket::{RemoteActionError, RemoteSocket, Sid},
};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::DisconnectError;
use crate::{
    error::{AuthError, ErrorCode},
    log::namespace,
    refusal::{Ending, UNAUTHORIZED},
    registry::{LoggedOut, UserOnServer, registry},
    retry::{Backoff, until_connected},
    session::rooms,
};

/// The time limit for slow clients of this node.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(5);

/// The time limit for other nodes.
const REMOTE_TIMEOUT: Duration = Duration::from_secs(10);

/// The pauses between the questions to other nodes whether their slow clients are gone.
const REMAINING: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_secs(2));

const MAX_TRIES: u32 = 7;

/// How many namespaces are handled at once, because a server can have many dynamic ones.
const CONCURRENT_NAMESPACES: usize = 32;

/// Ends all sockets of a user.
pub(super) async fn end<A: Adapter>(
    io: &SocketIo<A>,
    user_room: &str,
    reason: Option<Arc<AuthError>>,
) -> Result<(), DisconnectError> {
    let user_room: Arc<str> = user_room.into();
    let code = reason
        .as_ref()
        .map_or(ErrorCode::SessionEnded, |reason| reason.code());

    // This node comes first: an adapter that fails to reach other nodes does not disconnect the
    // sockets here either.
    let logged_out = registry().log_out(&UserOnServer::new(io, Arc::clone(&user_room)), code);
    let slow: Vec<_> = logged_out
        .iter()
        .filter_map(|session| end_here::<A>(session, code, reason.as_ref()))
        .collect();
    drop(logged_out);
    let here = async {
        timeout(LOCAL_TIMEOUT, join_all(slow))
            .await
            .map(drop)
            .map_err(|_| DisconnectError::SlowClient)
    };

    let namespaces = io
        .nsps()
        .into_iter()
        .map(|namespace| namespace.ns_path().to_owned());
    let elsewhere: Vec<_> = namespaces
        .map(|path| {
            UserRoom {
                io: io.clone(),
                path,
                room: Arc::clone(&user_room),
            }
            .end_elsewhere(reason.clone())
        })
        .collect();
    let elsewhere = stream::iter(elsewhere)
        .buffer_unordered(CONCURRENT_NAMESPACES)
        .collect::<Vec<_>>();

    let (here, elsewhere) = join(here, elsewhere).await;
    elsewhere.into_iter().collect::<Result<(), _>>().and(here)
}

/// Disconnects a socket of this node. Returns a task if its client reads too slowly.
fn end_here<A: Adapter>(
    logged_out: &LoggedOut,
    code: ErrorCode,
    reason: Option<&Arc<AuthError>>,
) -> Option<JoinHandle<()>> {
    let socket = logged_out.socket::<A>()?;
    tracing::info!(
        namespace = &*namespace(&socket),
        socket = %socket.id,
        code = code.as_str(),
        "user disconnected"
    );

    let mut ending = Ending::new(logged_out.session.state().room().cloned(), reason.cloned());
    if !socket.connected() {
        // Later connect middlewares still run. The session has ended, so the caller need not wait
        // for the rest.
        let socket = Arc::downgrade(&socket);
        tokio::spawn(async move {
            until_connected(&socket).await;
            ending.run(&socket).await;
        });
        return None;
    }

    if ending.attempt(&socket).is_ok() {
        return None;
    }
    let socket = Arc::downgrade(&socket);
    Some(tokio::spawn(async move { ending.run(&socket).await }))
}

/// A user's room in one namespace.
struct UserRoom<A: Adapter> {
    io: SocketIo<A>,
    path: String,
    room: Arc<str>,
}

impl<A: Adapter> UserRoom<A> {
    /// Selects the sockets in some rooms. Returns `None` if the namespace was deleted, which
    /// disconnects its sockets.
    fn sockets<const N: usize>(&self, rooms: [String; N]) -> Option<BroadcastOperators<A>> {
        self.io.of(&self.path).map(|namespace| namespace.to(rooms))
    }

    fn members(&self) -> Option<BroadcastOperators<A>> {
        self.sockets([self.room.to_string()])
    }

    /// Ends the sockets of other nodes, through the adapter.
    async fn end_elsewhere(self, reason: Option<Arc<AuthError>>) -> Result<(), DisconnectError> {
        let ending = timeout(REMOTE_TIMEOUT, async {
            self.refuse_attempts().await?;

            if let (Some(sockets), Some(reason)) = (self.members(), reason) {
                // If it fails, the clients are still disconnected.
                sockets.emit(UNAUTHORIZED, &*reason).await.ok();
            }

            if let Some(sockets) = self.members() {
                adapter_error(sockets.disconnect().await)?;
            }

            self.end_remaining().await
        });
        ending.await.unwrap_or_else(|_| Err(unreached("no answer")))
    }

    /// Makes other nodes refuse the user's attempts under way, and sockets that are accepted but
    /// not connected yet.
    async fn refuse_attempts(&self) -> Result<(), DisconnectError> {
        if !rooms::are_shared::<A>() {
            return Ok(());
        }
        let Some(sockets) = self.sockets([rooms::ATTEMPTS.to_owned(), self.room.to_string()])
        else {
            return Ok(());
        };
        sockets
            .join(rooms::of_logout(&self.room))
            .await
            .map_err(unreached)
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
            for socket in self.remaining_of(&known).await? {
                adapter_error(socket.disconnect().await)?;
            }
            remaining = self.remaining_of(&known).await?;
        }
        Err(DisconnectError::SlowClient)
    }

    /// Returns the sockets that are not disconnected yet, including those whose session had ended
    /// before.
    async fn remaining(&self) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        match self.sockets([self.room.to_string(), rooms::of_ended(&self.room)]) {
            Some(sockets) => sockets.fetch_sockets().await.map_err(unreached),
            None => Ok(Vec::new()),
        }
    }

    /// Returns those of the `known` sockets that remain. Sockets that connected meanwhile have
    /// passed the lookup, so they may stay.
    async fn remaining_of(&self, known: &[Sid]) -> Result<Vec<RemoteSocket<A>>, DisconnectError> {
        let mut sockets = self.remaining().await?;
        sockets.retain(|socket| known.contains(&socket.data().id));
        Ok(sockets)
    }
}

/// Keeps the errors of the adapter only. A socket that could not be disconnected is closed already,
/// or [`UserRoom::end_remaining`] tries again.
fn adapter_error(result: Result<(), impl Into<RemoteActionError>>) -> Result<(), DisconnectError> {
    match result.map_err(Into::into) {
        Err(RemoteActionError::Adapter(error)) => Err(unreached(error)),
        _ => Ok(()),
    }
}

fn unreached(error: impl Display) -> DisconnectError {
    DisconnectError::Adapter(error.to_string())
}
