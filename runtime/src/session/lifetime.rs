//! How long a login lasts, over all renewals of its token.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use tokio::{sync::Notify, time::timeout};

use super::socket::AnySocket;
use crate::events::{Events, SocketEvents};

/// A login, which renewals of its token continue.
#[derive(Debug, Clone)]
pub(crate) struct Login {
    pub(crate) began: SystemTime,
    pub(crate) lifetime: Arc<Lifetime>,
}

impl Login {
    pub(crate) fn begin(now: SystemTime) -> Self {
        Self {
            began: now,
            lifetime: Arc::default(),
        }
    }

    /// Reports what happens to the socket, whose first login this is.
    pub(crate) fn reported_to(self, events: &Events) -> Self {
        let lifetime = Lifetime {
            events: events.of_socket(),
            ..Lifetime::default()
        };
        Self {
            lifetime: Arc::new(lifetime),
            ..self
        }
    }

    /// Returns the login of a guest's socket, whose session goes on as that of a user.
    pub(crate) fn of_guest(&self, now: SystemTime) -> Self {
        Self {
            began: now,
            lifetime: Arc::clone(&self.lifetime),
        }
    }
}

/// Whether the session of a socket has ended. Renewals hand it on.
#[derive(Debug, Default)]
pub(crate) struct Lifetime {
    state: Mutex<State>,
    /// `None` if there is no `on_event` hook.
    events: Option<Box<SocketEvents>>,
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

impl Lifetime {
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
    pub(crate) async fn ended(self: Arc<Self>, socket: Weak<dyn AnySocket>) {
        let mut was_connected = false;
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

            // A socket that was not connected yet looks like one that has left.
            match socket.upgrade().map(|socket| socket.is_connected()) {
                Some(true) => was_connected = true,
                Some(false) if !was_connected => {}
                Some(false) | None => return,
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
    pub(crate) fn events(&self) -> Option<&SocketEvents> {
        self.events.as_deref()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
