//! A channel from the handlers of a server to its test.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::within;

/// Sends strings from handlers to the test. Add it to the server as a `State`.
#[derive(Debug, Clone)]
pub struct Recorder(UnboundedSender<String>);

/// Receives the strings of a [`Recorder`].
#[derive(Debug)]
pub struct Records(UnboundedReceiver<String>);

/// Creates a channel from the server to the test.
pub fn recorder() -> (Recorder, Records) {
    let (sender, receiver) = unbounded_channel();
    (Recorder(sender), Records(receiver))
}

impl Recorder {
    /// Sends a record to the test.
    pub fn record(&self, record: impl Into<String>) {
        // The test may be over.
        self.0.send(record.into()).ok();
    }
}

impl Records {
    /// Waits for the next record.
    ///
    /// # Panics
    ///
    /// If there is none in time.
    pub async fn next(&mut self) -> String {
        within("a record of the server", self.0.recv())
            .await
            .expect("the server is still there")
    }

    /// Returns the records that `next` has not returned yet.
    pub fn unread(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
