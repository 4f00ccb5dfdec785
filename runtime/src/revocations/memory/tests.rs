//! The store in memory, with a clock that the tests set.

use std::collections::HashMap;

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::{
    clock::TestClock,
    revocations::{MARGIN, RevocationChange, RevocationScope},
};

const START: u64 = 1_000_000;
const LIFE: Duration = Duration::from_secs(3600);

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn store() -> (Revocations, TestClock) {
    let (clock, time) = Clock::fixed(at(START));
    (Revocations::with_clock(clock).max_token_life(LIFE), time)
}

fn revoke(store: &Revocations, revocation: Revocation) -> Result<(), RevocationError> {
    store.revoke(revocation).now_or_never().unwrap()
}

fn query(scope: RevocationScope, key: &str, issued_at: Option<u64>) -> RevocationQuery<'_> {
    let key = Some(key);
    let query = RevocationQuery {
        issued_at: issued_at.map(at),
        ..RevocationQuery::default()
    };
    match scope {
        RevocationScope::Token => RevocationQuery {
            token_id: key,
            ..query
        },
        RevocationScope::Session => RevocationQuery {
            session: key,
            ..query
        },
        RevocationScope::User => RevocationQuery { user: key, ..query },
    }
}

fn is_revoked(store: &Revocations, query: RevocationQuery<'_>) -> bool {
    store.status(&query) == RevocationStatus::Revoked
}

#[test]
fn a_token_is_refused_by_its_jti_whenever_it_was_issued() {
    let (store, _) = store();
    revoke(&store, Revocation::token("7")).unwrap();
    for issued_at in [None, Some(0), Some(START), Some(u64::from(u32::MAX))] {
        assert!(is_revoked(
            &store,
            query(RevocationScope::Token, "7", issued_at)
        ));
    }
    assert!(!is_revoked(
        &store,
        query(RevocationScope::Token, "8", None)
    ));
    assert!(!is_revoked(
        &store,
        query(RevocationScope::Session, "7", None)
    ));
    assert!(!is_revoked(&store, query(RevocationScope::User, "7", None)));
    assert!(!is_revoked(&store, RevocationQuery::default()));
}

#[test]
fn a_session_is_refused_also_with_later_tokens_unless_a_time_is_given() {
    let (store, _) = store();
    let session = |key, issued_at| query(RevocationScope::Session, key, issued_at);
    revoke(&store, Revocation::session("login")).unwrap();
    assert!(is_revoked(&store, session("login", Some(START + 5000))));

    revoke(
        &store,
        Revocation::session("device").issued_before(at(START)),
    )
    .unwrap();
    assert!(is_revoked(&store, session("device", Some(START))));
    assert!(!is_revoked(&store, session("device", Some(START + 1))));
}

#[test]
fn a_user_is_refused_with_tokens_of_before_and_with_tokens_that_do_not_tell() {
    let (store, _) = store();
    let user = |issued_at| query(RevocationScope::User, "42", issued_at);
    assert!(!is_revoked(&store, user(None)));
    revoke(&store, Revocation::user(42).issued_before(at(START))).unwrap();
    assert!(is_revoked(&store, user(Some(START - 1))));
    assert!(is_revoked(&store, user(Some(START))));
    assert!(!is_revoked(&store, user(Some(START + 1))));
    assert!(is_revoked(&store, user(None)));
}

#[test]
fn a_user_is_revoked_now_if_no_time_is_given() {
    let (store, _) = store();
    revoke(&store, Revocation::user(42)).unwrap();
    let now = since_1970(SystemTime::now());
    assert!(is_revoked(
        &store,
        query(RevocationScope::User, "42", Some(now))
    ));
    assert!(!is_revoked(
        &store,
        query(RevocationScope::User, "42", Some(now + 2))
    ));
}

#[test]
fn an_entry_ends_when_no_token_can_be_valid_any_more() {
    let (store, time) = store();
    let token = query(RevocationScope::Token, "7", None);
    let session = query(RevocationScope::Session, "7", None);
    revoke(&store, Revocation::token(7).expires_at(at(START + 60))).unwrap();
    revoke(&store, Revocation::session(7)).unwrap();

    time.set(at(START + 60) + MARGIN - Duration::from_nanos(1));
    assert!(is_revoked(&store, token));
    time.set(at(START + 60) + MARGIN);
    assert!(!is_revoked(&store, token));
    assert_eq!(store.entries().len(), 1);

    time.set(at(START) + LIFE + MARGIN - Duration::from_nanos(1));
    assert!(is_revoked(&store, session));
    time.set(at(START) + LIFE + MARGIN);
    assert!(!is_revoked(&store, session));
    assert_eq!(store.entries().len(), 0);
}

#[test]
fn past_the_maximum_revoke_fails_and_says_how_to_raise_it() {
    let (store, time) = store();
    let store = store.max_entries(2);
    revoke(&store, Revocation::token(1)).unwrap();
    revoke(&store, Revocation::token(2)).unwrap();

    let mut changes = store.0.notifier.subscribe();
    let error = revoke(&store, Revocation::token(3))
        .unwrap_err()
        .to_string();
    assert!(error.contains("`max_entries` raises it"), "{error}");
    assert!(
        changes.next().now_or_never().is_none(),
        "nothing was revoked"
    );

    assert!(is_revoked(&store, query(RevocationScope::Token, "1", None)));
    revoke(&store, Revocation::token(2)).unwrap();
    time.advance(LIFE + MARGIN);
    revoke(&store, Revocation::token(3)).unwrap();
}

#[test]
fn clones_share_revocations_and_settings_and_tell_of_them() {
    let (store, _) = store();
    let clone = store.clone();
    let mut changes = clone.0.notifier.subscribe();
    revoke(&store.max_entries(1), Revocation::token(1)).unwrap();
    assert!(is_revoked(&clone, query(RevocationScope::Token, "1", None)));
    assert!(revoke(&clone, Revocation::token(2)).is_err());

    let change = changes.next().now_or_never().unwrap();
    let Some(RevocationChange::Revoked(entry)) = change else {
        panic!("{change:?}");
    };
    assert!(entry.concerns(&query(RevocationScope::Token, "1", None)));
}

#[test]
fn debug_shows_no_keys() {
    let (store, _) = store();
    revoke(&store, Revocation::user("ada")).unwrap();
    assert_eq!(format!("{store:?}"), "Revocations { .. }");
}

#[derive(Debug, Clone)]
enum Step {
    Revoke {
        scope: RevocationScope,
        key: u8,
        issued_before: Option<u64>,
        expires_at: Option<u64>,
    },
    Pass(u64),
    Check {
        keys: [Option<u8>; 3],
        issued_at: Option<u64>,
    },
}

fn scopes() -> impl Strategy<Value = RevocationScope> {
    prop_oneof![
        Just(RevocationScope::Token),
        Just(RevocationScope::Session),
        Just(RevocationScope::User),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..4_u8;
    let time = || START - 100..START + 8000;
    let revoke = (
        scopes(),
        key(),
        prop::option::of(time()),
        prop::option::of(time()),
    )
        .prop_map(|(scope, key, issued_before, expires_at)| Step::Revoke {
            scope,
            key,
            issued_before,
            expires_at,
        });
    let check = (
        prop::array::uniform3(prop::option::of(key())),
        prop::option::of(time()),
    )
        .prop_map(|(keys, issued_at)| Step::Check { keys, issued_at });
    let step = prop_oneof![revoke, (0..2000_u64).prop_map(Step::Pass), check];
    prop::collection::vec(step, 1..60)
}

/// Every revocation that was ever made, compared one by one.
#[derive(Default)]
struct Model(HashMap<(RevocationScope, u8), Vec<(Option<u64>, u64)>>);

impl Model {
    /// The store merges two revocations of a key: what either covers, for as long as either lasts.
    fn is_revoked(&self, key: (RevocationScope, u8), issued_at: Option<u64>, now: u64) -> bool {
        let made = self.0.get(&key).map(Vec::as_slice).unwrap_or_default();
        let covered = made.iter().map(|(time, _)| time.unwrap_or(u64::MAX)).max();
        let is_kept = made.iter().any(|(_, end)| now < *end);
        is_kept && covered.is_some_and(|time| issued_at.is_none_or(|issued| issued <= time))
    }

    fn forget(&mut self, now: u64) {
        self.0
            .retain(|_, made| made.iter().any(|(_, end)| now < *end));
    }
}

proptest! {
    #[test]
    fn the_store_agrees_with_a_list_of_all_revocations(steps in steps()) {
        let (store, time) = store();
        let mut model = Model::default();
        let mut now = START;
        for step in steps {
            match step {
                Step::Pass(seconds) => {
                    now += seconds;
                    time.set(at(now));
                    model.forget(now);
                }
                Step::Revoke { scope, key, issued_before, expires_at } => {
                    let mut revocation = match scope {
                        RevocationScope::Token => Revocation::token(key),
                        RevocationScope::Session => Revocation::session(key),
                        RevocationScope::User => Revocation::user(key).issued_before(at(now)),
                    };
                    if let Some(time) = issued_before {
                        revocation = revocation.issued_before(at(time));
                    }
                    if let Some(time) = expires_at {
                        revocation = revocation.expires_at(at(time));
                    }
                    let issued_before = match scope {
                        RevocationScope::User => Some(issued_before.unwrap_or(now)),
                        _ => issued_before,
                    };
                    let last = expires_at.unwrap_or_else(|| issued_before.unwrap_or(now).max(now) + LIFE.as_secs());
                    let made = model.0.entry((scope, key)).or_default();
                    made.push((issued_before, last.max(now) + MARGIN.as_secs()));
                    revoke(&store, revocation).unwrap();
                }
                Step::Check { keys, issued_at } => {
                    let texts = keys.map(|key| key.map(|key| key.to_string()));
                    let [token_id, session, user] = &texts;
                    let query = RevocationQuery {
                        token_id: token_id.as_deref(),
                        session: session.as_deref(),
                        user: user.as_deref(),
                        issued_at: issued_at.map(at),
                        ..RevocationQuery::default()
                    };
                    let scopes = [RevocationScope::Token, RevocationScope::Session, RevocationScope::User];
                    let expected = scopes.into_iter().zip(keys).any(|(scope, key)| {
                        key.is_some_and(|key| model.is_revoked((scope, key), issued_at, now))
                    });
                    prop_assert_eq!(is_revoked(&store, query), expected);
                }
            }
        }
    }
}
