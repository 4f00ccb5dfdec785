//! A server that sends more than its client reads.

use socketioxide::{SendError, SocketError, adapter::Adapter, extract::SocketRef};

/// How often in a row the channel must be full, while the other tasks of the server run.
const FULL: usize = 200;

/// Sends the event `flood` until the socket's channel is full, because its client does not read.
///
/// # Panics
///
/// If the socket is closed.
pub async fn flood<A: Adapter>(socket: &SocketRef<A>) {
    let text = "x".repeat(64 * 1024);
    let mut refusals = 0;

    while refusals < FULL {
        match socket.emit("flood", &text) {
            Ok(()) => refusals = 0,
            Err(SendError::Socket(SocketError::InternalChannelFull)) => refusals += 1,
            Err(error) => panic!("{error}"),
        }
        tokio::task::yield_now().await;
    }
}
