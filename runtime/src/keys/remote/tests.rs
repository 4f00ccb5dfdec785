//! The rules of the cache, on a virtual clock and without a network.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jsonwebtoken::Algorithm;
use tokio::{
    runtime::Handle,
    time::{advance, sleep},
};

use super::{Fetch, Fetched, LONGEST_PAUSE, MAX_AGE, RemoteKeys, SEARCH_INTERVAL};
use crate::{
    error::AuthError,
    keys::{KeyRequest, KeySet, KeySource},
};

/// Answers after a second with what the test put in.
#[derive(Clone)]
struct Issuer {
    answer: Arc<Mutex<Result<&'static str, &'static str>>>,
    requests: Arc<AtomicUsize>,
}

impl Issuer {
    fn new(kid: &'static str) -> Self {
        Self { answer: Arc::new(Mutex::new(Ok(kid))), requests: Arc::default() }
    }

    fn answers(&self, answer: Result<&'static str, &'static str>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::SeqCst)
    }
}

impl Fetch for Issuer {
    fn place(&self) -> String {
        "here".to_owned()
    }

    async fn fetch(&self) -> Result<Fetched, String> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_secs(1)).await;
        let kid = (*self.answer.lock().unwrap())?;
        assert_ne!(kid, "panic", "this is the test's own");
        let json = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
        );
        Ok(Fetched { keys: KeySet::from_jwks(json).unwrap(), lifetime: Some(Duration::from_secs(300)) })
    }
}

async fn ask(keys: &RemoteKeys<Issuer>, key_id: &str) -> Result<bool, AuthError> {
    let request =
        KeyRequest { algorithm: Algorithm::EdDSA, key_id: Some(key_id), header: "{}", parts: None, namespace: None };
    Ok(keys.keys(request).await?.may_hold(key_id))
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_request() {
    let issuer = Issuer::new("a");
    let keys = Arc::new(RemoteKeys::new(issuer.clone()));
    let callers: Vec<_> = (0..1000)
        .map(|_| {
            let keys = Arc::clone(&keys);
            tokio::spawn(async move { ask(&keys, "a").await.unwrap() })
        })
        .collect();
    for caller in callers {
        assert!(caller.await.unwrap());
    }
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test(start_paused = true)]
async fn unknown_keys_cost_one_request_in_ten_seconds() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    for number in 0..1000 {
        assert!(!ask(&keys, &format!("unknown {number}")).await.unwrap());
    }
    assert_eq!(issuer.requests(), 2, "one for the set, and one for the keys that are not in it");

    advance(SEARCH_INTERVAL).await;
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "b").await.unwrap(), "a rotated key is found");
    assert_eq!(issuer.requests(), 3);
}

/// However soon after the first set.
#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_found_at_once() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    assert!(ask(&keys, "a").await.unwrap());
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "b").await.unwrap());
    assert!(!ask(&keys, "a").await.unwrap());
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_search_shares_the_refresh_that_is_under_way() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    ask(&keys, "a").await.unwrap();
    advance(Duration::from_secs(301)).await;
    issuer.answers(Ok("b"));
    ask(&keys, "a").await.unwrap();
    assert!(ask(&keys, "b").await.unwrap());
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stale_set_serves_while_it_is_refreshed() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    ask(&keys, "a").await.unwrap();
    advance(Duration::from_secs(301)).await;
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "a").await.unwrap());
    sleep(Duration::from_secs(2)).await;
    assert!(ask(&keys, "b").await.unwrap());
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_takes_one_task_however_many_ask() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    ask(&keys, "a").await.unwrap();
    advance(Duration::from_secs(301)).await;
    for _ in 0..1000 {
        assert!(ask(&keys, "a").await.unwrap());
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 1);
    sleep(Duration::from_secs(2)).await;
    assert_eq!((issuer.requests(), Handle::current().metrics().num_alive_tasks()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_panics_is_one_that_failed() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    ask(&keys, "a").await.unwrap();
    issuer.answers(Ok("panic"));
    assert!(!ask(&keys, "b").await.unwrap());
    advance(Duration::from_secs(301)).await;
    assert!(ask(&keys, "a").await.unwrap());
    sleep(Duration::from_secs(2)).await;
    assert_eq!(issuer.requests(), 3);

    issuer.answers(Ok("b"));
    advance(LONGEST_PAUSE).await;
    assert!(ask(&keys, "b").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_survived_up_to_the_limit() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    ask(&keys, "a").await.unwrap();
    issuer.answers(Err("down"));
    advance(MAX_AGE - Duration::from_secs(1)).await;
    assert!(ask(&keys, "a").await.unwrap());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(ask(&keys, "a").await.unwrap_err().code(), "keys_unavailable");

    issuer.answers(Ok("a"));
    sleep(Duration::from_secs(60)).await;
    assert!(ask(&keys, "a").await.unwrap(), "it recovers by itself");
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_with_growing_pauses() {
    let issuer = Issuer::new("a");
    issuer.answers(Err("down"));
    let keys = RemoteKeys::new(issuer.clone());
    for _ in 0..600 {
        assert_eq!(ask(&keys, "a").await.unwrap_err().code(), "keys_unavailable");
        sleep(Duration::from_millis(100)).await;
    }
    assert!((4..=6).contains(&issuer.requests()), "{} requests in a minute", issuer.requests());
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_cancel_the_request() {
    let issuer = Issuer::new("a");
    let keys = RemoteKeys::new(issuer.clone());
    let impatient = tokio::time::timeout(Duration::from_millis(10), ask(&keys, "a"));
    assert!(impatient.await.is_err());
    sleep(Duration::from_secs(2)).await;
    assert!(ask(&keys, "a").await.unwrap());
    assert_eq!(issuer.requests(), 1);
}
