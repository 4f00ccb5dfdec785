//! The entry of a session, as the session holds it.

use std::sync::{Arc, Weak};

use slab::Slab;
use socketioxide::socket::Sid;
use tokio::sync::Semaphore;

use super::{Server, Slot, Timer};
use crate::{
    clock::Timestamp,
    session::{SessionState, socket::AnySocket},
};

/// The entry of a session in the registry. The session holds it, and removes it when it is dropped.
pub(crate) struct Registration {
    pub(super) server: Arc<Server>,
    pub(super) slot: Slot,
    pub(super) socket: Weak<dyn AnySocket>,
    pub(super) connection: Sid,
}

impl Registration {
    pub(crate) fn socket(&self) -> &Weak<dyn AnySocket> {
        &self.socket
    }

    pub(crate) fn connection(&self) -> Sid {
        self.connection
    }

    pub(crate) fn recheck_permits(&self) -> Arc<Semaphore> {
        Arc::clone(&self.server.recheck_permits)
    }

    pub(crate) fn start_timers(&self, timers: impl Iterator<Item = (Timestamp, Timer)>) {
        self.server.start_timers(self.slot, timers);
    }

    pub(crate) fn stop_timers(&self, timers: impl Iterator<Item = (Timestamp, Timer)>) {
        self.server.stop_timers(self.slot, timers);
    }

    pub(crate) fn slot(&self) -> Slot {
        self.slot
    }

    /// Removes the session, which has these timers.
    pub(crate) fn remove(
        &self,
        session: &SessionState,
        timers: impl Iterator<Item = (Timestamp, Timer)>,
    ) {
        let in_store = session.in_store().map(|revocable| {
            let keys = revocable.entry_keys(session.token());
            (revocable.store_id(), keys)
        });

        let mut state = self.server.state();
        state.sessions.try_remove(self.slot);
        for room in session.rooms().iter() {
            state.rooms.remove(&(Arc::clone(room), self.slot));
        }
        if let Some((store, keys)) = in_store {
            state.stores.remove(store, self.slot, keys);
        }
        state.timers.remove(self.slot, timers);
        if state.sessions.is_empty() {
            // After many sessions it has room for all of them.
            state.sessions = Slab::new();
        }
    }
}
