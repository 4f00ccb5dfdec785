//! The wall clock, which tests can move.

use std::{fmt, time::SystemTime};
#[cfg(test)]
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Returns the time of day.
///
/// A monotonic clock stops while the machine is suspended, but a token still expires then: `exp` is
/// a time of day ([RFC 7519 §4.1.4](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.4)).
#[derive(Clone)]
pub(crate) struct Clock {
    /// The time that a test sets; `None` for the clock of the system.
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

    #[cfg_attr(
        not(test),
        expect(clippy::unused_self, reason = "a test build keeps its time in it")
    )]
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
        (
            Self {
                test: Some(Arc::clone(&time)),
            },
            TestClock(time),
        )
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Clock")
    }
}

/// Sets the time of a [`Clock::fixed`].
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
