//! `RedisRevocations`: a store in Redis, which the nodes of a cluster share.

mod breaker;
mod client;
mod listener;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use client::RedisClient;
use listener::Listener;
use tokio::task::AbortHandle;

use super::{
    Revocation, RevocationError, RevocationNotifier, RevocationQuery, RevocationStatus,
    RevocationStore,
    entries::Entries,
    entry::{EntryKey, IssuedBefore},
    memory::since_1970,
    token_life::TokenLife,
};

/// Revocations in Redis (6 or later, or Valkey), for servers with several nodes.
///
/// It is cheap to clone, and clones share everything: keep one to revoke with. A revocation by any
/// node ends the open sockets concerned on all nodes.
///
/// - A check is one command and one round trip. If Redis does not answer within 400 ms, clients are
///   refused with `revocations_unavailable`, and let in again as soon as it answers: the connection
///   is tried again for ever.
/// - Every entry has a time to live. Keys begin with `{jwt_auth}:`, so that they are in one slot of a
///   Redis Cluster. What follows is a hash: personal data is not readable, although who knows all
///   user ids can compute the hash of each.
/// - Messages of Redis may be lost. After each new connection, and every five minutes, open sockets
///   are asked about again.
/// - If Redis has lost its data, for instance because it was restarted without persistence, each node
///   sets the revocations again that were made by it, up to the last 100,000. Those of nodes that
///   have ended are lost: use persistence (`appendonly yes`), and no eviction
///   (`maxmemory-policy noeviction`).
/// - With replicas, a revocation that was not replicated yet is lost with the primary. Nodes set
///   theirs again when they connect to the new one.
///
/// ```no_run
/// use std::time::SystemTime;
/// use socketioxide_jwt_auth::{RedisRevocations, Revocation, Verifier};
///
/// # async fn start() -> Result<(), Box<dyn std::error::Error>> {
/// let revocations = RedisRevocations::connect("redis://127.0.0.1:6379").await?;
/// let verifier = Verifier::builder()
///     .secret("a secret of thirty-two bytes or more")
///     .revocations(revocations.clone())
///     .build()?;
///
/// // In the route that changes a password:
/// revocations.revoke(Revocation::user(42).issued_before(SystemTime::now())).await?;
/// # drop(verifier);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisRevocations(Arc<Inner>);

struct Inner {
    shared: Arc<Shared>,
    token_life: TokenLife,
    listener: AbortHandle,
}

/// What the store shares with the task that listens.
struct Shared {
    client: RedisClient,
    notifier: RevocationNotifier,
    /// The revocations that this process has made, in case Redis loses them.
    own: Mutex<Entries>,
}

impl RedisRevocations {
    const MAX_OWN_ENTRIES: usize = 100_000;

    /// Connects to Redis. The tasks of the connection run on the current runtime until the last clone
    /// is dropped.
    ///
    /// The URL is `redis://[[user:]password@]host[:port][/database]`, `redis-cluster://…` or
    /// `redis-sentinel://…`. With the feature `redis_tls`, `rediss://…` (and so on) connects by TLS.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL is wrong, or the first connection fails. A connection that is lost
    /// later is tried again for ever.
    pub async fn connect(url: impl AsRef<str>) -> Result<Self, RevocationError> {
        let (client, events) = RedisClient::connect(url.as_ref()).await?;
        let shared = Arc::new(Shared {
            client,
            notifier: RevocationNotifier::new(),
            own: Mutex::new(Entries::new(Self::MAX_OWN_ENTRIES)),
        });

        let listener = Listener::new(Arc::clone(&shared), events);
        let listener = tokio::spawn(listener.run()).abort_handle();
        Ok(Self(Arc::new(Inner {
            shared,
            token_life: TokenLife::default(),
            listener,
        })))
    }

    /// Sets the longest life of a token, from `iat` to `exp`: a revocation of a session or a user is
    /// kept this long, and ten minutes more. Defaults to 24 hours. It must be the same on every node.
    ///
    /// It applies to revocations that are made later, by any clone. A WARN in the log says if a token
    /// lives longer.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// # use socketioxide_jwt_auth::{RedisRevocations, RevocationError};
    ///
    /// # async fn start() -> Result<(), RevocationError> {
    /// let store = RedisRevocations::connect("redis://127.0.0.1").await?;
    /// let store = store.max_token_life(Duration::from_secs(15 * 60));
    /// # drop(store);
    /// # Ok(())
    /// # }
    /// ```
    pub fn max_token_life(self, life: Duration) -> Self {
        self.0.token_life.set(life);
        self
    }

    /// Revokes. See [`RevocationStore::revoke`].
    ///
    /// # Errors
    ///
    /// Returns an error if Redis does not answer. It may have kept the revocation: call it again.
    pub async fn revoke(&self, revocation: Revocation) -> Result<(), RevocationError> {
        let Inner {
            shared, token_life, ..
        } = &*self.0;
        let now = SystemTime::now();
        let entry = revocation.entry(now, token_life.get());
        shared.client.set(&entry, since_1970(now)).await?;

        // Without room for it, it is still in Redis.
        shared.own().insert(entry, since_1970(now)).ok();
        shared.notifier.revoked(&revocation);
        Ok(())
    }

    /// Returns whether a token was revoked. See [`RevocationStore::check`].
    ///
    /// # Errors
    ///
    /// Returns an error if Redis does not answer.
    pub async fn check(
        &self,
        query: RevocationQuery<'_>,
    ) -> Result<RevocationStatus, RevocationError> {
        let keys: Vec<_> = query.entry_keys().collect();
        let found = self.find(&[query], &keys).await?;
        Ok(is_covered(&query, &found))
    }

    /// Returns the entries of the keys, in their order.
    async fn find(
        &self,
        queries: &[RevocationQuery<'_>],
        keys: &[EntryKey],
    ) -> Result<Vec<Option<IssuedBefore>>, RevocationError> {
        let Inner {
            shared, token_life, ..
        } = &*self.0;
        let now = SystemTime::now();
        for query in queries {
            token_life.note(query, now);
        }
        // A token without any key cannot have been revoked.
        if keys.is_empty() {
            return Ok(Vec::new());
        }

        let mut found = shared.client.get(keys).await?;
        // Redis may have been restarted a moment ago, and not have the entries again.
        let own = shared.own();
        for (entry, key) in found.iter_mut().zip(keys) {
            *entry = (*entry).max(own.get(key, since_1970(now)));
        }
        Ok(found)
    }
}

impl RevocationStore for RedisRevocations {
    fn check(
        &self,
        query: RevocationQuery<'_>,
    ) -> impl Future<Output = Result<RevocationStatus, RevocationError>> + Send {
        Self::check(self, query)
    }

    async fn check_many(
        &self,
        queries: &[RevocationQuery<'_>],
    ) -> Result<Vec<RevocationStatus>, RevocationError> {
        let keys: Vec<_> = queries
            .iter()
            .flat_map(RevocationQuery::entry_keys)
            .collect();
        let found = self.find(queries, &keys).await?;

        let mut found = &found[..];
        let statuses = queries.iter().map(|query| {
            let (own, rest) = found.split_at(query.entry_keys().count());
            found = rest;
            is_covered(query, own)
        });
        Ok(statuses.collect())
    }

    fn revoke(
        &self,
        revocation: Revocation,
    ) -> impl Future<Output = Result<(), RevocationError>> + Send {
        Self::revoke(self, revocation)
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        Some(&self.0.shared.notifier)
    }
}

fn is_covered(query: &RevocationQuery<'_>, entries: &[Option<IssuedBefore>]) -> RevocationStatus {
    let mut entries = entries.iter().flatten();
    entries.any(|entry| entry.covers(query.issued_at)).into()
}

impl Shared {
    fn own(&self) -> MutexGuard<'_, Entries> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

/// Leaves the URL out, because it may have a password.
impl fmt::Debug for RedisRevocations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("RedisRevocations")
            .finish_non_exhaustive()
    }
}
