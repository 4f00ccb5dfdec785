//! The wall clock, which tests can move.

#[cfg(test)]
use std::sync::{Arc, Mutex, PoisonError};
use std::{
    fmt,
    num::NonZeroU64,
    time::{Duration, SystemTime, UNIX_EPOCH},
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

/// A time of day, for what is kept for each session: an `Option` of it takes 8 bytes, that of a
/// [`SystemTime`] 16.
///
/// It has whole microseconds, rounded down. Times before 1970 and after the year 586 000 become the
/// first and the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Timestamp(
    /// One more than the number of microseconds since 1970.
    NonZeroU64,
);

impl Timestamp {
    /// Returns the time that is this long after the beginning of 1970.
    pub(crate) fn since_1970(since: Duration) -> Self {
        let micros = u64::try_from(since.as_micros()).unwrap_or(u64::MAX);
        Self(NonZeroU64::MIN.saturating_add(micros))
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        Self::since_1970(time.duration_since(UNIX_EPOCH).unwrap_or_default())
    }
}

impl From<Timestamp> for SystemTime {
    fn from(Timestamp(micros): Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_micros(micros.get() - 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_is_rounded_down_to_microseconds_and_stays_within_its_range() {
        let at = |nanos| UNIX_EPOCH + Duration::from_nanos(nanos);
        for (nanos, kept) in [(0, 0), (999, 0), (1_000, 1_000), (1_999, 1_000)] {
            assert_eq!(SystemTime::from(Timestamp::from(at(nanos))), at(kept));
        }
        let before = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(SystemTime::from(Timestamp::from(before)), UNIX_EPOCH);

        let last = UNIX_EPOCH + Duration::from_micros(u64::MAX - 1);
        for after in [last, last + Duration::from_hours(1)] {
            assert_eq!(SystemTime::from(Timestamp::from(after)), last);
        }
        assert_eq!(size_of::<Option<Timestamp>>(), 8);
    }
}
