//! The limits of one connection: refused attempts, attempts under way, and renewals.
//!
//! A client can open thousands of namespaces on one Engine.IO connection, and leave and join each
//! of them repeatedly. So the limits count per connection, whose id all of its sockets share.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::BuildHasherDefault,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use fnv::FnvHasher;
use lru::LruCache;
use socketioxide::socket::Sid;
use tokio::time::Instant;

use crate::error::{AuthError, ErrorCode};

/// The limit of refusals. A client can send thousands of CONNECT packets in a second on one
/// connection, and each would cost a lookup. An attempt under way counts as a refusal, because it
/// may become one.
const MAX_REFUSALS: u32 = 20;

/// How long after the last one the refusals are forgotten, so that a connection that lives for days
/// is not locked out.
const REFUSALS_LAST: Duration = Duration::from_mins(1);

/// The limit of renewals. A client usually renews every few minutes; a client that renews in a loop
/// costs a lookup each time.
const MAX_RENEWALS: u32 = 20;
const RENEWAL_PERIOD: Duration = Duration::from_secs(10);

/// The number of connections that are remembered. To make the limiter forget one, a client has to
/// open that many new connections, which is expensive.
const MAX_CONNECTIONS: usize = 8192;

static LIMITER: LazyLock<RateLimiter> = LazyLock::new(RateLimiter::default);

/// Returns the limiter of the process. All servers share it, because the id of a connection is
/// unique among them.
pub(crate) fn limiter() -> &'static RateLimiter {
    &LIMITER
}

#[derive(Default)]
pub(crate) struct RateLimiter(Mutex<State>);

#[derive(Default)]
struct State {
    /// The attempts under way. They need no limit in number, because each is removed when it ends. A
    /// fast hash is enough: the server chooses the ids.
    in_flight: HashMap<Sid, u32, BuildHasherDefault<FnvHasher>>,
    refusals: Remembered<Refusals>,
    renewals: Remembered<Renewals>,
    /// The connections that the log has named a token under another name for.
    hints: Remembered<()>,
}

#[derive(Clone, Copy)]
struct Refusals {
    number: u32,
    last: Instant,
}

#[derive(Clone, Copy)]
struct Renewals {
    number: u32,
    since: Instant,
}

/// A value for each of the connections that were used last.
struct Remembered<T>(LruCache<Sid, T>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        // `put` keeps it within the limit; a bounded cache would allocate for all of them at once.
        Self(LruCache::unbounded())
    }
}

impl<T> Remembered<T> {
    fn put(&mut self, connection: Sid, value: T) {
        self.0.put(connection, value);
        if self.0.len() > MAX_CONNECTIONS {
            self.0.pop_lru();
        }
    }

    // `LruCache` hashes the id also if it is empty, which is the usual case for refusals.

    fn get(&mut self, connection: Sid) -> Option<&T> {
        if self.0.is_empty() {
            return None;
        }
        self.0.get(&connection)
    }

    fn remove(&mut self, connection: Sid) {
        if !self.0.is_empty() {
            self.0.pop(&connection);
        }
    }
}

impl RateLimiter {
    /// Begins an attempt to authenticate: a connection to a namespace, a login or a renewal.
    ///
    /// # Errors
    ///
    /// Returns `too_many_attempts` if the connection was refused too often, or has too many
    /// attempts under way.
    pub(crate) fn begin_attempt(
        &'static self,
        connection: Sid,
    ) -> Result<AttemptPermit, AuthError> {
        let mut state = self.state();
        let refused = state.refusals(connection);
        let in_flight = state
            .in_flight
            .get(&connection)
            .copied()
            .unwrap_or_default();

        if refused.saturating_add(in_flight) >= MAX_REFUSALS {
            return Err(too_many(format!(
                "{MAX_REFUSALS} attempts of this connection were refused; the count ends a minute after the last one"
            )));
        }
        state.in_flight.insert(connection, in_flight + 1);
        Ok(AttemptPermit {
            limiter: self,
            connection,
        })
    }

    /// Counts a renewal of the connection.
    ///
    /// # Errors
    ///
    /// Returns `too_many_attempts` if the connection has used up the renewals of this period.
    pub(crate) fn count_renewal(&self, connection: Sid) -> Result<(), AuthError> {
        let mut state = self.state();
        let known = state.renewals.get(connection).copied();
        let current = known.filter(|renewals| renewals.since.elapsed() <= RENEWAL_PERIOD);
        let renewals = current.unwrap_or_else(|| Renewals {
            number: 0,
            since: Instant::now(),
        });

        if renewals.number >= MAX_RENEWALS {
            return Err(too_many(format!(
                "{MAX_RENEWALS} renewals of this connection within {} seconds",
                RENEWAL_PERIOD.as_secs()
            )));
        }
        state.renewals.put(
            connection,
            Renewals {
                number: renewals.number + 1,
                ..renewals
            },
        );
        Ok(())
    }

    /// Whether this is the first hint for the operator because of the connection.
    pub(crate) fn first_hint(&self, connection: Sid) -> bool {
        let mut state = self.state();
        let is_first = state.hints.get(connection).is_none();
        state.hints.put(connection, ());
        is_first
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(detail: String) -> AuthError {
    AuthError::from(ErrorCode::TooManyAttempts).with_detail(detail)
}

impl State {
    fn refusals(&mut self, connection: Sid) -> u32 {
        match self.refusals.get(connection) {
            Some(refusals) if refusals.last.elapsed() <= REFUSALS_LAST => refusals.number,
            Some(_) => {
                self.refusals.remove(connection);
                0
            }
            None => 0,
        }
    }
}

/// An attempt under way. It ends when this is dropped.
pub(crate) struct AttemptPermit {
    limiter: &'static RateLimiter,
    connection: Sid,
}

impl AttemptPermit {
    /// Counts the attempt as refused.
    pub(crate) fn record_refusal(&self) {
        let mut state = self.limiter.state();
        let number = state.refusals(self.connection).saturating_add(1);
        state.refusals.put(
            self.connection,
            Refusals {
                number,
                last: Instant::now(),
            },
        );
    }

    /// Forgets the refusals of the connection, after a user has logged in. It is not called for a
    /// guest, because any client can connect as a guest, as often as it likes.
    pub(crate) fn reset(&self) {
        self.limiter.state().refusals.remove(self.connection);
    }
}

impl Drop for AttemptPermit {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        if let Entry::Occupied(mut in_flight) = state.in_flight.entry(self.connection) {
            *in_flight.get_mut() -= 1;
            if *in_flight.get() == 0 {
                in_flight.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    fn limiter() -> &'static RateLimiter {
        Box::leak(Box::default())
    }

    fn refuse(limiter: &'static RateLimiter, connection: Sid, times: u32) {
        for _ in 0..times {
            limiter.begin_attempt(connection).unwrap().record_refusal();
        }
    }

    fn is_refused(limiter: &'static RateLimiter, connection: Sid) -> bool {
        limiter.begin_attempt(connection).is_err()
    }

    #[test]
    fn a_connection_is_refused_after_twenty_refusals_and_no_other_with_it() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, MAX_REFUSALS - 1);
        assert!(!is_refused(limiter, connection));
        refuse(limiter, connection, 1);
        assert_eq!(
            limiter.begin_attempt(connection).err().unwrap().code(),
            ErrorCode::TooManyAttempts
        );
        assert!(!is_refused(limiter, Sid::new()));
    }

    #[test]
    fn attempts_under_way_count_as_refusals() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, 5);
        let mut under_way: Vec<_> = (5..MAX_REFUSALS)
            .map(|_| limiter.begin_attempt(connection).unwrap())
            .collect();
        assert!(is_refused(limiter, connection));
        assert!(!is_refused(limiter, Sid::new()));
        under_way.pop();
        assert!(!is_refused(limiter, connection));
        drop(under_way);
        assert!(limiter.state().in_flight.is_empty());
    }

    #[test]
    fn a_refused_attempt_counts_once() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, MAX_REFUSALS - 2);
        let last = limiter.begin_attempt(connection).unwrap();
        assert!(!is_refused(limiter, connection));
        last.record_refusal();
        drop(last);
        assert!(!is_refused(limiter, connection));
    }

    #[test]
    fn a_login_forgets_the_refusals() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, MAX_REFUSALS - 1);
        limiter.begin_attempt(connection).unwrap().reset();
        refuse(limiter, connection, MAX_REFUSALS);
        assert!(is_refused(limiter, connection));
    }

    #[test]
    fn an_attempt_that_is_neither_refused_nor_a_login_changes_nothing() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, MAX_REFUSALS - 1);
        drop(limiter.begin_attempt(connection).unwrap());
        refuse(limiter, connection, 1);
        assert!(is_refused(limiter, connection));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_forgotten_a_minute_after_the_last_one() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, MAX_REFUSALS);
        advance(REFUSALS_LAST).await;
        assert!(is_refused(limiter, connection));
        advance(Duration::from_millis(1)).await;
        refuse(limiter, connection, MAX_REFUSALS);
        assert!(
            is_refused(limiter, connection),
            "counting starts again from zero"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn looking_at_refusals_does_not_keep_them() {
        let (limiter, connection) = (limiter(), Sid::new());
        refuse(limiter, connection, MAX_REFUSALS);
        advance(REFUSALS_LAST / 2).await;
        assert!(is_refused(limiter, connection));
        advance(REFUSALS_LAST / 2 + Duration::from_millis(1)).await;
        assert!(!is_refused(limiter, connection));
    }

    #[test]
    fn only_the_connections_seen_last_are_remembered() {
        let (limiter, [first, second]) = (limiter(), [Sid::new(), Sid::new()]);
        refuse(limiter, first, MAX_REFUSALS);
        refuse(limiter, second, MAX_REFUSALS);
        for _ in 2..MAX_CONNECTIONS {
            refuse(limiter, Sid::new(), 1);
        }
        // Looking a connection up counts as using it.
        assert!(is_refused(limiter, first));
        refuse(limiter, Sid::new(), 1);
        assert_eq!(limiter.state().refusals.0.len(), MAX_CONNECTIONS);
        assert!(is_refused(limiter, first));
        assert!(!is_refused(limiter, second));
    }

    #[test]
    fn a_hint_is_told_once_for_each_connection() {
        let (limiter, [first, second]) = (limiter(), [Sid::new(), Sid::new()]);
        assert!(limiter.first_hint(first));
        assert!(!limiter.first_hint(first));
        assert!(limiter.first_hint(second));
        assert!(!limiter.first_hint(first));

        for _ in 2..=MAX_CONNECTIONS {
            limiter.first_hint(Sid::new());
        }
        assert_eq!(limiter.state().hints.0.len(), MAX_CONNECTIONS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_has_twenty_renewals_in_ten_seconds() {
        let (limiter, connection) = (limiter(), Sid::new());
        for _ in 0..2 {
            for _ in 0..MAX_RENEWALS {
                assert!(limiter.count_renewal(connection).is_ok());
            }
            assert_eq!(
                limiter.count_renewal(connection).unwrap_err().code(),
                ErrorCode::TooManyAttempts
            );
            assert!(limiter.count_renewal(Sid::new()).is_ok());
            advance(RENEWAL_PERIOD).await;
            assert!(limiter.count_renewal(connection).is_err());
            advance(Duration::from_millis(1)).await;
        }
    }
}
