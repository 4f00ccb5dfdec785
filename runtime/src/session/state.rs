//! The part of a session that does not depend on the user's type.

use std::{
    any::{Any, TypeId},
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use socketioxide::{
    adapter::LocalAdapter,
    socket::{Sid, Socket},
};
use tokio::sync::Semaphore;

use super::{
    Login, recheck::Recheck, revocable::Revocable, rooms::SessionRooms, socket::AnySocket,
};
use crate::{
    clock::Clock,
    error::{AuthError, ErrorCode},
    events::SocketEvents,
    registry::{Registration, Timer},
    revocations::RevocationQuery,
};

/// The part of a session that does not depend on the user's type.
pub(crate) struct SessionState {
    claims: Option<Arc<dyn Any + Send + Sync>>,
    claims_type: TypeId,
    token: TokenFacts,
    rooms: SessionRooms,
    /// `None` if the session ends only when its user is logged out.
    end: Option<End>,
    /// When the client is warned of the expiry of its token.
    warning_at: Option<SystemTime>,
    /// `None` if the session is never looked up again.
    recheck: Option<Box<Recheck>>,
    /// `None` without a store of revocations, and for guests.
    revocable: Option<Box<Revocable>>,
    /// Whether the store of revocations has not been asked yet, so that the socket does not have the
    /// session. Changed under the lock of the registry.
    is_pending: AtomicBool,
    login: Login,
    clock: Clock,
    /// Set once, by whichever comes first: a renewal or the end of the session.
    outcome: OnceLock<Outcome>,
    registration: OnceLock<Registration>,
}

/// When a session ends by itself, by the wall clock, and the code with which it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) at: SystemTime,
    pub(crate) code: ErrorCode,
}

/// The claims of a token that a renewal compares.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenFacts {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) issued: Option<Duration>,
    pub(crate) expires_at: Option<SystemTime>,
}

#[derive(Clone, Copy)]
enum Outcome {
    /// The session has ended. Extractors refuse with this code.
    Ended(ErrorCode),
    /// A renewal has replaced the session.
    Replaced,
}

impl SessionState {
    /// Creates the state of a session that a verified token began.
    pub(crate) fn of_token<C: Send + Sync + 'static>(
        claims: C,
        token: TokenFacts,
        login: Login,
        clock: Clock,
    ) -> Self {
        let mut state = Self::of_guest::<C>(login, clock);
        state.claims = Some(Arc::new(claims));
        state.token = token;
        state
    }

    /// Creates the state of a session whose client sent no token.
    pub(crate) fn of_guest<C: 'static>(login: Login, clock: Clock) -> Self {
        Self {
            claims: None,
            claims_type: TypeId::of::<C>(),
            token: TokenFacts::default(),
            rooms: SessionRooms::default(),
            end: None,
            warning_at: None,
            recheck: None,
            revocable: None,
            is_pending: AtomicBool::new(false),
            login,
            clock,
            outcome: OnceLock::new(),
            registration: OnceLock::new(),
        }
    }

    pub(crate) fn in_rooms(mut self, rooms: SessionRooms) -> Self {
        self.rooms = rooms;
        self
    }

    pub(crate) fn ending(mut self, end: Option<End>) -> Self {
        self.end = end;
        self
    }

    pub(crate) fn rechecked(mut self, recheck: Option<Recheck>) -> Self {
        self.recheck = recheck.map(Box::new);
        self
    }

    pub(crate) fn revocable(mut self, revocable: Option<Revocable>) -> Self {
        self.revocable = revocable.map(Box::new);
        self
    }

    /// Returns what the store of revocations knows the session by. `None` without a store, and for
    /// guests.
    pub(crate) fn in_store(&self) -> Option<&Revocable> {
        self.revocable.as_deref()
    }

    /// Returns what the store of revocations is asked. `None` without a store, and for guests.
    pub(crate) fn revocation_query(&self) -> Option<RevocationQuery<'_>> {
        Some(self.in_store()?.query(&self.token))
    }

    /// Asks the store of revocations about the session, if there is one.
    ///
    /// # Errors
    ///
    /// `token_revoked`, or `revocations_unavailable`.
    pub(crate) async fn check_revocations(&self) -> Result<(), AuthError> {
        match self.in_store() {
            Some(revocable) => revocable.check(&self.token).await,
            None => Ok(()),
        }
    }

    pub(crate) fn recheck(&self) -> Option<&Recheck> {
        self.recheck.as_deref()
    }

    /// Returns the permits for re-checks, of which the server runs a few at a time.
    pub(crate) fn recheck_permits(&self) -> Option<Arc<Semaphore>> {
        self.registration.get().map(Registration::recheck_permits)
    }

    pub(crate) fn warned_at(mut self, warning_at: Option<SystemTime>) -> Self {
        self.warning_at = warning_at;
        self
    }

    pub(crate) fn is_guest(&self) -> bool {
        self.claims.is_none()
    }

    pub(crate) fn token(&self) -> &TokenFacts {
        &self.token
    }

    pub(crate) fn rooms(&self) -> &SessionRooms {
        &self.rooms
    }

    /// Returns the login, for the session that a renewal puts in the place of this one. A guest
    /// that logs in begins a login.
    pub(crate) fn next_login(&self) -> Login {
        if self.is_guest() {
            self.login.of_guest(self.clock.now())
        } else {
            self.login.clone()
        }
    }

    /// Whether both are sessions of one socket, one after the other.
    pub(crate) fn is_same_login(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.login.lifetime, &other.login.lifetime)
    }

    /// Waits until the session, or the one that has replaced it, has ended. The future keeps
    /// neither session nor socket alive.
    pub(crate) fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        Arc::clone(&self.login.lifetime).ended(self.socket())
    }

    /// Returns the token's `exp`, without leeway.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.token.expires_at
    }

    pub(crate) fn end_time(&self) -> Option<End> {
        self.end
    }

    /// Returns the claims, or `None` for a guest.
    ///
    /// # Errors
    ///
    /// Returns an error if the type of the session's claims is not `C`.
    pub(crate) fn claims<C: Send + Sync + 'static>(&self) -> Result<Option<Arc<C>>, WrongType> {
        if self.claims_type != TypeId::of::<C>() {
            return Err(WrongType);
        }
        Ok(self
            .claims
            .clone()
            .and_then(|claims| claims.downcast().ok()))
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Returns when the login of the session began.
    pub(crate) fn began(&self) -> SystemTime {
        self.login.began
    }

    /// Starts the timers of the session, which is registered.
    pub(crate) fn start_timers(&self) {
        if let Some(registration) = self.registration.get() {
            registration.start_timers(self.timers());
        }
    }

    /// Starts the timer of the next re-check.
    pub(super) fn start_recheck_timer(&self, at: Option<SystemTime>) {
        if let Some(registration) = self.registration.get() {
            let timer = at.map(|at| (at, Timer::Recheck));
            registration.start_timers(timer.into_iter());
        }
    }

    fn timers(&self) -> impl Iterator<Item = (SystemTime, Timer)> + use<> {
        let warning = self.warning_at.map(|at| (at, Timer::Warning));
        let end = self.end.map(|end| (end.at, Timer::End));
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

    /// Returns the session's number in the registry, once it is registered.
    pub(crate) fn number(&self) -> Option<u64> {
        self.registration.get().map(Registration::number)
    }

    /// Returns the id of the socket's connection, once the session is registered.
    pub(crate) fn connection(&self) -> Option<Sid> {
        self.registration.get().map(Registration::connection)
    }

    /// Ends the session, unless it was replaced or has ended before. Returns whether this call
    /// ended it.
    pub(crate) fn end(&self, code: ErrorCode) -> bool {
        let is_first = self.outcome.set(Outcome::Ended(code)).is_ok();
        // Until a renewal has succeeded, the login goes on with the session before.
        if is_first && !self.is_pending() {
            self.login.lifetime.end();
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

    /// Wakes those that wait for the end of the session, because the socket is leaving.
    pub(crate) fn note_left(&self) {
        self.login.lifetime.end();
    }

    /// Returns where the events of the socket are reported.
    pub(crate) fn events(&self) -> Option<&SocketEvents> {
        self.login.lifetime.events()
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
        match self.end {
            Some(end) if self.clock.now() >= end.at => Err(end.code),
            _ => Ok(()),
        }
    }

    /// Whether the session has neither ended nor been replaced.
    pub(crate) fn is_current(&self) -> bool {
        self.outcome.get().is_none()
    }

    fn check_outcome(&self) -> Result<(), ErrorCode> {
        match self.outcome.get() {
            Some(Outcome::Ended(code)) => Err(*code),
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
mod tests {
    use super::*;

    fn state_ending_at(at: SystemTime, clock: Clock) -> SessionState {
        let code = ErrorCode::TokenExpired;
        let login = Login::begin(clock.now());
        SessionState::of_token((), TokenFacts::default(), login, clock)
            .ending(Some(End { at, code }))
    }

    fn guest(clock: Clock) -> SessionState {
        SessionState::of_guest::<()>(Login::begin(clock.now()), clock)
    }

    #[test]
    fn a_session_ends_when_the_wall_clock_reaches_its_end() {
        let start = SystemTime::now();
        let (clock, time) = Clock::fixed(start);
        let state = state_ending_at(start + Duration::from_secs(60), clock);
        time.advance(Duration::from_secs(60) - Duration::from_nanos(1));
        assert_eq!(state.check_alive(), Ok(()));
        time.advance(Duration::from_nanos(1));
        assert_eq!(state.check_alive(), Err(ErrorCode::TokenExpired));
        assert_eq!(
            state.replace(),
            Err(ErrorCode::TokenExpired),
            "a renewal comes too late"
        );

        // A clock that was wrong is set right again.
        time.set(start);
        assert_eq!(state.check_alive(), Ok(()));
    }

    #[test]
    fn what_comes_first_decides_over_a_session() {
        let (clock, _time) = Clock::fixed(SystemTime::UNIX_EPOCH);
        let ended = guest(clock.clone());
        assert!(ended.end(ErrorCode::SessionEnded));
        assert!(!ended.end(ErrorCode::TokenExpired));
        assert_eq!(ended.replace(), Err(ErrorCode::SessionEnded));

        let replaced = guest(clock);
        assert_eq!(replaced.replace(), Ok(()));
        assert!(!replaced.end(ErrorCode::SessionEnded));
        assert_eq!(replaced.check_alive(), Ok(()));
    }
}
