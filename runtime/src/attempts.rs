//! How often one connection was refused.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use lru::LruCache;
use socketioxide::socket::Sid;
use tokio::time::Instant;

use crate::error::{AuthError, Code};

/// A client can send thousands of CONNECT packets in a second on one connection, and each would cost a lookup.
const MAX_REFUSALS: u32 = 20;

/// Refusals are forgotten after a while without one, so that a connection which lives for days is not locked out.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// The connections that are remembered. A client needs a new connection, an expensive thing, to push one out.
const MAX_CONNECTIONS: usize = 8192;

pub(crate) struct Refusals(Mutex<LruCache<Sid, Counted>>);

struct Counted {
    number: u32,
    last: Instant,
    code: Code,
}

impl Refusals {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::unbounded()))
    }

    /// # Errors
    ///
    /// What the connection was refused with the last time, if that was once too often.
    pub(crate) fn check(&self, connection: Sid) -> Result<(), AuthError> {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match cache.get(&connection) {
            Some(counted) if counted.last.elapsed() > FORGOTTEN_AFTER => {
                cache.pop(&connection);
                Ok(())
            }
            Some(counted) if counted.number >= MAX_REFUSALS => Err(counted.code.into()),
            _ => Ok(()),
        }
    }

    pub(crate) fn count(&self, connection: Sid, code: Code) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let counted = cache.get_or_insert_mut(connection, || Counted { number: 0, last: Instant::now(), code });
        *counted = Counted { number: counted.number.saturating_add(1), last: Instant::now(), code };
        if cache.len() > MAX_CONNECTIONS {
            cache.pop_lru();
        }
    }

    pub(crate) fn forget(&self, connection: Sid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop(&connection);
    }
}

impl fmt::Debug for Refusals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Refusals(..)")
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn refused(times: u32) -> (Refusals, Sid) {
        let (refusals, connection) = (Refusals::new(), Sid::new());
        for _ in 0..times {
            refusals.count(connection, Code::UserNotFound);
        }
        (refusals, connection)
    }

    #[test]
    fn a_connection_is_refused_so_often_and_no_other_with_it() {
        let (refusals, connection) = refused(MAX_REFUSALS - 1);
        assert!(refusals.check(connection).is_ok());
        refusals.count(connection, Code::Denied);
        assert_eq!(refusals.check(connection).unwrap_err().kind(), Code::Denied);
        assert!(refusals.check(Sid::new()).is_ok());
        refusals.forget(connection);
        assert!(refusals.check(connection).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_forgotten_a_while_after_the_last_one() {
        let (refusals, connection) = refused(MAX_REFUSALS);
        advance(FORGOTTEN_AFTER - Duration::from_secs(1)).await;
        assert!(refusals.check(connection).is_err());
        advance(Duration::from_secs(2)).await;
        assert!(refusals.check(connection).is_ok());
        refusals.count(connection, Code::UserNotFound);
        assert!(refusals.check(connection).is_ok(), "it counts from the beginning");
    }

    #[test]
    fn only_so_many_connections_are_remembered() {
        let (refusals, first) = refused(MAX_REFUSALS);
        for _ in 0..MAX_CONNECTIONS {
            refusals.count(Sid::new(), Code::UserNotFound);
        }
        assert_eq!(refusals.0.lock().unwrap().len(), MAX_CONNECTIONS);
        assert!(refusals.check(first).is_ok());
    }
}
