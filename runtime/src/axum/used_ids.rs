//! Remembers the logout tokens that were used, so that each works once.

use std::{
    hash::{BuildHasher, RandomState},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use lru::LruCache;

/// How many tokens are remembered: 16,384 within [`MAX_AGE`](crate::verify::LogoutToken) are 54
/// logouts in a second. Only tokens that the issuer signed are, so no other party can use the room
/// up.
const CAPACITY: usize = 16_384;

/// The ids (`jti`) of used logout tokens, each as long as the token could be used again.
pub(super) struct UsedIds {
    capacity: usize,
    hasher: RandomState,
    /// When each may be forgotten, oldest use first. Hashes, because an id may be long.
    until: Mutex<LruCache<u64, SystemTime>>,
}

impl UsedIds {
    pub(super) fn new() -> Arc<Self> {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Arc<Self> {
        Arc::new(Self {
            capacity,
            hasher: RandomState::new(),
            until: Mutex::new(LruCache::unbounded()),
        })
    }

    /// Marks an issuer's id as used until a time. Returns `None` if it was used before.
    ///
    /// If there is no more room, the oldest is forgotten: to end sessions once more is better than
    /// not to end them.
    pub(super) fn begin_use(
        self: &Arc<Self>,
        (issuer, id): (&str, &str),
        until: SystemTime,
        now: SystemTime,
    ) -> Option<IdUse> {
        let hash = self.hasher.hash_one((issuer, id));
        let mut used = self.lock();
        while used.peek_lru().is_some_and(|(_, until)| *until < now) {
            used.pop_lru();
        }

        if used.peek(&hash).is_some_and(|until| now <= *until) {
            return None;
        }
        if used.len() >= self.capacity {
            used.pop_lru();
        }
        used.put(hash, until);
        Some(IdUse {
            ids: Arc::clone(self),
            hash,
            is_complete: false,
        })
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<u64, SystemTime>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A use that is under way. Dropping it makes the id usable again, unless the use was completed: an
/// issuer that is told of a failure may send the same token once more.
pub(super) struct IdUse {
    ids: Arc<UsedIds>,
    hash: u64,
    is_complete: bool,
}

impl IdUse {
    pub(super) fn complete(mut self) {
        self.is_complete = true;
    }
}

impl Drop for IdUse {
    fn drop(&mut self) {
        if !self.is_complete {
            self.ids.lock().pop(&self.hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const A: (&str, &str) = ("https://a.example", "1");

    #[test]
    fn an_id_is_used_once_per_issuer_until_its_token_is_too_old() {
        let ids = UsedIds::new();
        let now = SystemTime::now();
        let until = now + Duration::from_secs(300);

        ids.begin_use(A, until, now).unwrap().complete();
        assert!(ids.begin_use(A, until, now).is_none());
        assert!(ids.begin_use(A, until, until).is_none(), "the last moment");

        for other in [
            ("https://a.example", "2"),
            ("https://b.example", "1"),
            ("https://a.example1", ""),
        ] {
            ids.begin_use(other, until, now).unwrap().complete();
        }

        assert!(
            ids.begin_use(A, until, until + Duration::from_nanos(1))
                .is_some()
        );
        assert_eq!(ids.lock().len(), 0, "those that are too old are forgotten");
    }

    #[test]
    fn an_id_is_usable_again_if_its_use_failed() {
        let ids = UsedIds::new();
        let now = SystemTime::now();
        let first = ids.begin_use(A, now, now).unwrap();
        assert!(ids.begin_use(A, now, now).is_none(), "under way");
        drop(first);
        assert!(ids.begin_use(A, now, now).is_some());
    }

    #[test]
    fn a_bounded_number_is_remembered_and_the_oldest_forgotten_first() {
        let ids = UsedIds::with_capacity(3);
        let now = SystemTime::now();
        let uses = ["1", "2", "3", "4"];

        for id in uses {
            ids.begin_use(("a", id), now, now).unwrap().complete();
        }

        assert_eq!(ids.lock().len(), 3);
        let are_used = uses.map(|id| {
            let key = ids.hasher.hash_one(("a", id));
            ids.lock().peek(&key).is_some()
        });
        assert_eq!(are_used, [false, true, true, true]);
    }
}
