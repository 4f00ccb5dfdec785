//! The part of a session that does not depend on the user's type.

use std::{
    any::{Any, TypeId},
    future::pending,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::SystemTime,
};

use socketioxide::{
    adapter::LocalAdapter,
    socket::{Sid, Socket},
};
use tokio::sync::Semaphore;

use super::{
    End, EndCause, Login, TokenFacts,
    extras::{Extras, NO_FACTS, NO_ROOMS},
    recheck::Recheck,
    revocable::Revocable,
    rooms::SessionRooms,
    socket::AnySocket,
};
use crate::{
    clock::{Clock, Timestamp},
    error::{AuthError, ErrorCode},
    events::SocketEvents,
    registry::{Registration, Slot, Timer},
    revocations::RevocationQuery,
};

/// The part of a session that does not depend on the user's type. A server has many idle sessions,
/// so it is small: what needs an option of the middleware is in [`Extras`].
pub(crate) struct SessionState {
    claims: SessionClaims,
    expires_at: Option<Timestamp>,
    /// `None` if the session ends only when its user is logged out.
    ends_at: Option<Timestamp>,
    /// Why it ends then.
    end_cause: EndCause,
    login: Login,
    /// `None` if the session needs none of them.
    extras: Option<Box<Extras>>,
    /// Whether the store of revocations has not been asked yet, so that the socket does not have the
    /// session. Changed under the lock of the registry.
    is_pending: AtomicBool,
    /// Whether the socket is known to have been connected since the session began.
    was_connected: AtomicBool,
    clock: Clock,
    /// Set once, by whichever comes first: a renewal or the end of the session.
    outcome: OnceLock<Outcome>,
    registration: OnceLock<Registration>,
}

/// The claims of a session's token.
enum SessionClaims {
    Token(Arc<dyn Any + Send + Sync>),
    /// A guest, after whose login the claims have this type.
    Guest(fn() -> TypeId),
}

enum Outcome {
    /// The session has ended. Extractors refuse with this code.
    Ended(Box<ErrorCode>),
    /// A renewal has replaced the session.
    Replaced,
}

impl SessionState {
    /// Creates the state of a session that a verified token began.
    pub(crate) fn of_token<C: Send + Sync + 'static>(
        claims: C,
        expires_at: Option<SystemTime>,
        login: Login,
        clock: Clock,
    ) -> Self {
        let claims = SessionClaims::Token(Arc::new(claims));
        Self::new(claims, expires_at, login, clock)
    }

    /// Creates the state of a session whose client sent no token.
    pub(crate) fn of_guest<C: 'static>(login: Login, clock: Clock) -> Self {
        let claims = SessionClaims::Guest(TypeId::of::<C>);
        Self::new(claims, None, login, clock)
    }

    fn new(
        claims: SessionClaims,
        expires_at: Option<SystemTime>,
        login: Login,
        clock: Clock,
    ) -> Self {
        Self {
            claims,
            expires_at: expires_at.map(Timestamp::from),
            ends_at: None,
            end_cause: EndCause::TokenExpired,
            login,
            extras: None,
            is_pending: AtomicBool::new(false),
            was_connected: AtomicBool::new(false),
            clock,
            outcome: OnceLock::new(),
            registration: OnceLock::new(),
        }
    }

    pub(crate) fn ending(mut self, end: Option<End>) -> Self {
        if let Some(End { at, cause }) = end {
            self.ends_at = Some(at.into());
            self.end_cause = cause;
        }
        self
    }

    pub(crate) fn with_extras(mut self, extras: Extras) -> Self {
        self.extras = extras.into_box();
        self
    }

    /// Returns what the store of revocations knows the session by. `None` without a store, and for
    /// guests.
    pub(crate) fn in_store(&self) -> Option<&Revocable> {
        self.extras.as_ref()?.revocable.as_deref()
    }

    /// Returns what the store of revocations is asked. `None` without a store, and for guests.
    pub(crate) fn revocation_query(&self) -> Option<RevocationQuery<'_>> {
        Some(self.in_store()?.query(self.token()))
    }

    /// Asks the store of revocations about the session, if there is one.
    ///
    /// # Errors
    ///
    /// `token_revoked`, or `revocations_unavailable`.
    pub(crate) async fn check_revocations(&self) -> Result<(), AuthError> {
        match self.in_store() {
            Some(revocable) => revocable.check(self.token()).await,
            None => Ok(()),
        }
    }

    pub(crate) fn recheck(&self) -> Option<&Recheck> {
        self.extras.as_ref()?.recheck.as_ref()
    }

    /// Returns the permits for re-checks, of which the server runs a few at a time.
    pub(crate) fn recheck_permits(&self) -> Option<Arc<Semaphore>> {
        self.registration.get().map(Registration::recheck_permits)
    }

    pub(crate) fn is_guest(&self) -> bool {
        matches!(self.claims, SessionClaims::Guest(_))
    }

    /// Returns the claims that renewals and revocations need: none if there are neither.
    pub(crate) fn token(&self) -> &TokenFacts {
        self.extras
            .as_ref()
            .and_then(|extras| extras.token.as_ref())
            .unwrap_or(&NO_FACTS)
    }

    pub(crate) fn rooms(&self) -> &SessionRooms {
        self.extras
            .as_ref()
            .map_or(&NO_ROOMS, |extras| &extras.rooms)
    }

    /// Returns the login, for the session that a renewal puts in the place of this one. A guest
    /// that logs in begins a login.
    pub(crate) fn next_login(&self) -> Login {
        if self.is_guest() {
            self.login.of_guest(self.clock.now(), || self.has_ended())
        } else {
            self.login.continued(|| self.has_ended())
        }
    }

    /// Whether both are sessions of one socket, one after the other.
    pub(crate) fn is_same_login(&self, other: &Self) -> bool {
        std::ptr::eq(self, other) || self.login_address() == other.login_address()
    }

    /// Returns an address that a session and the one that a renewal puts in its place have in
    /// common: that of the lifetime that they share.
    pub(crate) fn login_address(&self) -> usize {
        match self.login.lifetime() {
            Some(lifetime) => Arc::as_ptr(&lifetime).addr(),
            None => std::ptr::from_ref(self).addr(),
        }
    }

    /// Waits until the session, or the one that has replaced it, has ended. The future keeps
    /// neither session nor socket alive.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        let lifetime = self.login.shared_lifetime(|| self.has_ended());
        let was_connected = self.was_connected.load(Ordering::Relaxed);
        let socket = self
            .registration
            .get()
            .map(|registration| Weak::clone(registration.socket()));

        async move {
            match socket {
                Some(socket) => lifetime.ended(socket, was_connected).await,
                // A session without a socket is one of a test, and does not end.
                None => pending().await,
            }
        }
    }

    /// Returns the token's `exp`, without leeway.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at.map(SystemTime::from)
    }

    pub(crate) fn end_time(&self) -> Option<End> {
        self.ends_at.map(|at| End {
            at: at.into(),
            cause: self.end_cause,
        })
    }

    /// Returns the claims, or `None` for a guest.
    ///
    /// # Errors
    ///
    /// Returns an error if the type of the session's claims is not `C`.
    pub(crate) fn claims<C: Send + Sync + 'static>(&self) -> Result<Option<Arc<C>>, WrongType> {
        match &self.claims {
            SessionClaims::Token(claims) => {
                let claims = Arc::clone(claims).downcast();
                claims.map(Some).map_err(|_| WrongType)
            }
            SessionClaims::Guest(claims_type) if claims_type() == TypeId::of::<C>() => Ok(None),
            SessionClaims::Guest(_) => Err(WrongType),
        }
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns when the login of the session began.
    pub(crate) fn began(&self) -> SystemTime {
        self.login.began()
    }

    /// Starts the timers of the session, which is registered.
    pub(crate) fn start_timers(&self) {
        if let Some(registration) = self.registration.get() {
            registration.start_timers(self.timers());
        }
    }

    /// Starts the timer of the next re-check.
    pub(super) fn start_recheck_timer(&self, at: Option<Timestamp>) {
        if let Some(registration) = self.registration.get() {
            let timer = at.map(|at| (at, Timer::Recheck));
            registration.start_timers(timer.into_iter());
        }
    }

    fn timers(&self) -> impl Iterator<Item = (Timestamp, Timer)> + use<> {
        let warning = self.extras.as_ref().and_then(|extras| extras.warning_at);
        let warning = warning.map(|at| (at, Timer::Warning));
        let end = self.ends_at.map(|at| (at, Timer::End));
        let recheck = self.recheck().and_then(Recheck::next_at);
        let recheck = recheck.map(|at| (at, Timer::Recheck));
        warning.into_iter().chain(end).chain(recheck)
    }

    /// Keeps the session's entry in the registry, which is set once.
    pub(crate) fn hold_registration(&self, registration: Registration) {
        self.registration.set(registration).ok();
    }

    /// Returns the socket, which is connecting, connected or disconnecting.
    pub(crate) fn socket(&self) -> Weak<dyn AnySocket> {
        match self.registration.get() {
            Some(registration) => Weak::clone(registration.socket()),
            None => Weak::<Socket<LocalAdapter>>::new(),
        }
    }

    /// Returns the session's place in the registry, once it is registered.
    pub(crate) fn slot(&self) -> Option<Slot> {
        self.registration.get().map(Registration::slot)
    }

    /// Returns the id of the socket's connection, once the session is registered.
    pub(crate) fn connection(&self) -> Option<Sid> {
        self.registration.get().map(Registration::connection)
    }

    /// Ends the session, unless it was replaced or has ended before. Returns whether this call
    /// ended it.
    pub(crate) fn end(&self, code: ErrorCode) -> bool {
        let is_first = self.outcome.set(Outcome::Ended(Box::new(code))).is_ok();
        // Until a renewal has succeeded, the login goes on with the session before.
        if is_first && !self.is_pending() {
            self.end_lifetime();
        }
        is_first
    }

    /// Whether the session is registered for revocations only.
    pub(crate) fn is_pending(&self) -> bool {
        self.is_pending.load(Ordering::Relaxed)
    }

    pub(crate) fn set_pending(&self, is_pending: bool) {
        self.is_pending.store(is_pending, Ordering::Relaxed);
    }

    fn end_lifetime(&self) {
        if let Some(lifetime) = self.login.lifetime() {
            lifetime.end();
        }
    }

    /// Whether the session, which its socket has, was ended.
    fn has_ended(&self) -> bool {
        self.ended_with().is_some() && !self.is_pending()
    }

    /// Notes that the socket is connected, or was: if it is not later, the client has left.
    pub(crate) fn note_connected(&self) {
        self.was_connected.store(true, Ordering::Relaxed);
    }

    /// Wakes those that wait for the end of the session, because the socket is leaving.
    pub(crate) fn note_left(&self) {
        // Who begins to wait now must not wait either.
        self.login.shared_lifetime(|| true).end();
    }

    /// Returns where the events of the socket are reported.
    pub(crate) fn events(&self) -> Option<Arc<SocketEvents>> {
        self.login.lifetime()?.events()
    }

    /// Returns the code with which the session was ended.
    pub(crate) fn ended_with(&self) -> Option<ErrorCode> {
        self.check_outcome().err()
    }

    /// Marks the session as replaced by the next one of the socket, and stops its timers.
    ///
    /// # Errors
    ///
    /// Returns why the session had ended before.
    pub(crate) fn replace(&self) -> Result<(), ErrorCode> {
        self.check_alive()?;
        if self.outcome.set(Outcome::Replaced).is_ok()
            && let Some(registration) = self.registration.get()
        {
            registration.stop_timers(self.timers());
        }
        self.check_outcome()
    }

    /// Checks that the session has not ended.
    ///
    /// # Errors
    ///
    /// Returns why the session has ended.
    pub(crate) fn check_alive(&self) -> Result<(), ErrorCode> {
        self.check_outcome()?;
        // The timer may be late: tokio's clock stops while the machine is suspended.
        match self.end_time() {
            Some(end) if self.clock.now() >= end.at => Err(end.cause.code()),
            _ => Ok(()),
        }
    }

    /// Whether the session has neither ended nor been replaced.
    pub(crate) fn is_current(&self) -> bool {
        self.outcome.get().is_none()
    }

    fn check_outcome(&self) -> Result<(), ErrorCode> {
        match self.outcome.get() {
            Some(Outcome::Ended(code)) => Err(**code),
            Some(Outcome::Replaced) | None => Ok(()),
        }
    }
}

impl Drop for SessionState {
    fn drop(&mut self) {
        if let Some(registration) = self.registration.get() {
            registration.remove(self, self.timers());
        }
    }
}

/// The error for claims whose type is not the requested one.
#[derive(Debug)]
pub(crate) struct WrongType;

#[cfg(test)]
mod tests;
