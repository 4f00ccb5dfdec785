//! Reaching a client that reads slowly.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use socketioxide::{SocketError, adapter::Adapter, socket::Socket};
use tokio::time::sleep;

/// A client that does not read is asked again after a pause, which doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Does something to a socket, again and again while its channel is full, until it is done or the socket is gone.
pub(crate) async fn persist<A: Adapter>(
    socket: &Weak<Socket<A>>,
    act: impl Fn(&Arc<Socket<A>>) -> Result<(), SocketError>,
) {
    // Upgraded anew each time: a pause must not keep a socket alive.
    while_full(|| socket.upgrade().map_or(Ok(()), |socket| act(&socket))).await;
}

/// The same to a socket that the caller holds.
pub(crate) async fn while_full(mut act: impl FnMut() -> Result<(), SocketError>) {
    let mut pause = FIRST_PAUSE;
    while matches!(act(), Err(SocketError::InternalChannelFull)) {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
