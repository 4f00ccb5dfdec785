//! Stores that are slow, fail or panic.

use std::{
    error::Error,
    sync::atomic::{AtomicUsize, Ordering},
};

use super::*;
use crate::revocations::{Revocation, Revocations};

enum Behaviour {
    Answers(RevocationStatus),
    Fails,
    PanicsAtOnce,
    PanicsLater,
    Takes(Duration),
}

struct Store {
    behaviour: Behaviour,
    asked: AtomicUsize,
}

impl Store {
    fn new(behaviour: Behaviour) -> Arc<Self> {
        let asked = AtomicUsize::new(0);
        Arc::new(Self { behaviour, asked })
    }
}

impl RevocationStore for Store {
    fn check(
        &self,
        _: RevocationQuery<'_>,
    ) -> impl Future<Output = Result<RevocationStatus, RevocationError>> + Send {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(
            !matches!(self.behaviour, Behaviour::PanicsAtOnce),
            "with a secret"
        );
        async {
            match self.behaviour {
                Behaviour::Answers(status) => Ok(status),
                Behaviour::Fails => Err(RevocationError::new("no route to the database")),
                Behaviour::PanicsAtOnce | Behaviour::PanicsLater => panic!("with a secret"),
                Behaviour::Takes(time) => {
                    tokio::time::sleep(time).await;
                    Ok(RevocationStatus::NotRevoked)
                }
            }
        }
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        assert!(
            !matches!(self.behaviour, Behaviour::PanicsAtOnce),
            "on purpose"
        );
        None
    }
}

fn check_of(store: impl RevocationStore, limit: Option<Duration>) -> RevocationCheck {
    RevocationCheck::from_settings(Some(RevocationSetting::new(store)), limit.map(Ok))
        .unwrap()
        .unwrap()
}

async fn outcome(behaviour: Behaviour) -> Result<(), (ErrorCode, String)> {
    let store = Store::new(behaviour);
    let outcome = check_of(Arc::clone(&store), None)
        .check(RevocationQuery::default())
        .await;
    assert_eq!(store.asked.load(Ordering::Relaxed), 1);
    outcome.map_err(|error| {
        let cause = error.source().map(guard::error_chain).unwrap_or_default();
        (error.code(), cause)
    })
}

fn unavailable_because(cause: &str) -> Result<(), (ErrorCode, String)> {
    Err((ErrorCode::RevocationsUnavailable, cause.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_in_time_refuses() {
    let millisecond = Duration::from_millis(1);
    let limit = Duration::from_millis(500);
    assert_eq!(outcome(Behaviour::Takes(limit - millisecond)).await, Ok(()));
    assert_eq!(
        outcome(Behaviour::Takes(limit + millisecond)).await,
        unavailable_because(
            "the revocation store did not answer within 500ms; `revocations_timeout` sets the limit"
        )
    );

    let check = check_of(Store::new(Behaviour::Takes(limit)), Some(2 * limit));
    assert!(check.check(RevocationQuery::default()).await.is_ok());
}

#[tokio::test]
async fn a_store_that_fails_or_panics_refuses() {
    assert_eq!(
        outcome(Behaviour::Fails).await,
        unavailable_because("the revocation store failed: no route to the database")
    );
    for behaviour in [Behaviour::PanicsAtOnce, Behaviour::PanicsLater] {
        assert_eq!(
            outcome(behaviour).await,
            unavailable_because("the revocation store panicked")
        );
    }
}

#[tokio::test]
async fn the_answer_of_the_store_decides() {
    assert_eq!(
        outcome(Behaviour::Answers(RevocationStatus::NotRevoked)).await,
        Ok(())
    );
    let (code, cause) = outcome(Behaviour::Answers(RevocationStatus::Revoked))
        .await
        .unwrap_err();
    assert_eq!((code, &*cause), (ErrorCode::TokenRevoked, ""));
}

#[tokio::test]
async fn several_tokens_are_asked_about_one_by_one_by_default() {
    let store = Store::new(Behaviour::Answers(RevocationStatus::NotRevoked));
    let check = check_of(Arc::clone(&store), None);
    let queries = vec![RevocationQuery::default(); RevocationCheck::BATCH + 1];
    let statuses = check.check_many(&queries).await.unwrap();
    assert_eq!(statuses.len(), queries.len());
    assert_eq!(store.asked.load(Ordering::Relaxed), queries.len());

    for behaviour in [Behaviour::Fails, Behaviour::PanicsAtOnce] {
        let check = check_of(Store::new(behaviour), None);
        let error = check.check_many(&queries).await.unwrap_err();
        assert_eq!(error.code(), ErrorCode::RevocationsUnavailable);
    }
}

/// Answers about one token, however many it is asked about.
struct Forgetful;

impl RevocationStore for Forgetful {
    async fn check(&self, _: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        Ok(RevocationStatus::NotRevoked)
    }

    async fn check_many(
        &self,
        _: &[RevocationQuery<'_>],
    ) -> Result<Vec<RevocationStatus>, RevocationError> {
        Ok(vec![RevocationStatus::NotRevoked])
    }
}

#[tokio::test]
async fn an_answer_about_another_number_of_tokens_is_none() {
    let error = check_of(Forgetful, None)
        .check_many(&[RevocationQuery::default(); 2])
        .await
        .unwrap_err();
    assert_eq!(
        guard::error_chain(error.source().unwrap()),
        "the revocation store was asked about 2 tokens, and answered about 1"
    );
}

#[tokio::test]
async fn a_store_without_a_notifier_or_with_a_broken_one_tells_nothing() {
    assert!(
        check_of(Store::new(Behaviour::Fails), None)
            .subscribe()
            .is_none()
    );
    assert!(
        check_of(Store::new(Behaviour::PanicsAtOnce), None)
            .subscribe()
            .is_none()
    );

    let store = Revocations::in_memory();
    let mut changes = check_of(store.clone(), None).subscribe().unwrap();
    store.revoke(Revocation::token(1)).await.unwrap();
    assert!(changes.next().await.is_some());
}

#[test]
fn a_time_limit_needs_a_store_and_a_length() {
    let store = || Some(RevocationSetting::new(Revocations::in_memory()));
    let message = |store, limit| {
        RevocationCheck::from_settings(store, Some(Ok(limit)))
            .unwrap_err()
            .to_string()
    };
    assert!(message(store(), Duration::ZERO).contains("revocations_timeout is zero"));
    assert!(message(None, Duration::from_secs(1)).contains("set revocations too"));
    assert!(
        RevocationCheck::from_settings(None, None)
            .unwrap()
            .is_none()
    );
    assert!(
        RevocationCheck::from_settings(store(), None)
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn a_store_that_cannot_revoke_says_so() {
    let error = Forgetful.revoke(Revocation::token(1)).await.unwrap_err();
    assert!(
        error.to_string().contains("this store cannot revoke"),
        "{error}"
    );
}
