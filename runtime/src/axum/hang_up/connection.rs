//! A connection that can be hung up.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use futures_util::task::AtomicWaker;

use super::{HangUpListener, layer::Registration};

/// Hangs up the connection of a request: a handle, which axum puts into the request's extensions as
/// `ConnectInfo<HangUp>`. See [`HangUpListener`].
///
/// It is cheap to clone.
///
/// ```
/// use axum::extract::ConnectInfo;
/// use socketioxide_jwt_auth::axum::HangUp;
///
/// async fn address(ConnectInfo(connection): ConnectInfo<HangUp>) -> String {
///     format!("{:?}", connection.remote_addr())
/// }
/// ```
#[derive(Clone)]
pub struct HangUp(Arc<Connection>);

#[derive(Default)]
struct Connection {
    remote_addr: Option<SocketAddr>,
    is_hung_up: AtomicBool,
    // Two, because different tasks read and write.
    reader: AtomicWaker,
    writer: AtomicWaker,
    /// The entry of its WebSocket, which is removed together with the connection.
    registration: OnceLock<Registration>,
}

/// The task that waits for a connection.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Reader,
    Writer,
}

/// Does not keep the connection in memory.
pub(super) struct WeakHangUp(Weak<Connection>);

impl HangUp {
    pub(super) fn new(remote_addr: Option<SocketAddr>) -> Self {
        Self(Arc::new(Connection {
            remote_addr,
            ..Connection::default()
        }))
    }

    /// Returns the address of the client, or of the proxy before it. Returns `None` if the listener
    /// is not one for IP addresses.
    pub fn remote_addr(&self) -> Option<SocketAddr> {
        self.0.remote_addr
    }

    /// Ends the connection now, without a word to the client: its reads and writes fail with
    /// [`ConnectionAborted`](std::io::ErrorKind::ConnectionAborted), and the server drops it. With
    /// HTTP/2, all requests of the connection end.
    pub fn hang_up(&self) {
        self.0.is_hung_up.store(true, Ordering::Release);
        self.0.reader.wake();
        self.0.writer.wake();
    }

    pub(super) fn is_hung_up(&self) -> bool {
        self.0.is_hung_up.load(Ordering::Acquire)
    }

    /// Is ready once the connection is hung up, and wakes the task of this side then.
    pub(super) fn poll_hung_up(&self, side: Side, context: &Context<'_>) -> Poll<()> {
        let waker = match side {
            Side::Reader => &self.0.reader,
            Side::Writer => &self.0.writer,
        };
        // Registered first: otherwise a call between the check and the registration would be lost.
        waker.register(context.waker());
        if self.is_hung_up() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }

    pub(super) fn downgrade(&self) -> WeakHangUp {
        WeakHangUp(Arc::downgrade(&self.0))
    }

    /// Keeps the entry of its WebSocket. A connection has one at most.
    pub(super) fn hold_registration(&self, registration: Registration) {
        self.0.registration.set(registration).ok();
    }
}

impl WeakHangUp {
    pub(super) fn upgrade(&self) -> Option<HangUp> {
        self.0.upgrade().map(HangUp)
    }

    pub(super) fn is_dropped(&self) -> bool {
        self.0.strong_count() == 0
    }
}

impl<L: Listener> Connected<IncomingStream<'_, HangUpListener<L>>> for HangUp
where
    L::Addr: 'static,
{
    fn connect_info(stream: IncomingStream<'_, HangUpListener<L>>) -> Self {
        stream.io().handle().clone()
    }
}

impl fmt::Debug for HangUp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HangUp")
            .field("remote_addr", &self.0.remote_addr)
            .field("is_hung_up", &self.is_hung_up())
            .finish_non_exhaustive()
    }
}
