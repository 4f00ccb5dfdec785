//! The rules of the cache, on a virtual clock and without a network.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::future::{join, join_all};
use tokio::{
    runtime::Handle,
    time::{advance, sleep},
};

use super::{
    Fetch, Fetched, LONGEST_PAUSE, MAX_AGE, MIN_LIFETIME, RemoteKeys, RemoteProblem,
    SEARCH_INTERVAL,
};
use crate::{
    Action, Algorithm,
    clock::{Clock, TestClock},
    error::{AuthError, ErrorCode},
    keys::KeySet,
};

/// How long the sets are good.
const LIFETIME: Duration = Duration::from_secs(300);

const HOUR: Duration = Duration::from_hours(1);

/// Answers after a second with what the test put in.
#[derive(Clone)]
struct Issuer {
    answer: Arc<Mutex<Result<&'static str, &'static str>>>,
    requests: Arc<AtomicUsize>,
}

impl Issuer {
    fn new(kid: &'static str) -> Self {
        Self {
            answer: Arc::new(Mutex::new(Ok(kid))),
            requests: Arc::default(),
        }
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

    async fn fetch(&self) -> Result<Fetched, RemoteProblem> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        sleep(Duration::from_secs(1)).await;

        let answer = *self.answer.lock().unwrap();
        let kid = answer.map_err(|problem| RemoteProblem::Request(problem.to_owned()))?;
        assert_ne!(kid, "panic", "this is the test's own");
        let json = format!(
            r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","kid":"{kid}","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}}]}}"#
        );

        Ok(Fetched {
            keys: KeySet::from_jwks(json).unwrap(),
            left_out: None,
            lifetime: Some(LIFETIME),
        })
    }
}

/// The keys of an issuer, where the wall clock goes like the monotonic one.
fn keys_of(issuer: &Issuer) -> RemoteKeys<Issuer> {
    RemoteKeys::new(issuer.clone(), Clock::system())
}

/// The keys of an issuer, with a wall clock that the test moves.
fn keys_with_clock(issuer: &Issuer) -> (RemoteKeys<Issuer>, TestClock) {
    let (clock, test_clock) = Clock::fixed(SystemTime::now());
    (RemoteKeys::new(issuer.clone(), clock), test_clock)
}

fn has_key(keys: &KeySet, key_id: &str) -> Result<(), AuthError> {
    keys.candidates(Algorithm::Ed25519, Some(key_id)).map(drop)
}

/// Whether the issuer has this key.
async fn ask(keys: &RemoteKeys<Issuer>, key_id: &str) -> Result<bool, AuthError> {
    match keys.verify_with(|keys| has_key(keys, key_id)).await {
        Err(refusal) if refusal.code() == "token_key_unknown" => Ok(false),
        other => other.map(|()| true),
    }
}

/// What becomes of a token that no key verifies, and how often it was tried.
async fn forge(keys: &RemoteKeys<Issuer>) -> (&'static str, usize) {
    let tries = AtomicUsize::new(0);
    let refusal = keys.verify_with(|_| -> Result<(), AuthError> {
        tries.fetch_add(1, Ordering::SeqCst);
        Err(ErrorCode::TokenSignatureInvalid.into())
    });
    (
        refusal.await.unwrap_err().code().as_str(),
        tries.into_inner(),
    )
}

/// Waits for a request that is under way.
async fn until_answered() {
    sleep(Duration::from_secs(2)).await;
}

#[tokio::test(start_paused = true)]
async fn many_callers_share_one_request() {
    let issuer = Issuer::new("a");
    let keys = Arc::new(keys_of(&issuer));

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
    let keys = keys_of(&issuer);
    for number in 0..1000 {
        assert!(!ask(&keys, &format!("unknown {number}")).await.unwrap());
    }
    assert_eq!(
        issuer.requests(),
        2,
        "one for the set, and one for the keys that are not in it"
    );

    advance(SEARCH_INTERVAL).await;
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "b").await.unwrap(), "a rotated key is found");
    assert_eq!(issuer.requests(), 3);
}

/// However soon after the first set.
#[tokio::test(start_paused = true)]
async fn a_rotated_key_is_found_at_once() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    assert!(ask(&keys, "a").await.unwrap());
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "b").await.unwrap());
    assert!(!ask(&keys, "a").await.unwrap());
    assert_eq!(issuer.requests(), 2);
}

/// As the documentation of `jwks_url` says.
#[tokio::test(start_paused = true)]
async fn a_second_rotation_within_ten_seconds_is_found_after_them() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    ask(&keys, "a").await.unwrap();
    issuer.answers(Ok("b"));
    assert!(ask(&keys, "b").await.unwrap());

    issuer.answers(Ok("c"));
    advance(SEARCH_INTERVAL - Duration::from_millis(1)).await;
    let refusal = keys.verify_with(|keys| has_key(keys, "c")).await;
    let refusal = refusal.unwrap_err();
    assert_eq!(refusal.code(), ErrorCode::TokenKeyUnknown);
    assert_eq!(refusal.action(), Action::Renew);
    assert!(ask(&keys, "b").await.unwrap(), "the last keys serve");

    advance(Duration::from_millis(1)).await;
    assert!(ask(&keys, "c").await.unwrap());
    assert_eq!(issuer.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn tokens_that_no_key_verifies_cost_one_request_in_ten_seconds() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    assert_eq!(
        forge(&keys).await,
        ("token_signature_invalid", 1),
        "the set is a new one"
    );
    assert_eq!(issuer.requests(), 1);
    assert_eq!(forge(&keys).await, ("token_signature_invalid", 2));
    assert_eq!(issuer.requests(), 2);

    for number in 0..100 {
        assert_eq!(forge(&keys).await, ("token_signature_invalid", 1));
        assert!(
            !ask(&keys, &format!("unknown {number}")).await.unwrap(),
            "both share the interval"
        );
    }
    assert_eq!(issuer.requests(), 2);

    advance(SEARCH_INTERVAL).await;
    assert!(!ask(&keys, "unknown").await.unwrap());
    assert_eq!(forge(&keys).await, ("token_signature_invalid", 1));
    assert_eq!(issuer.requests(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_search_that_another_caller_began_counts_for_all_that_wait() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    ask(&keys, "a").await.unwrap();
    issuer.answers(Ok("b"));

    let forged = join_all((0..100).map(|_| forge(&keys)));
    let honest = join_all((0..100).map(|_| ask(&keys, "b")));
    let (forged, honest) = join(forged, honest).await;

    assert!(honest.into_iter().all(|found| found.unwrap()));
    assert!(
        forged
            .into_iter()
            .all(|outcome| outcome == ("token_signature_invalid", 2))
    );
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_search_that_fails_leaves_the_refusal_as_it_was() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    ask(&keys, "a").await.unwrap();
    issuer.answers(Err("down"));
    assert_eq!(forge(&keys).await, ("token_signature_invalid", 1));
    assert_eq!(issuer.requests(), 2);
    assert!(ask(&keys, "a").await.unwrap());
}

/// A token that is good costs nothing more.
#[tokio::test(start_paused = true)]
async fn a_token_that_verifies_is_tried_once() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    let tries = AtomicUsize::new(0);
    for _ in 0..100 {
        let outcome = keys.verify_with(|_| {
            tries.fetch_add(1, Ordering::SeqCst);
            Ok(())
        });
        outcome.await.unwrap();
    }
    assert_eq!((issuer.requests(), tries.into_inner()), (1, 100));
}

#[tokio::test(start_paused = true)]
async fn a_search_shares_the_refresh_that_is_under_way() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
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
    let keys = keys_of(&issuer);
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
    let keys = keys_of(&issuer);
    ask(&keys, "a").await.unwrap();
    advance(Duration::from_secs(301)).await;

    for _ in 0..1000 {
        assert!(ask(&keys, "a").await.unwrap());
    }
    assert_eq!(Handle::current().metrics().num_alive_tasks(), 1);

    sleep(Duration::from_secs(2)).await;
    assert_eq!(
        (
            issuer.requests(),
            Handle::current().metrics().num_alive_tasks()
        ),
        (2, 0)
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_panics_is_one_that_failed() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
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
    let keys = keys_of(&issuer);
    ask(&keys, "a").await.unwrap();
    issuer.answers(Err("down"));
    // The request took a second.
    advance(MAX_AGE - Duration::from_secs(2)).await;
    assert!(ask(&keys, "a").await.unwrap());
    sleep(Duration::from_secs(60)).await;
    assert_eq!(
        ask(&keys, "a").await.unwrap_err().code(),
        "keys_unavailable"
    );

    issuer.answers(Ok("a"));
    sleep(Duration::from_secs(60)).await;
    assert!(ask(&keys, "a").await.unwrap(), "it recovers by itself");
}

#[tokio::test(start_paused = true)]
async fn failures_are_tried_again_with_pauses_that_double_up_to_a_minute() {
    let issuer = Issuer::new("a");
    issuer.answers(Err("down"));
    let keys = keys_of(&issuer);
    assert_eq!(
        ask(&keys, "a").await.unwrap_err().code(),
        "keys_unavailable"
    );

    for (requests, pause) in (1..).zip([1, 2, 4, 8, 16, 32, 60, 60, 60]) {
        advance(Duration::from_secs(pause) - Duration::from_millis(1)).await;
        assert_eq!(
            ask(&keys, "a").await.unwrap_err().code(),
            "keys_unavailable"
        );
        assert_eq!(
            issuer.requests(),
            requests,
            "before a pause of {pause} s is over"
        );

        advance(Duration::from_millis(1)).await;
        assert_eq!(
            ask(&keys, "a").await.unwrap_err().code(),
            "keys_unavailable"
        );
        assert_eq!(
            issuer.requests(),
            requests + 1,
            "after a pause of {pause} s"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_gives_up_does_not_cancel_the_request() {
    let issuer = Issuer::new("a");
    let keys = keys_of(&issuer);
    let impatient = tokio::time::timeout(Duration::from_millis(10), ask(&keys, "a"));
    assert!(impatient.await.is_err());
    sleep(Duration::from_secs(2)).await;
    assert!(ask(&keys, "a").await.unwrap());
    assert_eq!(issuer.requests(), 1);
}

/// A suspended machine, whose monotonic clock stands still, or a clock that was set.
#[tokio::test(start_paused = true)]
async fn a_set_is_refreshed_when_the_wall_clock_jumps_two_hours_forward() {
    let issuer = Issuer::new("a");
    let (keys, clock) = keys_with_clock(&issuer);
    ask(&keys, "a").await.unwrap();
    clock.advance(LIFETIME - Duration::from_nanos(1));
    assert!(ask(&keys, "a").await.unwrap());
    until_answered().await;
    assert_eq!(issuer.requests(), 1);

    issuer.answers(Ok("b"));
    clock.advance(2 * HOUR);
    assert!(
        ask(&keys, "a").await.unwrap(),
        "it serves while it is refreshed"
    );
    until_answered().await;
    assert_eq!(issuer.requests(), 2);
    assert!(!ask(&keys, "a").await.unwrap());
    assert!(ask(&keys, "b").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_set_is_too_old_when_the_wall_clock_jumps_a_day_forward() {
    let issuer = Issuer::new("a");
    let (keys, clock) = keys_with_clock(&issuer);
    ask(&keys, "a").await.unwrap();
    issuer.answers(Err("down"));
    clock.advance(MAX_AGE - Duration::from_nanos(1));
    assert!(ask(&keys, "a").await.unwrap());
    until_answered().await;

    clock.advance(Duration::from_nanos(1));
    assert_eq!(
        ask(&keys, "a").await.unwrap_err().code(),
        "keys_unavailable"
    );
    advance(LONGEST_PAUSE).await;
    clock.advance(HOUR);
    assert_eq!(
        ask(&keys, "a").await.unwrap_err().code(),
        "keys_unavailable"
    );

    issuer.answers(Ok("b"));
    advance(LONGEST_PAUSE).await;
    assert!(
        !ask(&keys, "a").await.unwrap(),
        "nothing of the old set is left"
    );
    assert!(ask(&keys, "b").await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_set_back_does_not_make_a_set_live_longer() {
    for back in [2 * HOUR, 25 * HOUR] {
        let issuer = Issuer::new("a");
        let (keys, clock) = keys_with_clock(&issuer);
        ask(&keys, "a").await.unwrap();

        issuer.answers(Err("down"));
        clock.set(clock.now() - back);
        advance(MAX_AGE - Duration::from_secs(2)).await;
        assert!(ask(&keys, "a").await.unwrap(), "the monotonic clock counts");

        advance(Duration::from_secs(1)).await;
        assert_eq!(
            ask(&keys, "a").await.unwrap_err().code(),
            "keys_unavailable"
        );
    }
}

/// Otherwise the time until the clock is where it was would not count if the machine is suspended.
#[tokio::test(start_paused = true)]
async fn a_set_is_refreshed_when_the_wall_clock_is_set_back() {
    for back in [MIN_LIFETIME, 2 * HOUR, 25 * HOUR] {
        let issuer = Issuer::new("a");
        let (keys, clock) = keys_with_clock(&issuer);
        ask(&keys, "a").await.unwrap();
        clock.set(clock.now() - back);
        for _ in 0..10 {
            assert!(ask(&keys, "a").await.unwrap());
            until_answered().await;
            assert_eq!(issuer.requests(), 2, "once for each time");
        }

        clock.advance(25 * HOUR);
        issuer.answers(Err("down"));
        assert_eq!(
            ask(&keys, "a").await.unwrap_err().code(),
            "keys_unavailable"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_wall_clock_that_is_put_right_by_less_than_a_minute_costs_no_request() {
    let issuer = Issuer::new("a");
    let (keys, clock) = keys_with_clock(&issuer);
    ask(&keys, "a").await.unwrap();
    clock.set(clock.now() - MIN_LIFETIME + Duration::from_nanos(1));
    assert!(ask(&keys, "a").await.unwrap());
    until_answered().await;
    assert_eq!(issuer.requests(), 1);
}

/// The machine was suspended between the request and the answer, which is as old as the request.
#[tokio::test(start_paused = true)]
async fn an_answer_is_as_old_as_its_request() {
    for (suspended, is_usable) in [(2 * HOUR, true), (25 * HOUR, false)] {
        let issuer = Issuer::new("a");
        let (keys, clock) = keys_with_clock(&issuer);

        let suspend = async {
            sleep(Duration::from_millis(500)).await;
            clock.advance(suspended);
        };
        let (outcome, ()) = join(ask(&keys, "a"), suspend).await;
        assert_eq!(outcome.is_ok(), is_usable);

        assert!(ask(&keys, "a").await.unwrap());
        until_answered().await;
        assert_eq!(issuer.requests(), 2, "a fresh one is asked for");
    }
}
