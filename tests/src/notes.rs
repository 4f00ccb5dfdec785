use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::within;

/// Lets handlers of the server tell the test what they saw; a `State` of the server.
#[derive(Debug, Clone)]
pub struct Notes(UnboundedSender<String>);

/// What the handlers saw.
#[derive(Debug)]
pub struct Noted(UnboundedReceiver<String>);

/// A channel from the server to the test.
pub fn notes() -> (Notes, Noted) {
    let (sender, receiver) = unbounded_channel();
    (Notes(sender), Noted(receiver))
}

impl Notes {
    /// Tells the test.
    pub fn write(&self, note: impl Into<String>) {
        // The test may be over.
        self.0.send(note.into()).ok();
    }
}

impl Noted {
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
