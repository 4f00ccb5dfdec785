//! How long a login lasts, over all renewals of its token.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};

use super::socket::AnySocket;
use crate::{
    clock::Timestamp,
    events::{Events, SocketEvents},
};

/// A login, which renewals of its token continue.
#[derive(Debug)]
pub(crate) struct Login {
    began: Timestamp,
    /// Created by the first that waits for its end, by a renewal, which shares it, by a disconnect
    /// handler that takes the user, and at the start if there is an `on_event` hook. Other sessions
    /// need none.
    lifetime: Mutex<Option<Arc<Lifetime>>>,
}

impl Login {
    pub(crate) fn begin(now: SystemTime) -> Self {
        Self {
            began: now.into(),
            lifetime: Mutex::default(),
        }
    }

    /// Reports what happens to the socket, whose first login this is.
    pub(crate) fn reported_to(self, events: &Events) -> Self {
        let lifetime = events.of_socket().map(|events| {
            Arc::new(Lifetime {
                events: Some(events),
                ..Lifetime::default()
            })
        });
        Self {
            lifetime: Mutex::new(lifetime),
            ..self
        }
    }

    /// Returns when the login began.
    pub(crate) fn began(&self) -> SystemTime {
        self.began.into()
    }

    /// Returns the login for the session that continues this one.
    pub(super) fn continued(&self, has_ended: impl FnOnce() -> bool) -> Self {
        Self {
            began: self.began,
            lifetime: Mutex::new(Some(self.shared_lifetime(has_ended))),
        }
    }

    /// Returns the login of a user on the socket of this guest.
    pub(super) fn of_guest(&self, now: SystemTime, has_ended: impl FnOnce() -> bool) -> Self {
        Self {
            began: now.into(),
            ..self.continued(has_ended)
        }
    }

    /// Returns the lifetime, which is created if there is none. `has_ended` says whether the
    /// session has ended already.
    pub(super) fn shared_lifetime(&self, has_ended: impl FnOnce() -> bool) -> Arc<Lifetime> {
        // The lock is held meanwhile: an end that comes later finds the lifetime.
        let mut lifetime = self.lock();
        Arc::clone(lifetime.get_or_insert_with(|| Arc::new(Lifetime::new(has_ended()))))
    }

    /// Returns the lifetime, if one was created.
    pub(super) fn lifetime(&self) -> Option<Arc<Lifetime>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Lifetime>>> {
        self.lifetime.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the session of a socket has ended. Renewals hand it on.
#[derive(Debug, Default)]
pub(crate) struct Lifetime {
    state: Mutex<State>,
    /// `None` if there is no `on_event` hook.
    events: Option<Arc<SocketEvents>>,
}

#[derive(Debug, Default)]
struct State {
    ended: bool,
    /// Created by the first waiter, because most sessions have none.
    waiters: Option<Arc<Notify>>,
}

/// How often a waiter looks whether the client has left, because socketioxide tells only the one
/// disconnect handler of the application.
const LOOK: Duration = Duration::from_secs(1);

/// After this time a socket that is not connected has left: no connect middleware takes that long.
const LONGEST_CONNECT: Duration = Duration::from_secs(60);

impl Lifetime {
    fn new(has_ended: bool) -> Self {
        let state = State {
            ended: has_ended,
            waiters: None,
        };
        Self {
            state: Mutex::new(state),
            events: None,
        }
    }

    /// Marks the session as ended, and wakes those that wait for it.
    pub(crate) fn end(&self) {
        let waiters = {
            let mut state = self.state();
            state.ended = true;
            state.waiters.take()
        };
        if let Some(waiters) = waiters {
            waiters.notify_waiters();
        }
    }

    /// Waits until the session has ended, or the socket has left. Keeps neither of them alive.
    ///
    /// A socket that was not connected yet looks like one that has left, so `was_connected` says what
    /// is known of it.
    pub(crate) async fn ended(
        self: Arc<Self>,
        socket: Weak<dyn AnySocket>,
        mut was_connected: bool,
    ) {
        let limit = Instant::now() + LONGEST_CONNECT;
        loop {
            let Some(waiters) = self.waiters() else {
                return;
            };
            let mut ended = std::pin::pin!(waiters.notified());
            ended.as_mut().enable();
            // The end may have come before the waiter was enabled.
            if self.state().ended {
                return;
            }

            {
                let Some(socket) = socket.upgrade() else {
                    return;
                };
                match (socket.is_connected(), socket.is_in_namespace()) {
                    (true, true) => was_connected = true,
                    // It left before socketioxide marked it connected.
                    (true, false) => return,
                    (false, _) if was_connected || Instant::now() >= limit => return,
                    // It is about to be connected, or already leaving.
                    (false, is_in_namespace) => was_connected = is_in_namespace,
                }
            }

            if timeout(LOOK, ended).await.is_ok() {
                return;
            }
        }
    }

    /// Returns `None` if the session has ended.
    fn waiters(&self) -> Option<Arc<Notify>> {
        let mut state = self.state();
        (!state.ended).then(|| Arc::clone(state.waiters.get_or_insert_default()))
    }

    /// Returns where the events of the socket are reported.
    pub(super) fn events(&self) -> Option<Arc<SocketEvents>> {
        self.events.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
