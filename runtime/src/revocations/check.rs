//! Asks a store of any kind, with a time limit, and refuses if it does not answer.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::timeout;

use super::{
    RevocationChanges, RevocationError, RevocationNotifier, RevocationQuery, RevocationStatus,
    RevocationStore, store::DynamicRevocationStore,
};
use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    guard,
};

/// A store as it is given to a builder.
#[derive(Clone)]
pub(crate) struct RevocationSetting(Arc<dyn DynamicRevocationStore>);

impl RevocationSetting {
    pub(crate) fn new(store: impl RevocationStore) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for RevocationSetting {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RevocationStore")
    }
}

/// Tells the stores of this process apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct StoreId(u64);

impl StoreId {
    fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

/// The store of a verifier, and how long it may take to answer.
#[derive(Clone)]
pub(crate) struct RevocationCheck {
    id: StoreId,
    store: Arc<dyn DynamicRevocationStore>,
    limit: Duration,
}

impl RevocationCheck {
    const DEFAULT_LIMIT: Duration = Duration::from_millis(500);

    /// How many open sockets are asked about at once.
    pub(crate) const BATCH: usize = 256;

    /// The least time limit of a batch. Nobody waits for it.
    const BATCH_LIMIT: Duration = Duration::from_secs(10);

    /// Returns `None` if there is no store.
    ///
    /// # Errors
    ///
    /// The time limit is not usable, or there is one without a store.
    pub(crate) fn from_settings(
        store: Option<RevocationSetting>,
        limit: Option<Result<Duration, ConfigError>>,
    ) -> Result<Option<Self>, ConfigError> {
        let limit = limit.transpose()?;
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(ConfigError::invalid(
                "revocations_timeout is zero; write a time like \"500ms\", or leave it out",
            ));
        }
        if limit.is_some() && store.is_none() {
            return Err(ConfigError::contradiction(
                "revocations_timeout is for the store of revocations; set revocations too, or leave it out",
            ));
        }
        Ok(store.map(|RevocationSetting(store)| Self {
            id: StoreId::next(),
            store,
            limit: limit.unwrap_or(Self::DEFAULT_LIMIT),
        }))
    }

    /// Returns the id that the clones share.
    pub(crate) fn id(&self) -> StoreId {
        self.id
    }

    /// Asks about a token, once.
    ///
    /// # Errors
    ///
    /// `token_revoked`, or `revocations_unavailable` if the store fails, panics or takes too long.
    pub(crate) async fn check(&self, query: RevocationQuery<'_>) -> Result<(), AuthError> {
        match self.ask(self.limit, || self.store.check(query)).await? {
            RevocationStatus::NotRevoked => Ok(()),
            RevocationStatus::Revoked => Err(revoked()),
        }
    }

    /// Asks about several tokens, in batches.
    ///
    /// # Errors
    ///
    /// `revocations_unavailable`: it is not known of any of them.
    pub(crate) async fn check_many(
        &self,
        queries: &[RevocationQuery<'_>],
    ) -> Result<Vec<RevocationStatus>, AuthError> {
        let limit = self.limit.max(Self::BATCH_LIMIT);
        let mut statuses = Vec::with_capacity(queries.len());

        for batch in queries.chunks(Self::BATCH) {
            let answer = self.ask(limit, || self.store.check_many(batch)).await?;
            if answer.len() != batch.len() {
                return Err(unavailable(format!(
                    "the revocation store was asked about {} tokens, and answered about {}",
                    batch.len(),
                    answer.len()
                )));
            }
            statuses.extend(answer);
        }
        Ok(statuses)
    }

    /// Returns the revocations that are made from now on. `None` if the store does not tell of them.
    pub(crate) fn subscribe(&self) -> Option<RevocationChanges> {
        let subscribed = guard::call("`notifier` of the revocation store", || {
            self.store.notifier().map(RevocationNotifier::subscribe)
        });
        subscribed.ok().flatten()
    }

    async fn ask<T, F>(&self, limit: Duration, ask: impl FnOnce() -> F) -> Result<T, AuthError>
    where
        F: Future<Output = Result<T, RevocationError>>,
    {
        // The call itself may panic, too: it stands inside the guarded future.
        let answer = guard::future("the revocation store", async { ask().await });
        match timeout(limit, answer).await {
            Ok(Ok(answer)) => answer.map_err(unavailable),
            Ok(Err(_)) => Err(unavailable("the revocation store panicked")),
            Err(_) => Err(unavailable(format!(
                "the revocation store did not answer within {limit:?}; `revocations_timeout` sets the limit"
            ))),
        }
    }
}

/// Returns the refusal of a token that was revoked.
pub(crate) fn revoked() -> AuthError {
    AuthError::from(ErrorCode::TokenRevoked)
        .with_detail("the token, its session or its user is in the store of revocations")
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> AuthError {
    AuthError::from(ErrorCode::RevocationsUnavailable).with_source(cause)
}

impl fmt::Debug for RevocationCheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RevocationCheck")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
