use std::{
    io::{self, Write},
    sync::{Arc, Mutex, Once, PoisonError},
};

use tracing::{level_filters::LevelFilter, subscriber::DefaultGuard};
use tracing_subscriber::fmt::MakeWriter;

/// Everything that `tracing` is told on this thread, as long as this lives. A test's server runs on the test's thread.
#[derive(Debug)]
pub struct Log {
    lines: Lines,
    _guard: DefaultGuard,
}

#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// Starts to listen.
    pub fn capture() -> Self {
        keep_every_event_enabled();
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(lines.clone())
            .finish();
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Everything so far.
    pub fn text(&self) -> String {
        let bytes = self.lines.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// The lines so far of this crate's own that hold a text.
    pub fn lines_with(&self, part: &str) -> Vec<String> {
        let text = self.text();
        let own = text.lines().filter(|line| line.contains("socketioxide_jwt_auth"));
        own.filter(|line| line.contains(part)).map(str::to_owned).collect()
    }
}

/// An event that is first met on a thread without a subscriber is switched off for all threads, until somebody looks
/// again. A subscriber for the threads that have none of their own keeps it on.
fn keep_every_event_enabled() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE).with_writer(io::sink).finish();
        tracing::subscriber::set_global_default(subscriber).expect("nobody else sets one");
    });
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
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
