//! The sessions of each store of revocations, and a task for each store that ends those that are
//! revoked.

use std::{
    collections::{BTreeSet, HashMap},
    pin::pin,
    sync::{Arc, MutexGuard, Weak},
    time::Duration,
};

use futures_util::future::{self, Either};
use tokio::{sync::Notify, task::AbortHandle, time::sleep};

use super::{Server, Slot, State};
use crate::{
    error::{AuthError, ErrorCode},
    guard, refusal,
    retry::Backoff,
    revocations::{
        self, EntryKey, RevocationChange, RevocationChanges, RevocationCheck, RevocationStatus,
        RevokedEntry, StoreId,
    },
    session::Session,
};

/// The pauses after a store has not answered about open sessions.
const RETRY: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));

/// The stores that have sessions.
#[derive(Default)]
pub(super) struct Stores(HashMap<StoreId, Store>);

#[derive(Default)]
struct Store {
    sessions: BTreeSet<Slot>,
    /// The keys of the revocations that concern each session.
    entries: BTreeSet<(EntryKey, Slot)>,
    /// The task that hears of revocations. `None` if the store does not tell of them.
    listener: Option<AbortHandle>,
}

impl Store {
    /// Whether the task has ended, perhaps with its runtime.
    fn is_deaf(&self) -> bool {
        self.listener.as_ref().is_some_and(AbortHandle::is_finished)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
    }
}

impl Stores {
    fn is_heard(&self, store: StoreId) -> bool {
        self.0.get(&store).is_some_and(|store| !store.is_deaf())
    }

    /// Adds a session with the keys of the revocations that concern it.
    pub(super) fn insert(&mut self, store: StoreId, slot: Slot, keys: Vec<EntryKey>) {
        let store = self.0.entry(store).or_default();
        store.sessions.insert(slot);
        store
            .entries
            .extend(keys.into_iter().map(|key| (key, slot)));
    }

    /// Removes a session. A store without sessions needs no task.
    pub(super) fn remove(&mut self, id: StoreId, slot: Slot, keys: Vec<EntryKey>) {
        let Some(store) = self.0.get_mut(&id) else {
            return;
        };
        store.sessions.remove(&slot);
        for key in keys {
            store.entries.remove(&(key, slot));
        }
        if store.sessions.is_empty() {
            self.0.remove(&id);
        }
    }
}

impl State {
    fn sessions_of_store(&self, store: StoreId) -> Vec<Weak<dyn Session>> {
        let Some(store) = self.stores.0.get(&store) else {
            return Vec::new();
        };
        let sessions = store.sessions.iter();
        sessions
            .filter_map(|slot| self.sessions.get(*slot).cloned())
            .collect()
    }

    fn sessions_with_key(&self, store: StoreId, key: EntryKey) -> Vec<Arc<dyn Session>> {
        let Some(store) = self.stores.0.get(&store) else {
            return Vec::new();
        };
        let found = store.entries.range((key, 0)..=(key, Slot::MAX));
        found
            .filter_map(|(_, slot)| self.sessions.get(*slot)?.upgrade())
            .collect()
    }
}

impl Server {
    /// Locks the state, in which a task hears of the revocations of this store.
    pub(super) fn lock_with_listener(
        self: &Arc<Self>,
        store: &RevocationCheck,
    ) -> MutexGuard<'_, State> {
        let state = self.state();
        if state.stores.is_heard(store.id()) {
            return state;
        }

        // The store is the application's. It must not run while the lock is held.
        drop(state);
        let changes = store.subscribe();
        let mut state = self.state();
        if !state.stores.is_heard(store.id()) {
            let heard = state.stores.0.entry(store.id()).or_default();
            let task = changes.map(|changes| {
                let sweep_wanted = Notify::new();
                if !heard.sessions.is_empty() {
                    // The task before has ended with its runtime, and may have missed something.
                    sweep_wanted.notify_one();
                }
                let server = Arc::downgrade(self);
                tokio::spawn(listen(server, store.id(), changes, sweep_wanted))
            });
            heard.listener = task.map(|task| task.abort_handle());
        }
        state
    }

    /// Ends the sessions that a revocation concerns.
    fn end_revoked(&self, store: StoreId, entry: &RevokedEntry) {
        let sessions = self.state().sessions_with_key(store, entry.key());
        for session in sessions {
            let query = session.state().revocation_query();
            let is_concerned = query.is_some_and(|query| entry.concerns(&query));
            self.end_or_drop(session, is_concerned);
        }
    }

    /// The session may be dropped here, and with it a user whose `Drop` panics. Other sessions must
    /// still be ended.
    fn end_or_drop(&self, session: Arc<dyn Session>, is_revoked: bool) {
        let ended = guard::call("the end of a revoked session", move || {
            if is_revoked {
                self.end_as_revoked(&*session);
            }
        });
        ended.ok();
    }

    fn end_as_revoked(&self, session: &dyn Session) {
        let session = session.state();
        // Under the lock an attempt either has registered the session or will find it ended.
        let state = self.state();
        let is_pending = session.is_pending();
        let is_first = session.end(ErrorCode::TokenRevoked);
        drop(state);

        if is_first
            && !is_pending
            && let Some(socket) = session.socket().upgrade()
        {
            refusal::end_session(&socket, session, &revocations::revoked());
        }
    }
}

/// Ends sessions that are revoked, as long as the store tells of revocations. It is aborted when the
/// store has no more sessions on this server.
async fn listen(
    server: Weak<Server>,
    store: StoreId,
    mut changes: RevocationChanges,
    sweep_wanted: Notify,
) {
    let hearing = async {
        while let Some(change) = changes.next().await {
            match change {
                RevocationChange::Revoked(entry) => match server.upgrade() {
                    Some(server) => server.end_revoked(store, &entry),
                    None => return,
                },
                RevocationChange::Sweep => sweep_wanted.notify_one(),
            }
        }
    };
    let sweeping = async {
        loop {
            sweep_wanted.notified().await;
            sweep(&server, store).await;
        }
    };

    // A store that does not answer must not hold up what is told.
    match future::select(pin!(hearing), pin!(sweeping)).await {
        Either::Left(((), _)) => {}
        Either::Right((never, _)) => never,
    }
}

/// Asks the store about every session that it has now, and again until it answers.
async fn sweep(server: &Weak<Server>, store: StoreId) {
    let Some(sessions) = server
        .upgrade()
        .map(|server| server.state().sessions_of_store(store))
    else {
        return;
    };

    let mut backoff = RETRY;
    for batch in sessions.chunks(RevocationCheck::BATCH) {
        // A session may be dropped there, and with it a user whose `Drop` panics.
        let asked = || guard::future("a sweep of the open sessions", sweep_batch(server, batch));
        while let Err(error) = asked().await.and_then(|asked| asked) {
            let pause = backoff.pause();
            let cause = std::error::Error::source(&error).map(guard::error_chain);
            tracing::warn!(
                code = error.code().as_str(),
                cause,
                ?pause,
                "the store of revocations did not answer about open sessions, which go on; it is asked again after the pause"
            );
            sleep(pause).await;
        }
    }
}

/// Ends those of some sessions that are revoked.
async fn sweep_batch(server: &Weak<Server>, batch: &[Weak<dyn Session>]) -> Result<(), AuthError> {
    let mut sessions: Vec<_> = batch.iter().filter_map(Weak::upgrade).collect();
    sessions.retain(|session| session.state().is_current());
    let Some(store) = sessions
        .first()
        .and_then(|session| session.state().in_store())
    else {
        return Ok(());
    };

    let queries: Vec<_> = sessions
        .iter()
        .filter_map(|session| session.state().revocation_query())
        .collect();
    let statuses = store.store().check_many(&queries).await?;
    drop(queries);

    if let Some(server) = server.upgrade() {
        for (session, status) in sessions.into_iter().zip(statuses) {
            server.end_or_drop(session, status == RevocationStatus::Revoked);
        }
    }
    Ok(())
}
