//! Keys from a URL: cached, refreshed, and served through an outage of the issuer.

mod endpoint;
mod fetch;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use futures_util::FutureExt;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    task::JoinHandle,
    time::Instant,
};

use super::KeySet;
use crate::{
    clock::Clock,
    error::{AuthError, Code},
};
pub(crate) use endpoint::{Endpoint, RemoteSettings};
pub(crate) use fetch::{HttpClient, HttpFetch};

/// For how long a set is good if the issuer says nothing of it.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(10);

/// An issuer that wants to be asked more often is not.
const MIN_LIFETIME: Duration = Duration::from_mins(1);

/// An issuer that wants to be asked less often is asked nevertheless: a key that it withdrew must not verify for weeks,
/// and there must be time to try again before [`MAX_AGE`].
const MAX_LIFETIME: Duration = Duration::from_hours(12);

/// For how long a set serves at most, while the issuer is down.
const MAX_AGE: Duration = Duration::from_hours(24);

/// The shortest time between two requests for keys that the set does not have. Anybody can send tokens that no key of
/// the set verifies.
const SEARCH_INTERVAL: Duration = Duration::from_secs(10);

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What is logged of a problem: an issuer's own words may be in it.
const LONGEST_PROBLEM: usize = 500;

/// What an issuer answered.
pub(crate) struct Fetched {
    pub(crate) keys: KeySet,
    /// What the answer says of its own freshness.
    pub(crate) lifetime: Option<Duration>,
}

/// Where the keys are asked for.
pub(crate) trait Fetch: Send + Sync + 'static {
    /// The place, for the operator's log.
    fn place(&self) -> String;

    /// # Errors
    ///
    /// Why there is no set, for the operator's log.
    fn fetch(&self) -> impl Future<Output = Result<Fetched, String>> + Send;
}

/// The keys of one issuer. Each source has a cache of its own, so that a `kid` of one issuer never finds a key of
/// another.
pub(crate) struct RemoteKeys<F>(Arc<Shared<F>>);

struct Shared<F> {
    fetch: F,
    clock: Clock,
    state: Mutex<State>,
    /// Held while a request is under way: those who wait for it share its answer.
    turn: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct State {
    cached: Option<Cached>,
    /// How many requests have ended. A caller that waited sees whether somebody else's answered its question.
    requests: u64,
    failures: u32,
    last_request: Option<Instant>,
    last_search: Option<Instant>,
}

#[derive(Clone)]
struct Cached {
    keys: Arc<KeySet>,
    requested: Moment,
    lifetime: Duration,
}

/// A moment by both clocks. The monotonic one stands still while the machine is suspended, and the wall clock can be set.
#[derive(Clone, Copy)]
struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

/// Why the issuer is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// There is no set, or it is an old one.
    Refresh,
    /// No key of the set verifies a token.
    Search,
}

impl Cached {
    /// The time since the request by the clock that says more.
    fn age(&self, now: SystemTime) -> Duration {
        let by_wall_clock = now.duration_since(self.requested.wall).unwrap_or_default();
        self.requested.monotonic.elapsed().max(by_wall_clock)
    }

    fn is_usable(&self, now: SystemTime) -> bool {
        self.age(now) < MAX_AGE
    }

    fn is_stale(&self, now: SystemTime) -> bool {
        // A wall clock that was set back does not see a suspension. A newer set's age starts with the new time.
        let set_back = self.requested.wall.duration_since(now).unwrap_or_default();
        self.age(now) >= self.lifetime || set_back >= MIN_LIFETIME
    }
}

impl State {
    /// Whether there is anything to ask for since `seen` requests had ended, and it is not too soon.
    fn may_request(&self, seen: u64, purpose: Purpose) -> bool {
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(6)).min(LONGEST_PAUSE),
        };
        let is_over = |pause, since: Option<Instant>| since.is_none_or(|since| since.elapsed() >= pause);
        self.requests == seen
            && is_over(pause, self.last_request)
            && (purpose == Purpose::Refresh || is_over(SEARCH_INTERVAL, self.last_search))
    }
}

impl<F: Fetch> RemoteKeys<F> {
    pub(crate) fn new(fetch: F, clock: Clock) -> Self {
        let turn = Arc::new(AsyncMutex::new(()));
        Self(Arc::new(Shared { fetch, clock, state: Mutex::default(), turn }))
    }

    /// Runs `verify` with the keys of the issuer. If none of them verifies the token, the issuer may have new ones, under
    /// new names, the old ones or none: asks it again, unless it did a short time ago, and runs `verify` once more if
    /// there is a newer set.
    ///
    /// # Errors
    ///
    /// `keys_unavailable` if there are no keys, and those of `verify`.
    pub(crate) async fn verify_with(&self, verify: impl Fn(&KeySet) -> Result<(), AuthError>) -> Result<(), AuthError> {
        let seen = self.0.state().requests;
        let keys = self.current(seen).await?;
        let Err(refusal) = verify(&keys) else { return Ok(()) };

        self.0.request(seen, Purpose::Search).await;
        match self.0.usable() {
            Some(newer) if !Arc::ptr_eq(&newer.keys, &keys) => verify(&newer.keys),
            _ => Err(refusal),
        }
    }

    /// The set that is there; a new one if there is none, or if it is too old.
    async fn current(&self, seen: u64) -> Result<Arc<KeySet>, AuthError> {
        let shared = &self.0;
        let Some(cached) = shared.usable() else {
            shared.request(seen, Purpose::Refresh).await;
            return shared.usable().map(|cached| cached.keys).ok_or(Code::KeysUnavailable.into());
        };
        if cached.is_stale(shared.clock.now()) {
            shared.refresh_in_background(seen);
        }
        Ok(cached.keys)
    }
}

impl<F: Fetch> Shared<F> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn usable(&self) -> Option<Cached> {
        let now = self.clock.now();
        self.state().cached.clone().filter(|cached| cached.is_usable(now))
    }

    /// Asks the issuer once, however many callers there are, and waits for the answer.
    ///
    /// `seen` is how many requests had ended when the caller found that it needs one.
    async fn request(self: &Arc<Self>, seen: u64, purpose: Purpose) {
        if !self.state().may_request(seen, purpose) {
            return;
        }
        let turn = Arc::clone(&self.turn).lock_owned().await;
        if self.state().may_request(seen, purpose) {
            // It fails only if the runtime ends.
            self.start(turn, purpose).await.ok();
        }
    }

    /// Nobody waits for a refresh: the set is as good as it was a moment ago.
    fn refresh_in_background(self: &Arc<Self>, seen: u64) {
        if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
            && self.state().may_request(seen, Purpose::Refresh)
        {
            drop(self.start(turn, Purpose::Refresh));
        }
    }

    /// In a task of its own: a caller that gives up must not take the answer from the others.
    fn start(self: &Arc<Self>, turn: OwnedMutexGuard<()>, purpose: Purpose) -> JoinHandle<()> {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            // The answer may be as old as the request.
            let requested = Moment { monotonic: Instant::now(), wall: shared.clock.now() };
            let answer = AssertUnwindSafe(shared.fetch.fetch()).catch_unwind().await;
            shared.take(answer.unwrap_or_else(|_| Err("the request panicked".to_owned())), requested, purpose);
            drop(turn);
        })
    }

    fn take(&self, answer: Result<Fetched, String>, requested: Moment, purpose: Purpose) {
        let problem = answer.as_ref().err().map(|problem| problem.chars().take(LONGEST_PROBLEM).collect::<String>());
        let failures_before = self.remember(answer, requested, purpose);
        let url = self.fetch.place();
        if let Some(problem) = problem {
            tracing::error!(url, problem, failures_before, "the JWK Set cannot be fetched");
        } else if failures_before > 0 {
            tracing::info!(url, failures_before, "the JWK Set is fetched again");
        }
    }

    /// Returns how many requests in a row had failed before.
    fn remember(&self, answer: Result<Fetched, String>, requested: Moment, purpose: Purpose) -> u32 {
        let now = Instant::now();
        let mut state = self.state();
        state.requests += 1;
        state.last_request = Some(now);
        if purpose == Purpose::Search {
            state.last_search = Some(now);
        }
        let failures_before = state.failures;
        if let Ok(Fetched { keys, lifetime }) = answer {
            let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME).clamp(MIN_LIFETIME, MAX_LIFETIME);
            state.cached = Some(Cached { keys: Arc::new(keys), requested, lifetime });
            state.failures = 0;
        } else {
            state.failures = failures_before.saturating_add(1);
        }
        failures_before
    }
}

#[cfg(test)]
mod tests;
