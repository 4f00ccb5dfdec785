//! The lookup again, on an open socket: at intervals, or when the application asks for it.

use std::{
    any::Any,
    collections::hash_map::RandomState,
    fmt,
    hash::{BuildHasher, Hasher},
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt, future::BoxFuture};
use socketioxide::{adapter::Adapter, socket::Socket};

use super::{Session, UserSession, socket::AnySocket};
use crate::{
    authenticate::Authenticator,
    clock::Timestamp,
    error::{Action, AuthError, ErrorCode},
    guard,
    lookup::{LookupOn, LookupRequest, UserLookup},
    refusal,
    token::RawToken,
    verify::Verifier,
};

/// What a session needs to be looked up again.
pub(crate) struct Recheck {
    token: RawToken,
    /// `None` if only the application asks for it.
    interval: Option<Duration>,
    next_at: Mutex<Option<Timestamp>>,
    /// One at a time, so that an answer never replaces a later one. Created by the first.
    turn: OnceLock<Arc<tokio::sync::Mutex<()>>>,
    /// An `Authenticator` of the type that `look_up` knows.
    authenticator: Arc<dyn Any + Send + Sync>,
    look_up: LookUp,
}

type LookUp = fn(Arc<dyn Any + Send + Sync>, Arc<dyn Session>, RawToken) -> Answer;
type Answer = BoxFuture<'static, Result<(), AuthError>>;

impl Recheck {
    pub(crate) fn new<A: Adapter, L: LookupOn<A>>(
        authenticator: &Arc<Authenticator<L>>,
        token: &RawToken,
    ) -> Self {
        let interval = authenticator.recheck;
        let first = interval.and_then(|interval| {
            let now = authenticator.expiry.clock.now();
            now.checked_add(interval / 1000 * (random_below(1000) + 1))
        });
        Self {
            token: token.clone(),
            interval,
            next_at: Mutex::new(first.map(Timestamp::from)),
            turn: OnceLock::new(),
            authenticator: Arc::<Authenticator<L>>::clone(authenticator),
            look_up: look_up_again::<A, L>,
        }
    }

    fn turn(&self) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.turn.get_or_init(Arc::default))
    }

    /// Returns when the next re-check is due.
    pub(crate) fn next_at(&self) -> Option<Timestamp> {
        *self.next_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the time of the next re-check and returns it. It varies a little, so that sockets that
    /// were connected at the same moment are not re-checked at the same moment for ever.
    fn plan_next(&self, now: SystemTime) -> Option<Timestamp> {
        let interval = self.interval?;
        let next = now.checked_add(interval - interval / 10_000 * random_below(1000));
        let next = next.map(Timestamp::from);
        *self.next_at.lock().unwrap_or_else(PoisonError::into_inner) = next;
        next
    }
}

impl fmt::Debug for Recheck {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Recheck").finish_non_exhaustive()
    }
}

/// Returns a number that differs from call to call. It need not be unpredictable.
fn random_below(limit: u32) -> u32 {
    let random = RandomState::new().build_hasher().finish() % u64::from(limit);
    u32::try_from(random).unwrap_or_default()
}

/// Re-checks a session at its interval.
pub(super) fn fire(session: &Arc<dyn Session>) {
    let session = Arc::downgrade(session);
    tokio::spawn(async move {
        // A socket that has left may be held by the application.
        let is_connected = |session: Arc<dyn Session>| {
            let socket = session.state().socket().upgrade();
            socket.is_some_and(|socket| socket.is_connected())
        };
        if session.upgrade().is_some_and(is_connected) {
            run(&session).await;
        }

        let Some(session) = session.upgrade() else {
            return;
        };
        let state = session.state();
        if let Some(recheck) = state.recheck().filter(|_| state.is_current()) {
            let next = recheck.plan_next(state.clock().now());
            state.start_recheck_timer(next);
        }
    });
}

/// Looks the user of a session up again. Returns whether the lookup has decided: the user is
/// replaced, or the session has ended.
///
/// Keeps neither the session nor the socket while it waits for its turn.
pub(crate) async fn run(session: &Weak<dyn Session>) -> bool {
    let Some((turn, permits)) = session.upgrade().and_then(|session| {
        let state = session.state();
        Some((state.recheck()?.turn(), state.recheck_permits()?))
    }) else {
        return false;
    };
    let _turn = turn.lock_owned().await;
    let Ok(_permit) = permits.acquire_owned().await else {
        return false;
    };

    let Some(session) = session.upgrade() else {
        return false;
    };
    let Some(recheck) = session.state().recheck() else {
        return false;
    };
    if session.state().check_alive().is_err() || !session.state().is_current() {
        return false;
    }
    let (authenticator, token) = (Arc::clone(&recheck.authenticator), recheck.token.clone());
    let answer = (recheck.look_up)(authenticator, Arc::clone(&session), token);
    let answer = guard::future("the re-check", answer)
        .await
        .and_then(|answer| answer);
    conclude(&session, answer).await
}

async fn conclude(session: &Arc<dyn Session>, answer: Result<(), AuthError>) -> bool {
    let state = session.state();
    let Err(error) = answer else {
        return true;
    };
    let Some(socket) = state.socket().upgrade() else {
        return false;
    };

    // The server could not decide.
    if error.action() == Action::Retry {
        log_failure(&*socket, &error);
        return false;
    }
    if !state.end(error.code()) {
        return false;
    }

    // A client that reads slowly must not hold up the re-checks of others.
    refusal::end_session(&socket, state, &error);
    true
}

fn log_failure(socket: &dyn AnySocket, error: &AuthError) {
    let cause = std::error::Error::source(error).map(guard::error_chain);
    tracing::warn!(
        namespace = &*socket.namespace(),
        socket = %socket.connection(),
        code = error.code().as_str(),
        detail = error.detail(),
        cause,
        "re-check failed, and the session goes on"
    );
}

fn look_up_again<A: Adapter, L: LookupOn<A>>(
    authenticator: Arc<dyn Any + Send + Sync>,
    session: Arc<dyn Session>,
    token: RawToken,
) -> Answer {
    async move {
        let authenticator = authenticator.downcast::<Authenticator<L>>();
        let socket = session.state().socket().upgrade();
        let socket = socket.map(|socket| {
            let socket: Arc<dyn Any + Send + Sync> = socket;
            socket.downcast::<Socket<A>>()
        });
        let (Ok(authenticator), Some(Ok(socket))) = (authenticator, socket) else {
            return Err(AuthError::internal("the socket is gone"));
        };

        authenticator.replace_user(&socket, session, &token).await
    }
    .boxed()
}

impl<L: UserLookup> Authenticator<L> {
    /// Looks the user of a session up again, and puts it into the place of the old one.
    ///
    /// # Errors
    ///
    /// Returns why the lookup fails or refuses the user, `subject_mismatch` if it returns another
    /// user, and `token_revoked` or `revocations_unavailable`.
    async fn replace_user<A: Adapter>(
        &self,
        socket: &Arc<Socket<A>>,
        session: Arc<dyn Session>,
        token: &RawToken,
    ) -> Result<(), AuthError>
    where
        L: LookupOn<A>,
    {
        let payload = Verifier::decode_verified(token.as_str())?;
        let request = LookupRequest::of_socket(socket, &None);
        let user = self
            .look_up(&request, Some(payload.deserialize()?), Some(token))
            .await?
            .ok_or_else(|| {
                AuthError::from(ErrorCode::UserNotFound)
                    .with_detail("the user lookup returned None at a re-check")
            })?;

        let keys = self.keys_of(&user, &payload.deserialize::<L::Claims>()?)?;
        if !keys.rooms().have_same_keys(session.state().rooms()) {
            return Err(AuthError::from(ErrorCode::SubjectMismatch).with_detail(
                "a re-check returned a user with another `user_key` or `session_key`",
            ));
        }

        // Before the store is asked: if it does not answer, the session goes on with this user.
        let any: Arc<dyn Any + Send + Sync> = Arc::<dyn Session>::clone(&session);
        if let Ok(session) = any.downcast::<UserSession<L::User>>() {
            session.replace_user(user);
        }
        session.state().check_revocations().await
    }
}

#[cfg(test)]
mod tests {
    use super::random_below;

    #[test]
    fn jitter_is_spread_over_its_range() {
        let numbers: Vec<_> = (0..1000).map(|_| random_below(10)).collect();
        for number in 0..10 {
            let found = numbers.iter().filter(|found| **found == number).count();
            assert!((40..250).contains(&found), "{number}: {found}");
        }
    }
}
