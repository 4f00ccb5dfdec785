//! The wall clock, which tests can move.

use std::{fmt, time::SystemTime};
#[cfg(test)]
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Tells the time of day.
///
/// A monotonic clock stands still while the machine is suspended, and a token expires all the same: `exp` is a time of
/// day ([RFC 7519 §4.1.4](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4)).
#[derive(Clone)]
pub(crate) struct Clock {
    /// The time of a test; the system's clock if there is none.
    #[cfg(test)]
    test: Option<Arc<Mutex<SystemTime>>>,
}

impl Clock {
    pub(crate) fn system() -> Self {
        Self {
            #[cfg(test)]
            test: None,
        }
    }

    #[cfg_attr(not(test), expect(clippy::unused_self, reason = "the clock of a test is in it"))]
    pub(crate) fn now(&self) -> SystemTime {
        #[cfg(test)]
        if let Some(time) = &self.test {
            return *time.lock().unwrap_or_else(PoisonError::into_inner);
        }
        SystemTime::now()
    }

    #[cfg(test)]
    pub(crate) fn fixed(at: SystemTime) -> (Self, TestClock) {
        let time = Arc::new(Mutex::new(at));
        (Self { test: Some(Arc::clone(&time)) }, TestClock(time))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

/// Moves a [`Clock::fixed`].
#[cfg(test)]
pub(crate) struct TestClock(Arc<Mutex<SystemTime>>);

#[cfg(test)]
impl TestClock {
    pub(crate) fn now(&self) -> SystemTime {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut time = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *time += by;
    }

    pub(crate) fn set(&self, to: SystemTime) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = to;
    }
}
