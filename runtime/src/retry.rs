//! Pauses between tries, and tries for a client whose channel is full.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use socketioxide::SocketError;
use tokio::time::{Instant, sleep};

use crate::session::socket::{AnySocket, is_abandoned};

/// A pause that doubles from the shortest to the longest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    shortest: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    pub(crate) const fn new(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            failures: 0,
        }
    }

    /// Returns the pause after one more failure.
    pub(crate) fn pause(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        self.after(self.failures)
    }

    /// Returns the pause after this number of failures in a row.
    pub(crate) fn after(self, failures: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(failures.saturating_sub(1));
        self.shortest.saturating_mul(doubled).min(self.longest)
    }
}

/// The first pauses while a channel is full. If the client reads, there is room in its channel only
/// for a moment: the application's next broadcast fills it. A failed try costs some nanoseconds.
const EAGER: Duration = Duration::from_millis(1);
const EAGER_FOR: Duration = Duration::from_secs(3);

/// The later pauses, for a client that has stopped reading, perhaps for as long as its connection
/// lasts.
const SLOW: Backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));

/// The pauses between tries for a client whose channel is full.
struct FullChannel {
    since: Instant,
    backoff: Backoff,
}

impl FullChannel {
    fn new() -> Self {
        Self {
            since: Instant::now(),
            backoff: SLOW,
        }
    }

    fn pause(&mut self) -> Duration {
        if self.since.elapsed() < EAGER_FOR {
            EAGER
        } else {
            self.backoff.pause()
        }
    }
}

/// Calls `act` with a socket, and again as long as the socket's channel is full and the socket is
/// not dropped.
pub(crate) async fn while_full(
    socket: &Weak<dyn AnySocket>,
    mut act: impl FnMut(&Arc<dyn AnySocket>) -> Result<(), SocketError>,
) {
    let mut channel = FullChannel::new();
    // Upgraded for each try, so that a pause does not keep the socket alive.
    while socket
        .upgrade()
        .is_some_and(|socket| matches!(act(&socket), Err(SocketError::InternalChannelFull)))
    {
        sleep(channel.pause()).await;
    }
}

/// The pauses between two looks at a socket, which double up to the maximum: nothing tells when later
/// connect middlewares, or a disconnect handler, have run.
const LOOKS: Backoff = Backoff::new(Duration::from_millis(1), Duration::from_secs(1));

/// Waits until the socket is connected, because nothing can be sent to it before, or until it is
/// dropped.
///
/// Returns at once for a socket that is [abandoned](is_abandoned). Keeps waiting for another one that
/// has disconnected and that the application still holds: it looks like one that is not connected
/// yet.
pub(crate) async fn until_connected(socket: &Weak<dyn AnySocket>) {
    let mut backoff = LOOKS;
    while socket
        .upgrade()
        .is_some_and(|socket| !socket.is_connected() && !is_abandoned(&socket))
    {
        sleep(backoff.pause()).await;
    }
}

/// Waits until a disconnected socket has left its namespace, and removes it if its disconnect
/// handler panicked: the client would hear what is sent to the namespace as long as its connection
/// lasts.
pub(crate) async fn until_removed(socket: &Weak<dyn AnySocket>) {
    let mut backoff = LOOKS;
    while let Some(open) = socket.upgrade().filter(|socket| socket.is_in_namespace()) {
        if is_abandoned(&open) {
            // Its handler has gone, so this removes it.
            open.close().ok();
        } else {
            drop(open);
        }
        sleep(backoff.pause()).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_channel_is_tried_each_millisecond_at_first_and_seldom_later() {
        let mut channel = FullChannel::new();
        for _ in 0..3000 {
            assert_eq!(channel.pause(), Duration::from_millis(1));
            advance(EAGER).await;
        }
        let pauses: Vec<_> = (0..5).map(|_| channel.pause().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 50, 50]);
    }

    #[test]
    fn a_backoff_doubles_up_to_the_longest_pause() {
        let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));
        let pauses: Vec<_> = (0..5).map(|_| backoff.pause().as_millis()).collect();
        assert_eq!(pauses, [10, 20, 40, 50, 50]);
    }
}
