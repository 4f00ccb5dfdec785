//! The session of a socket: its user or guest, its expiry, and whether it has ended.

mod announcement;
mod end;
pub(crate) mod expiry;
mod extras;
pub(crate) mod lifetime;
pub(crate) mod login_handler;
pub(crate) mod recheck;
pub(crate) mod revocable;
pub(crate) mod rooms;
pub(crate) mod socket;
mod state;
pub(crate) mod store;

use std::{
    any::Any,
    marker::PhantomData,
    sync::{Arc, Mutex, PoisonError},
};

pub(crate) use announcement::once_connected;
pub(crate) use end::{End, EndCause};
pub use expiry::Expiry;
pub(crate) use extras::{Extras, TokenFacts};
pub(crate) use lifetime::Login;
pub(crate) use state::{SessionState, WrongType};

/// The session of a user that the application's lookup returned.
pub(crate) struct UserSession<T> {
    /// A re-check replaces it.
    user: Mutex<Arc<T>>,
    pub(crate) state: SessionState,
}

impl<T> UserSession<T> {
    pub(crate) fn new(user: T, state: SessionState) -> Self {
        Self {
            user: Mutex::new(Arc::new(user)),
            state,
        }
    }

    /// Returns the user as it was found last.
    pub(crate) fn user(&self) -> Arc<T> {
        Arc::clone(&self.user.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces the user, unless the session has ended or was replaced meanwhile.
    fn replace_user(&self, user: T) {
        if self.state.is_current() {
            let mut current = self.user.lock().unwrap_or_else(PoisonError::into_inner);
            let replaced = std::mem::replace(&mut *current, Arc::new(user));
            // The drop of the application's type must not hold the lock.
            drop(current);
            drop(replaced);
        }
    }
}

/// The session of a client that sent no token. `T` is the type of the user after a login.
pub(crate) struct GuestSession<T> {
    state: SessionState,
    user: PhantomData<fn() -> T>,
}

impl<T> GuestSession<T> {
    pub(crate) fn new(state: SessionState) -> Self {
        Self {
            state,
            user: PhantomData,
        }
    }
}

/// A session of any user type.
pub(crate) trait Session: Any + Send + Sync {
    fn state(&self) -> &SessionState;
}

impl<T: Send + Sync + 'static> Session for UserSession<T> {
    fn state(&self) -> &SessionState {
        &self.state
    }
}

impl<T: 'static> Session for GuestSession<T> {
    fn state(&self) -> &SessionState {
        &self.state
    }
}

/// What a session is extracted for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extraction {
    /// A connect handler or middleware, or any code of the application: the socket is connecting, or
    /// connected, or has left.
    Any,
    /// An event, so that the socket was connected.
    Event,
    /// A disconnect handler, which also runs for a user whose session has just expired. The socket is
    /// leaving.
    Disconnect,
}

#[cfg(test)]
mod tests;
