//! The rules of the cache, on a virtual clock and without a network.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use jsonwebtoken::Algorithm;
use tokio::time::{advance, sleep};

use super::{Fetch, Fetched, MAX_AGE, RemoteKeys, UNKNOWN_KEY_INTERVAL};
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
    async fn fetch(&self) -> Result<Fetched, String> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_secs(1)).await;
        let kid = (*self.answer.lock().unwrap())?;
        let json = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
        );
        Ok(Fetched { keys: KeySet::from_jwks(json).unwrap(), lifetime: Some(Duration::from_secs(300)) })
    }
}

async fn ask(keys: &RemoteKeys<Issuer>, key_id: &str) -> Result<bool, AuthError> {
    let request = KeyRequest { algorithm: Algorithm::EdDSA, key_id: Some(key_id), header: "{}", parts: None, namespace: None };
    Ok(keys.keys(request).await?.knows(key_id))
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
    assert!(ask(&keys, "a").await.unwrap());
    for number in 0..1000 {
        assert!(!ask(&keys, &format!("unknown {number}")).await.unwrap());
    }
    assert_eq!(issuer.requests(), 1, "the first set is not ten seconds old");

    advance(UNKNOWN_KEY_INTERVAL).await;
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "b").await.unwrap(), "a rotated key is found");
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
