//! `Revocations`: a store in the memory of this process.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use super::{
    Revocation, RevocationError, RevocationNotifier, RevocationQuery, RevocationStatus,
    RevocationStore,
    entries::{Entries, Full},
    entry::EntryKey,
    token_life::TokenLife,
};
use crate::clock::Clock;

/// Revocations in the memory of this process: for servers with one process. With several, use
/// `RedisRevocations` (feature `redis`).
///
/// It is cheap to clone, and clones share everything: keep one to revoke with. Revocations are lost
/// when the process ends. Those that matter then must be refused by the lookup as well.
///
/// ```
/// use socketioxide_jwt_auth::{Revocation, Revocations, Verifier};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let revocations = Revocations::in_memory();
/// let verifier = Verifier::builder()
///     .secret("a secret of thirty-two bytes or more")
///     .revocations(revocations.clone())
///     .build()?;
///
/// // In the route that logs a device out:
/// revocations.revoke(Revocation::session("laptop-7")).await?;
/// # drop(verifier);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Revocations(Arc<Inner>);

struct Inner {
    entries: Mutex<Entries>,
    token_life: TokenLife,
    notifier: RevocationNotifier,
    clock: Clock,
}

impl Revocations {
    const DEFAULT_MAX_ENTRIES: usize = 1_000_000;

    /// Makes a store without revocations.
    pub fn in_memory() -> Self {
        Self::with_clock(Clock::system())
    }

    fn with_clock(clock: Clock) -> Self {
        Self(Arc::new(Inner {
            entries: Mutex::new(Entries::new(Self::DEFAULT_MAX_ENTRIES)),
            token_life: TokenLife::default(),
            notifier: RevocationNotifier::new(),
            clock,
        }))
    }

    /// Sets the longest life of a token, from `iat` to `exp`: a revocation of a session or a user is
    /// kept this long, and ten minutes more. Defaults to 24 hours.
    ///
    /// It applies to revocations that are made later, by any clone. A WARN in the log says if a token
    /// lives longer.
    ///
    /// ```
    /// use std::time::Duration;
    /// use socketioxide_jwt_auth::Revocations;
    ///
    /// let store = Revocations::in_memory().max_token_life(Duration::from_secs(15 * 60));
    /// # drop(store);
    /// ```
    pub fn max_token_life(self, life: Duration) -> Self {
        self.0.token_life.set(life);
        self
    }

    /// Sets how many revocations are kept at most. Each takes about 100 bytes. Defaults to 1,000,000.
    ///
    /// Beyond it [`revoke`](Self::revoke) fails, and none is forgotten before its end.
    pub fn max_entries(self, number: usize) -> Self {
        self.entries().max = number;
        self
    }

    /// Revokes. See [`RevocationStore::revoke`].
    ///
    /// # Errors
    ///
    /// Returns an error if there are `max_entries` revocations.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevocationError> {
        let now = self.0.clock.now();
        let entry = revocation.entry(now, self.0.token_life.get());

        let mut entries = self.entries();
        entries.insert(entry, since_1970(now)).map_err(|Full| {
            RevocationError::new(format!(
                "there are {} revocations, which is the maximum; `max_entries` raises it",
                entries.max
            ))
        })?;
        drop(entries);

        self.0.notifier.revoked(&revocation);
        Ok(())
    }

    /// Returns whether a token was revoked. See [`RevocationStore::check`].
    ///
    /// # Errors
    ///
    /// Never fails.
    pub async fn check(
        &self,
        query: RevocationQuery<'_>,
    ) -> Result<RevocationStatus, RevocationError> {
        Ok(self.status(&query))
    }

    fn status(&self, query: &RevocationQuery<'_>) -> RevocationStatus {
        let now = self.0.clock.now();
        self.0.token_life.note(query, now);

        let keys: [Option<EntryKey>; 3] = {
            let mut keys = query.entry_keys();
            std::array::from_fn(|_| keys.next())
        };
        let now = since_1970(now);
        let mut entries = self.entries();
        entries.remove_ended(now);
        let mut found = keys
            .iter()
            .flatten()
            .filter_map(|key| entries.get(key, now));
        found.any(|entry| entry.covers(query.issued_at)).into()
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0
            .entries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl RevocationStore for Revocations {
    async fn check(&self, query: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        Ok(self.status(&query))
    }

    fn revoke(
        &self,
        revocation: Revocation,
    ) -> impl Future<Output = Result<(), RevocationError>> + Send {
        Self::revoke(self, revocation)
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        Some(&self.0.notifier)
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Revocations")
            .finish_non_exhaustive()
    }
}

/// Returns whole seconds, rounded down, so that no entry ends early.
pub(super) fn since_1970(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

#[cfg(test)]
mod tests;
