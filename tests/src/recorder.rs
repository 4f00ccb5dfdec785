use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::within;

/// Lets handlers of the server tell the test what they saw; a `State` of the server.
#[derive(Debug, Clone)]
pub struct Recorder(UnboundedSender<String>);

/// What the handlers saw.
#[derive(Debug)]
pub struct Records(UnboundedReceiver<String>);

/// A channel from the server to the test.
pub fn recorder() -> (Recorder, Records) {
    let (sender, receiver) = unbounded_channel();
    (Recorder(sender), Records(receiver))
}

impl Recorder {
    /// Tells the test.
    pub fn record(&self, record: impl Into<String>) {
        // The test may be over.
        self.0.send(record.into()).ok();
    }
}

impl Records {
    /// The next note.
    ///
    /// # Panics
    ///
    /// If there is none in time.
    pub async fn next(&mut self) -> String {
        within("a note of the server", self.0.recv()).await.expect("the server is still there")
    }

    /// The notes that nobody has read yet.
    pub fn unread(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
