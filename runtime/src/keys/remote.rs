//! Keys from a URL: cached, refreshed, and served through an outage of the issuer.

mod fetch;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::Mutex as AsyncMutex, time::Instant};

use super::{KeyRequest, KeySet, KeySource};
use crate::error::{AuthError, Code};
pub(crate) use fetch::{HttpFetch, RemoteConfig};

/// An issuer that says nothing of caching, or too little or too much, is asked about as often as this.
const DEFAULT_LIFETIME: Duration = Duration::from_mins(10);
const MIN_LIFETIME: Duration = Duration::from_mins(1);
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// How long the last good set serves while the issuer is down.
const MAX_AGE: Duration = Duration::from_hours(24);

/// Anybody can write any `kid` into a token.
const UNKNOWN_KEY_INTERVAL: Duration = Duration::from_secs(10);

/// The pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// What an issuer answered.
pub(crate) struct Fetched {
    pub(crate) keys: KeySet,
    /// What the answer says of its own freshness.
    pub(crate) lifetime: Option<Duration>,
}

/// Where the keys are asked for.
pub(crate) trait Fetch: Send + Sync + 'static {
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
    request: Arc<AsyncMutex<()>>,
}

#[derive(Default)]
struct State {
    cached: Option<Cached>,
    /// How many requests have ended. A caller that waited sees whether somebody else's answered its question.
    requests: u64,
    failures: u32,
    last_request: Option<Instant>,
}

#[derive(Clone)]
struct Cached {
    keys: Arc<KeySet>,
    fetched: Instant,
    lifetime: Duration,
}

impl State {
    fn usable(&self) -> Option<&Cached> {
        self.cached.as_ref().filter(|cached| cached.fetched.elapsed() < MAX_AGE)
    }

    /// Whether a request may be made now, given the pause that failures ask for and the caller's own.
    fn may_request(&self, interval: Duration) -> bool {
        let pause = match self.failures {
            0 => Duration::ZERO,
            failures => FIRST_PAUSE.saturating_mul(1 << (failures - 1).min(6)).min(LONGEST_PAUSE),
        };
        self.last_request.is_none_or(|last| last.elapsed() >= pause.max(interval))
    }
}

impl<F: Fetch> RemoteKeys<F> {
    pub(crate) fn new(fetch: F) -> Self {
        let request = Arc::new(AsyncMutex::new(()));
        Self(Arc::new(Shared { fetch, state: Mutex::default(), request }))
    }
}

impl<F: Fetch> KeySource for RemoteKeys<F> {
    async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
        let shared = &self.0;
        let (cached, requests) = {
            let state = shared.state();
            (state.usable().cloned(), state.requests)
        };
        let Some(cached) = cached else {
            shared.request(requests, Duration::ZERO).await;
            return shared.state().usable().map(|cached| Arc::clone(&cached.keys)).ok_or(Code::KeysUnavailable.into());
        };
        if request.key_id().is_some_and(|id| !cached.keys.knows(id)) {
            shared.request(requests, UNKNOWN_KEY_INTERVAL).await;
        } else if cached.fetched.elapsed() >= cached.lifetime {
            // Nobody waits for a refresh: the set is as good as it was a moment ago.
            let shared = Arc::clone(shared);
            tokio::spawn(async move { shared.request(requests, Duration::ZERO).await });
        }
        Ok(shared.state().usable().map_or(cached.keys, |cached| Arc::clone(&cached.keys)))
    }
}

impl<F: Fetch> Shared<F> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the issuer once, however many callers there are, unless it is too soon.
    ///
    /// `seen` is how many requests had ended when the caller found that it needs one.
    async fn request(self: &Arc<Self>, seen: u64, interval: Duration) {
        let may = |state: &State| state.requests == seen && state.may_request(interval);
        if !may(&self.state()) {
            return;
        }
        let turn = Arc::clone(&self.request).lock_owned().await;
        if !may(&self.state()) {
            return;
        }
        // A task of its own: a caller that gives up must not take the answer from the others.
        let shared = Arc::clone(self);
        let request = tokio::spawn(async move {
            let answer = shared.fetch.fetch().await;
            shared.take(answer);
            drop(turn);
        });
        if request.await.is_err() {
            self.take(Err("the request panicked".to_owned()));
        }
    }

    fn take(&self, answer: Result<Fetched, String>) {
        let mut state = self.state();
        let now = Instant::now();
        state.requests += 1;
        state.last_request = Some(now);
        match answer {
            Ok(Fetched { keys, lifetime }) => {
                let lifetime = lifetime.unwrap_or(DEFAULT_LIFETIME).clamp(MIN_LIFETIME, MAX_LIFETIME);
                state.cached = Some(Cached { keys: Arc::new(keys), fetched: now, lifetime });
                state.failures = 0;
            }
            Err(problem) => {
                state.failures = state.failures.saturating_add(1);
                tracing::error!(problem, failures = state.failures, "the JWK Set cannot be fetched");
            }
        }
    }
}

#[cfg(test)]
mod tests;
