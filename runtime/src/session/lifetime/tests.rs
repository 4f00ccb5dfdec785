use std::{borrow::Cow, pin::pin};

use futures_util::FutureExt;
use socketioxide::{SocketError, socket::Sid};
use tokio::time::advance;

use super::*;
use crate::session::{
    Session,
    rooms::SessionRooms,
    socket::{AnySocket, Message},
};

/// A socket that is not connected.
struct Absent;

impl AnySocket for Absent {
    fn connection(&self) -> Sid {
        Sid::ZERO
    }

    fn namespace(&self) -> Cow<'_, str> {
        "/".into()
    }

    fn is_connected(&self) -> bool {
        false
    }

    fn is_in_namespace(&self) -> bool {
        false
    }

    fn send(&self, _: &str, _: &Message<'_>) -> Result<(), SocketError> {
        Err(SocketError::Closed)
    }

    fn close(self: Arc<Self>) -> Result<(), SocketError> {
        Err(SocketError::Closed)
    }

    #[cfg(feature = "axum")]
    fn hang_up(&self) {}

    fn session(&self) -> Option<Arc<dyn Session>> {
        None
    }

    fn leave_rooms(&self, _: &SessionRooms) {}

    fn leave_ended(&self, _: &SessionRooms) {}
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_was_connected_and_is_not_has_left() {
    let socket: Arc<dyn AnySocket> = Arc::new(Absent);
    let lifetime = Arc::new(Lifetime::new(false));
    let ended = lifetime.ended(Arc::downgrade(&socket), true);
    assert!(ended.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_socket_may_be_connected_within_a_minute() {
    let socket: Arc<dyn AnySocket> = Arc::new(Absent);
    let lifetime = Arc::new(Lifetime::new(false));
    let mut ended = pin!(lifetime.ended(Arc::downgrade(&socket), false));

    let start = Instant::now();
    assert!(ended.as_mut().now_or_never().is_none());
    while start.elapsed() < LONGEST_CONNECT - LOOK {
        advance(LOOK).await;
        assert!(ended.as_mut().now_or_never().is_none());
    }
    advance(LOOK).await;
    assert!(ended.now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_was_dropped_has_left() {
    let socket: Arc<dyn AnySocket> = Arc::new(Absent);
    let weak = Arc::downgrade(&socket);
    drop(socket);
    assert!(
        Arc::new(Lifetime::new(false))
            .ended(weak, false)
            .now_or_never()
            .is_some()
    );
}
