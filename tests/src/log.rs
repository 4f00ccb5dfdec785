//! What `tracing` receives during a test.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, Once, PoisonError},
};

use tracing::{level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

/// Captures the `tracing` events of this thread until it is dropped. The server of a test runs on
/// the thread of the test.
#[derive(Debug)]
pub struct Log {
    lines: Lines,
    _guard: DefaultGuard,
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Starts to capture.
    pub fn capture() -> Self {
        keep_every_event_enabled();
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(lines.clone())
            .finish();
        Self {
            lines,
            _guard: tracing::subscriber::set_default(subscriber),
        }
    }

    /// Returns everything that was captured.
    pub fn text(&self) -> String {
        let bytes = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the captured lines of socketioxide-jwt-auth that contain a string.
    pub fn lines_with(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let own = text
            .lines()
            .filter(|line| line.contains("socketioxide_jwt_auth"));
        own.filter(|line| line.contains(part))
            .map(str::to_owned)
            .collect()
    }
}

/// `tracing` caches per call site whether an event is enabled. Without a global subscriber, an
/// event that first occurs on a thread without a subscriber stays disabled on all threads.
fn keep_every_event_enabled() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_writer(io::sink)
            .finish();
        tracing::subscriber::set_global_default(subscriber).expect("no other code sets one");
    });
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
