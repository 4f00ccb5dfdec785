//! Keys from a URL: cached, refreshed, and served through an outage of the issuer.

mod endpoint;
mod fetch;

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{
    sync::{Mutex as AsyncMutex, OwnedMutexGuard},
    task::JoinHandle,
    time::Instant,
};

use super::{KeyRequest, KeySet, KeySource};
use crate::error::{AuthError, Code};
pub(crate) use endpoint::{Endpoint, RemoteConfig};
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

/// Anybody can write any `kid` into a token.
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
    fetched: Instant,
    lifetime: Duration,
}

/// Why the issuer is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    /// There is no set, or it is an old one.
    Refresh,
    /// A token names a key that is not in the set.
    Search,
}

impl State {
    fn usable(&self) -> Option<&Cached> {
        self.cached.as_ref().filter(|cached| cached.fetched.elapsed() < MAX_AGE)
    }

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
    pub(crate) fn new(fetch: F) -> Self {
        let turn = Arc::new(AsyncMutex::new(()));
        Self(Arc::new(Shared { fetch, state: Mutex::default(), turn }))
    }
}

impl<F: Fetch> KeySource for RemoteKeys<F> {
    async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        let shared = &self.0;
        let (cached, seen) = {
            let state = shared.state();
            (state.usable().cloned(), state.requests)
        };
        let Some(cached) = cached else {
            shared.request(seen, Purpose::Refresh).await;
            return shared.state().usable().map(|cached| Arc::clone(&cached.keys)).ok_or(Code::KeysUnavailable.into());
        };
        if request.key_id().is_some_and(|id| !cached.keys.may_hold(id)) {
            shared.request(seen, Purpose::Search).await;
        } else if cached.fetched.elapsed() >= cached.lifetime {
            shared.refresh_in_background(seen);
        }
        Ok(shared.state().usable().map_or(cached.keys, |cached| Arc::clone(&cached.keys)))
    }
}

impl<F: Fetch> Shared<F> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
            let answer = AssertUnwindSafe(shared.fetch.fetch()).catch_unwind().await;
            shared.take(answer.unwrap_or_else(|_| Err("the request panicked".to_owned())), purpose);
            drop(turn);
        })
    }

    fn take(&self, answer: Result<Fetched, String>, purpose: Purpose) {
        let problem = answer.as_ref().err().map(|problem| problem.chars().take(LONGEST_PROBLEM).collect::<String>());
        let failures_before = self.remember(answer, purpose);
        let url = self.fetch.place();
        if let Some(problem) = problem {
            tracing::error!(url, problem, failures_before, "the JWK Set cannot be fetched");
        } else if failures_before > 0 {
            tracing::info!(url, failures_before, "the JWK Set is fetched again");
        }
    }

    /// Returns how many requests in a row had failed before.
    fn remember(&self, answer: Result<Fetched, String>, purpose: Purpose) -> u32 {
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
            state.cached = Some(Cached { keys: Arc::new(keys), fetched: now, lifetime });
            state.failures = 0;
        } else {
            state.failures = failures_before.saturating_add(1);
        }
        failures_before
    }
}

#[cfg(test)]
mod tests;
