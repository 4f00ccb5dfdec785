//! Keys from a URL: cached, refreshed, and kept during an outage of the issuer.

mod endpoint;
mod fetch;
mod problem;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use tokio::{
    runtime::Handle,
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    task::JoinHandle,
    time::Instant,
};

use super::{KeySet, jwk};
use crate::{
    clock::Clock,
    error::{AuthError, ConfigError, ConfigErrorKind, ErrorCode},
    guard,
    retry::Backoff,
};
pub(crate) use endpoint::{Endpoint, PlainHttp, RemoteSettings};
pub(crate) use fetch::{HttpClient, HttpFetch};
use problem::RemoteProblem;

/// How long a set is fresh if the issuer sends no `Cache-Control`.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(10);

/// A set is not fetched more often, even if the issuer asks for it.
const MIN_LIFETIME: Duration = Duration::from_mins(1);

/// A set is fetched at least this often, even if the issuer allows more time: a key that it
/// withdrew must not verify for weeks, and there must be time to try again before [`MAX_AGE`].
const MAX_LIFETIME: Duration = Duration::from_hours(12);

/// How long a set is used at most, while the issuer is down.
const MAX_AGE: Duration = Duration::from_hours(24);

/// The minimum time between two requests for keys that the set does not have. Any client can send
/// tokens that no key of the set verifies.
const SEARCH_INTERVAL: Duration = Duration::from_secs(10);

/// The pauses after failed requests.
const FAILED_REQUESTS: Backoff = Backoff::new(Duration::from_secs(1), LONGEST_PAUSE);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How many characters of a problem are logged: it may quote the issuer's answer.
const LONGEST_PROBLEM: usize = 500;

/// A set that an issuer returned.
pub(crate) struct Fetched {
    pub(crate) keys: KeySet,
    /// Which keys of the set cannot be used, and why.
    pub(crate) left_out: Option<String>,
    /// How long the set is fresh, according to the answer.
    pub(crate) lifetime: Option<Duration>,
}

/// Fetches a set of keys.
pub(crate) trait Fetch: Send + Sync + 'static {
    /// Returns the place that the set is fetched from, for the operator's log.
    fn place(&self) -> String;

    /// # Errors
    ///
    /// Returns why no set could be fetched, for the operator's log.
    fn fetch(&self) -> impl Future<Output = Result<Fetched, RemoteProblem>> + Send;
}

/// The keys of one issuer. Each issuer has its own cache, so that a `kid` of one never finds a key
/// of another.
pub(crate) struct RemoteKeys<F>(Arc<Shared<F>>);

struct Shared<F> {
    fetch: F,
    clock: Clock,
    state: Mutex<State>,
    /// Held during a request: callers that wait for it share its answer.
    turn: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct State {
    cached: Option<Cached>,
    /// How many requests have ended, so that a caller that waited sees whether another caller's
    /// request has ended.
    requests: u64,
    failures: u32,
    /// Why the last request failed. `None` if it did not.
    problem: Option<String>,
    last_request: Option<Instant>,
    last_search: Option<Instant>,
    /// What was told last about keys that are left out, so that it is not told at each refresh.
    left_out: Option<String>,
}

#[derive(Clone)]
struct Cached {
    keys: Arc<KeySet>,
    requested: Moment,
    lifetime: Duration,
}

/// A moment by both clocks. The monotonic one stands still while the machine is suspended, and the
/// wall clock can be set.
#[derive(Clone, Copy)]
struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

/// Why a request is made.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// The cache is empty or stale.
    Refresh,
    /// No key of the set verifies a token.
    Search,
}

impl Cached {
    /// Returns the time since the request, by the clock that shows more of it.
    fn age(&self, now: SystemTime) -> Duration {
        let by_wall_clock = now.duration_since(self.requested.wall).unwrap_or_default();
        self.requested.monotonic.elapsed().max(by_wall_clock)
    }

    fn is_usable(&self, now: SystemTime) -> bool {
        self.age(now) < MAX_AGE
    }

    fn is_stale(&self, now: SystemTime) -> bool {
        // A wall clock that was set back does not show a suspension. The age of a newer set starts
        // at the new time.
        let set_back = self.requested.wall.duration_since(now).unwrap_or_default();
        self.age(now) >= self.lifetime || set_back >= MIN_LIFETIME
    }
}

impl State {
    /// Returns whether no request has ended since `seen` ones had, and the pause after the last one
    /// is over.
    fn may_request(&self, seen: u64, purpose: Purpose) -> bool {
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => FAILED_REQUESTS.after(failures),
        };
        let is_over =
            |pause, since: Option<Instant>| since.is_none_or(|since| since.elapsed() >= pause);
        self.requests == seen
            && is_over(pause, self.last_request)
            && (purpose == Purpose::Refresh || is_over(SEARCH_INTERVAL, self.last_search))
    }
}

impl<F: Fetch> RemoteKeys<F> {
    pub(crate) fn new(fetch: F, clock: Clock) -> Self {
        let turn = Arc::new(AsyncMutex::new(()));
        Self(Arc::new(Shared {
            fetch,
            clock,
            state: Mutex::default(),
            turn,
        }))
    }

    /// Runs `verify` with the keys of the issuer. If it fails, the issuer may have new keys, under
    /// new names, the same names or none: fetches the set again, unless that was done a short time
    /// ago, and runs `verify` once more if there is a newer set.
    ///
    /// # Errors
    ///
    /// Returns `keys_unavailable` if there are no keys, or the error of `verify`.
    pub(crate) async fn verify_with<T>(
        &self,
        verify: impl Fn(&KeySet) -> Result<T, AuthError>,
    ) -> Result<T, AuthError> {
        let seen = self.0.state().requests;
        let keys = self.current(seen).await?;
        let refusal = match verify(&keys) {
            Ok(verified) => return Ok(verified),
            Err(refusal) => refusal,
        };

        self.0.request(seen, Purpose::Search).await;
        match self.0.usable() {
            Some(newer) if !Arc::ptr_eq(&newer.keys, &keys) => verify(&newer.keys),
            _ => Err(refusal),
        }
    }

    /// Fetches a set, unless the cache has a usable one. A stale one is refreshed in the
    /// background.
    ///
    /// # Errors
    ///
    /// There is no usable set. The error says why.
    pub(crate) async fn warm_up(&self) -> Result<(), ConfigError> {
        let failed = |problem: &str| {
            let place = self.0.fetch.place();
            let message = format!("the JWK Set of {place} cannot be fetched: {problem}");
            Err(ConfigError::new(ConfigErrorKind::RemoteKeys, message))
        };
        if Handle::try_current().is_err() {
            return failed("that needs a Tokio runtime; call warm_up in one");
        }

        let seen = self.0.state().requests;
        if self.current(seen).await.is_ok() {
            return Ok(());
        }
        let problem = self.0.state().problem.clone();
        failed(problem.as_deref().unwrap_or("the runtime ends"))
    }

    /// Returns the cached set, or fetches one if the cache has no usable set.
    async fn current(&self, seen: u64) -> Result<Arc<KeySet>, AuthError> {
        let shared = &self.0;
        let Some(cached) = shared.usable() else {
            shared.request(seen, Purpose::Refresh).await;
            return shared
                .usable()
                .map(|cached| cached.keys)
                .ok_or(ErrorCode::KeysUnavailable.into());
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
        self.state()
            .cached
            .clone()
            .filter(|cached| cached.is_usable(now))
    }

    /// Makes one request for any number of callers, and waits for its end.
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

    /// Starts a refresh without waiting for it: the cached set is still usable.
    fn refresh_in_background(self: &Arc<Self>, seen: u64) {
        if let Ok(turn) = Arc::clone(&self.turn).try_lock_owned()
            && self.state().may_request(seen, Purpose::Refresh)
        {
            drop(self.start(turn, Purpose::Refresh));
        }
    }

    /// Makes the request in a separate task: if a caller gives up, the others still get the answer.
    fn start(self: &Arc<Self>, turn: OwnedMutexGuard<()>, purpose: Purpose) -> JoinHandle<()> {
        let shared = Arc::clone(self);
        tokio::spawn(async move {
            // The answer may be as old as the request.
            let requested = Moment {
                monotonic: Instant::now(),
                wall: shared.clock.now(),
            };
            let answer = guard::future("the request for keys", shared.fetch.fetch()).await;

            shared.take(
                answer.unwrap_or_else(|_| Err(RemoteProblem::Panicked)),
                requested,
                purpose,
            );
            drop(turn);
        })
    }

    fn take(&self, answer: Result<Fetched, RemoteProblem>, requested: Moment, purpose: Purpose) {
        let problem = answer.as_ref().err().map(|problem| {
            problem
                .to_string()
                .chars()
                .take(LONGEST_PROBLEM)
                .collect::<String>()
        });

        let newly_left_out = answer
            .as_ref()
            .ok()
            .and_then(|set| self.newly_left_out(set));
        let failures_before = self.remember(answer, problem.clone(), requested, purpose);
        let url = self.fetch.place();

        if let Some(problem) = problem {
            tracing::error!(
                url,
                problem,
                failures_before,
                "the JWK Set cannot be fetched"
            );
        } else if failures_before > 0 {
            tracing::info!(url, failures_before, "the JWK Set is fetched again");
        }
        if let Some(left_out) = newly_left_out {
            jwk::warn_of_left_out(&url, &left_out);
        }
    }

    /// Returns what the operator must be told about the keys that are left out. `None` if that was
    /// told about the set before this one.
    fn newly_left_out(&self, set: &Fetched) -> Option<String> {
        let mut state = self.state();
        if state.left_out == set.left_out {
            return None;
        }
        state.left_out.clone_from(&set.left_out);
        set.left_out.clone()
    }

    /// Returns how many requests in a row had failed before.
    fn remember(
        &self,
        answer: Result<Fetched, RemoteProblem>,
        problem: Option<String>,
        requested: Moment,
        purpose: Purpose,
    ) -> u32 {
        let now = Instant::now();
        let mut state = self.state();
        state.requests += 1;
        state.problem = problem;
        state.last_request = Some(now);
        if purpose == Purpose::Search {
            state.last_search = Some(now);
        }

        let failures_before = state.failures;
        if let Ok(Fetched { keys, lifetime, .. }) = answer {
            let lifetime = lifetime
                .unwrap_or(DEFAULT_LIFETIME)
                .clamp(MIN_LIFETIME, MAX_LIFETIME);
            state.cached = Some(Cached {
                keys: Arc::new(keys),
                requested,
                lifetime,
            });
            state.failures = 0;
        } else {
            state.failures = failures_before.saturating_add(1);
        }

        failures_before
    }
}

#[cfg(test)]
mod tests;
