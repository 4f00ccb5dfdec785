//! Rotation, and how long a response is valid.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth_tests::issuer::{
    Answer, Issuer, KEYS, SigningKey, advance_time, key_set, outcome, spawn_verification,
};

/// The shortest time between two searches for unknown keys.
const SEARCH_INTERVAL: Duration = Duration::from_secs(10);

fn keys() -> (SigningKey, SigningKey) {
    (
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::other(Algorithm::EdDSA, "b"),
    )
}

#[tokio::test]
async fn keys_are_fetched_at_the_first_token_and_once() {
    let (key, _) = keys();
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();

    assert_eq!(issuer.requests(), 0);

    for _ in 0..10 {
        assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    }

    assert_eq!(
        outcome(&verifier.clone(), &key.token()).await,
        "accepted",
        "clones share the keys"
    );
    assert_eq!(issuer.requests(), 1);
    let asked = &issuer.received_requests()[0];
    assert_eq!(
        (asked.uri.path(), asked.headers["accept"].to_str().unwrap()),
        (KEYS, "application/json")
    );
    assert!(
        asked.headers["user-agent"]
            .to_str()
            .unwrap()
            .starts_with("socketioxide-jwt-auth/")
    );
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_is_dropped() {
    let (old, new) = keys();
    let issuer = Issuer::with_keys(&[&old]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &old.token()).await, "accepted");

    issuer.publish(&[&old, &new]);
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &old.token()).await, "accepted");
    assert_eq!(issuer.requests(), 2);

    advance_time(Duration::from_secs(10)).await;
    let next = SigningKey::new(Algorithm::ES256, "c");
    issuer.publish(&[&next]);
    assert_eq!(outcome(&verifier, &next.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &new.token()).await, "token_key_unknown");
    assert_eq!(issuer.requests(), 3);
}

#[tokio::test]
async fn another_key_with_a_known_kid_is_found_at_once() {
    let (key, next) = (
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::other(Algorithm::EdDSA, "a"),
    );
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");

    issuer.publish(&[&next]);
    assert_eq!(outcome(&verifier, &next.token()).await, "accepted");
    assert_eq!(
        outcome(&verifier, &key.token()).await,
        "token_signature_invalid"
    );
    assert_eq!(issuer.requests(), 2);

    advance_time(SEARCH_INTERVAL).await;
    let of_another_type = SigningKey::new(Algorithm::ES256, "a");
    issuer.publish(&[&of_another_type]);
    assert_eq!(
        outcome(&verifier, &of_another_type.token()).await,
        "accepted"
    );
    assert_eq!(
        outcome(&verifier, &next.token()).await,
        "token_algorithm_not_allowed"
    );
    assert_eq!(issuer.requests(), 3);
}

/// Returns a JWK Set of these keys without `kid`.
fn nameless(keys: &[&SigningKey]) -> Answer {
    Answer::ok(key_set(
        &keys
            .iter()
            .map(|key| key.jwk_without_kid())
            .collect::<Vec<_>>(),
    ))
}

#[tokio::test]
async fn a_new_key_is_found_at_once_where_the_set_or_the_token_names_none() {
    let (old, new) = keys();
    let named = Answer::keys;
    for (sets, sets_of, kid_of_old, kid_of_new) in [
        (
            "with names",
            named as fn(&[&SigningKey]) -> Answer,
            None,
            None,
        ),
        ("without names", nameless, None, None),
        ("without names", nameless, Some("a"), Some("b")),
        ("without names", nameless, Some("a"), Some("a")),
    ] {
        let case = format!("sets {sets}, tokens of {kid_of_old:?} and {kid_of_new:?}");
        let (old_token, new_token) = (
            old.token_with_kid(kid_of_old),
            new.token_with_kid(kid_of_new),
        );
        let issuer = Issuer::start().await;
        issuer.answer(KEYS, sets_of(&[&old]));
        let verifier = issuer.verifier().build().unwrap();
        assert_eq!(outcome(&verifier, &old_token).await, "accepted", "{case}");

        issuer.answer(KEYS, sets_of(&[&new]));
        assert_eq!(outcome(&verifier, &new_token).await, "accepted", "{case}");
        assert_eq!(
            outcome(&verifier, &old_token).await,
            "token_signature_invalid",
            "{case}"
        );
        assert_eq!(outcome(&verifier, &new_token).await, "accepted", "{case}");
        assert_eq!(issuer.requests(), 2, "{case}");
    }
}

#[tokio::test]
async fn a_key_of_another_type_is_found_at_once_by_a_token_without_kid() {
    let (old, new) = (
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::new(Algorithm::RS256, "b"),
    );
    let issuer = Issuer::with_keys(&[&old]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(
        outcome(&verifier, &old.token_with_kid(None)).await,
        "accepted"
    );

    issuer.publish(&[&new]);
    assert_eq!(
        outcome(&verifier, &new.token_with_kid(None)).await,
        "accepted"
    );
    assert_eq!(
        outcome(&verifier, &old.token_with_kid(None)).await,
        "token_key_unknown"
    );
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn a_new_set_may_name_its_keys_where_the_old_one_did_not() {
    let (old, new) = keys();
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, nameless(&[&old]));
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &old.token()).await, "accepted");
    issuer.publish(&[&new]);
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &old.token()).await, "token_key_unknown");

    advance_time(SEARCH_INTERVAL).await;
    issuer.answer(KEYS, nameless(&[&old]));
    assert_eq!(outcome(&verifier, &old.token()).await, "accepted");
    assert_eq!(
        outcome(&verifier, &new.token()).await,
        "token_signature_invalid"
    );
    assert_eq!(issuer.requests(), 3);
}

/// Forged tokens with a known `kid`, an unknown one or none, and with algorithms of the set and
/// others.
#[tokio::test]
async fn forged_tokens_of_every_kind_share_one_request_in_ten_seconds() {
    let (key, other) = keys();
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();

    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    let of_another_type = SigningKey::new(Algorithm::ES256, "a");
    let forged = [
        (other.token_with_kid(Some("a")), "token_signature_invalid"),
        (other.token_with_kid(None), "token_signature_invalid"),
        (other.token_with_kid(Some("b")), "token_key_unknown"),
        (key.token_with_kid(Some("b")), "token_key_unknown"),
        (of_another_type.token_with_kid(None), "token_key_unknown"),
        (
            of_another_type.token_with_kid(Some("a")),
            "token_algorithm_not_allowed",
        ),
    ];

    // Each kind is the first one once.
    for first in 0..forged.len() {
        let requests = 2 + 2 * first;
        for (token, code) in forged.iter().cycle().skip(first).take(2 * forged.len()) {
            assert_eq!(outcome(&verifier, token).await, *code);
            assert_eq!(issuer.requests(), requests, "{code}");
        }
        advance_time(SEARCH_INTERVAL - Duration::from_secs(1)).await;
        assert_eq!(outcome(&verifier, &forged[first].0).await, forged[first].1);
        assert_eq!(issuer.requests(), requests);
        advance_time(Duration::from_secs(1)).await;
        // All concurrently.
        let callers: Vec<_> = (0..100)
            .map(|number| spawn_verification(&verifier, forged[number % forged.len()].0.clone()))
            .collect();
        for (number, caller) in callers.into_iter().enumerate() {
            assert_eq!(caller.await.unwrap(), forged[number % forged.len()].1);
        }
        assert_eq!(issuer.requests(), requests + 1);
        advance_time(SEARCH_INTERVAL).await;
    }
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
}

/// During an outage, a forged token is refused with the same code as otherwise.
#[tokio::test]
async fn a_forged_token_is_refused_for_its_signature_while_the_issuer_is_down() {
    let (key, other) = (
        SigningKey::new(Algorithm::EdDSA, "a"),
        SigningKey::other(Algorithm::EdDSA, "a"),
    );
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");

    issuer.answer(KEYS, Answer::new(503, "away"));
    assert_eq!(
        outcome(&verifier, &other.token()).await,
        "token_signature_invalid"
    );
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    assert_eq!(issuer.requests(), 2);
}

/// Asserts for how many seconds a response with these headers is valid: no request before, one
/// after.
async fn is_good_for(headers: &[(&'static str, &str)], seconds: u64) {
    let (key, _) = keys();
    let issuer = Issuer::start().await;
    let answer = headers
        .iter()
        .fold(Answer::keys(&[&key]), |answer, (name, value)| {
            answer.header(name, value)
        });
    issuer.answer(KEYS, answer);
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");

    advance_time(Duration::from_secs(seconds - 5)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    advance_time(Duration::from_secs(5)).await;
    assert_eq!(
        issuer.requests(),
        1,
        "{headers:?} are good for {seconds} s at least"
    );
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    println!("{headers:?} are good for {seconds} s at most");
    issuer.wait_for_requests(2).await;
}

#[tokio::test]
async fn the_issuer_says_for_how_long_its_keys_are_good_within_bounds() {
    const DEFAULT: u64 = 600;
    const LEAST: u64 = 60;
    const MOST: u64 = 12 * 3600;

    let cache_control: [(&str, u64); 14] = [
        ("max-age=300", 300),
        ("public, max-age=7200, must-revalidate", 7200),
        ("s-maxage=30, max-age=300", 300), // That one is for shared caches (RFC 9111 §5.2.2.10).
        ("max-age=0", LEAST),
        ("max-age=5", LEAST),
        ("no-store", LEAST),
        ("no-cache, max-age=300", LEAST),
        ("max-age=31536000, immutable", MOST),
        ("max-age=18446744073709551615", MOST),
        ("max-age=-1", DEFAULT),
        ("max-age=soon", DEFAULT),
        ("public", DEFAULT),
        ("", DEFAULT),
        ("Max-Age=300", DEFAULT), // Which the crate `headers` does not read.
    ];
    for (value, seconds) in cache_control {
        is_good_for(&[("cache-control", value)], seconds).await;
    }

    is_good_for(&[], DEFAULT).await;
    is_good_for(&[("expires", "Thu, 01 Jan 1970 00:00:00 GMT")], DEFAULT).await;
}

/// A cache in front of the issuer reports how long it has kept the response.
#[tokio::test]
async fn the_age_of_an_answer_counts() {
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "3000")], 600).await;
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "3599")], 60).await;
    is_good_for(
        &[
            ("cache-control", "max-age=3600"),
            ("age", "18446744073709551615"),
        ],
        60,
    )
    .await;
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "-1")], 3600).await;
    is_good_for(&[("age", "3000")], 600).await;
}

#[tokio::test]
async fn unknown_keys_are_searched_for_once_in_ten_seconds() {
    let (key, _) = keys();
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();

    for requests in [1, 2, 2, 2] {
        let unknown = key.token_with_kid(Some(&format!("unknown {requests}")));
        assert_eq!(outcome(&verifier, &unknown).await, "token_key_unknown");
        assert_eq!(issuer.requests(), requests);
    }

    advance_time(Duration::from_secs(9)).await;
    assert_eq!(
        outcome(&verifier, &key.token_with_kid(Some("x"))).await,
        "token_key_unknown"
    );
    assert_eq!(issuer.requests(), 2);
    advance_time(Duration::from_secs(1)).await;
    assert_eq!(
        outcome(&verifier, &key.token_with_kid(Some("y"))).await,
        "token_key_unknown"
    );
    assert_eq!(issuer.requests(), 3);
    assert_eq!(
        outcome(&verifier, &key.token_with_kid(None)).await,
        "accepted",
        "a token without a `kid` names no unknown key"
    );
}

#[tokio::test]
async fn a_token_that_is_refused_for_another_reason_costs_no_request() {
    let (key, _) = keys();
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer
        .verifier()
        .algorithm("EdDSA")
        .max_token_bytes(1000)
        .build()
        .unwrap();

    for (token, code) in [
        (
            SigningKey::new(Algorithm::ES256, "a").token(),
            "token_algorithm_not_allowed",
        ),
        ("x".repeat(1001), "token_too_large"),
        ("a.b.c".to_owned(), "token_malformed"),
    ] {
        assert_eq!(outcome(&verifier, &token).await, code);
    }

    assert_eq!(issuer.requests(), 0);
}

#[tokio::test]
async fn concurrent_callers_share_a_request() {
    let (key, _) = keys();
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    let callers: Vec<_> = (0..100)
        .map(|_| spawn_verification(&verifier, key.token()))
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "accepted");
    }
    assert_eq!(issuer.requests(), 1);
}
