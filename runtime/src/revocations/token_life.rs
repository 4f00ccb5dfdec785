//! The longest life of a token, for which stores keep revocations.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use super::RevocationQuery;

/// The setting `max_token_life` of a store, which its clones share.
#[derive(Debug)]
pub(super) struct TokenLife {
    seconds: AtomicU64,
    has_warned: AtomicBool,
}

impl Default for TokenLife {
    fn default() -> Self {
        Self {
            seconds: AtomicU64::new(Duration::from_hours(24).as_secs()),
            has_warned: AtomicBool::new(false),
        }
    }
}

impl TokenLife {
    pub(super) fn set(&self, life: Duration) {
        let rounded_up = u64::from(life.subsec_nanos() > 0);
        let seconds = life.as_secs().saturating_add(rounded_up);
        self.seconds.store(seconds, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> Duration {
        Duration::from_secs(self.seconds.load(Ordering::Relaxed))
    }

    /// Warns, once for each store, if a token lives longer: its revocation would be forgotten before
    /// it expires.
    pub(super) fn note(&self, query: &RevocationQuery<'_>, now: SystemTime) {
        if !self.is_longer(query, now) || self.has_warned.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            max_token_life = ?self.get(),
            "a token lives longer than `max_token_life` of the revocation store, or has no `exp`: a revocation of its \
             session or user ends before the token does; set `max_token_life` to the longest life of a token"
        );
    }

    fn is_longer(&self, query: &RevocationQuery<'_>, now: SystemTime) -> bool {
        let Some(expires_at) = query.expires_at else {
            return true;
        };
        let issued_at = query.issued_at.unwrap_or(now);
        expires_at
            .duration_since(issued_at)
            .is_ok_and(|life| life > self.get())
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn the_longest_time_that_can_be_written_is_not_a_short_one() {
        let life = TokenLife::default();
        for (set, expected) in [
            (Duration::from_millis(1001), Duration::from_secs(2)),
            (Duration::MAX, Duration::from_secs(u64::MAX)),
        ] {
            life.set(set);
            assert_eq!(life.get(), expected);
        }
    }

    #[test]
    fn a_token_is_longer_if_its_life_is_or_has_no_end() {
        let life = TokenLife::default();
        life.set(Duration::from_secs(60));
        let now = UNIX_EPOCH + Duration::from_secs(1000);
        let query = |issued_at: Option<u64>, expires_at: Option<u64>| {
            let time = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
            RevocationQuery {
                issued_at: issued_at.map(time),
                expires_at: expires_at.map(time),
                ..RevocationQuery::default()
            }
        };

        assert!(!life.is_longer(&query(Some(1000), Some(1060)), now));
        assert!(life.is_longer(&query(Some(1000), Some(1061)), now));
        assert!(life.is_longer(&query(Some(999), Some(1060)), now));
        assert!(!life.is_longer(&query(None, Some(1060)), now));
        assert!(life.is_longer(&query(None, Some(1061)), now));
        assert!(life.is_longer(&query(Some(1000), None), now));
        assert!(!life.is_longer(&query(Some(1000), Some(1)), now));
    }
}
