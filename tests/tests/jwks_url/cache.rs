//! Rotation, and for how long an answer is good.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth_tests::issuer::{Answer, Issuer, KEYS, SigningKey, asking, let_time_pass, outcome};

fn keys() -> (SigningKey, SigningKey) {
    (SigningKey::new(Algorithm::EdDSA, "a"), SigningKey::other(Algorithm::EdDSA, "b"))
}

#[tokio::test]
async fn keys_are_fetched_at_the_first_token_and_once() {
    let (key, _) = keys();
    let issuer = Issuer::of(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(issuer.requests(), 0);
    for _ in 0..10 {
        assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    }
    assert_eq!(outcome(&verifier.clone(), &key.token()).await, "accepted", "clones share the keys");
    assert_eq!(issuer.requests(), 1);
    let asked = &issuer.asked()[0];
    assert_eq!((asked.uri.path(), asked.headers["accept"].to_str().unwrap()), (KEYS, "application/json"));
    assert!(asked.headers["user-agent"].to_str().unwrap().starts_with("socketioxide-jwt-auth/"));
}

#[tokio::test]
async fn a_new_key_is_found_at_once_and_an_old_one_is_dropped() {
    let (old, new) = keys();
    let issuer = Issuer::of(&[&old]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &old.token()).await, "accepted");

    issuer.publish(&[&old, &new]);
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &old.token()).await, "accepted");
    assert_eq!(issuer.requests(), 2);

    let_time_pass(Duration::from_secs(10)).await;
    let next = SigningKey::new(Algorithm::ES256, "c");
    issuer.publish(&[&next]);
    assert_eq!(outcome(&verifier, &next.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &new.token()).await, "token_key_unknown");
    assert_eq!(issuer.requests(), 3);
}

#[tokio::test]
async fn another_key_under_an_old_name_takes_its_place() {
    let (key, impostor) = (SigningKey::new(Algorithm::EdDSA, "a"), SigningKey::other(Algorithm::EdDSA, "a"));
    let issuer = Issuer::of(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &impostor.token()).await, "token_signature_invalid");
    issuer.publish(&[&impostor]);
    let_time_pass(Duration::from_mins(11)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted", "the refresh is in the background");
    // Whoever asks for an unknown key waits for the refresh that is under way.
    assert_eq!(outcome(&verifier, &key.token_with_kid(Some("unknown"))).await, "token_key_unknown");
    assert_eq!(outcome(&verifier, &key.token()).await, "token_signature_invalid");
    assert_eq!(outcome(&verifier, &impostor.token()).await, "accepted");
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn keys_without_names_are_tried_and_never_searched_for() {
    let (key, other) = keys();
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, Answer::ok(format!(r#"{{"keys":[{}]}}"#, key.nameless_jwk())));
    let verifier = issuer.verifier().build().unwrap();
    for _ in 0..3 {
        assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
        assert_eq!(outcome(&verifier, &key.token_with_kid(None)).await, "accepted");
        assert_eq!(outcome(&verifier, &other.token()).await, "token_signature_invalid");
        let_time_pass(Duration::from_secs(20)).await;
    }
    assert_eq!(issuer.requests(), 1, "no set would know the name");
}

/// The seconds for which an answer with these headers is good: it is not asked for again before, and is after.
async fn is_good_for(headers: &[(&'static str, &str)], seconds: u64) {
    let (key, _) = keys();
    let issuer = Issuer::start().await;
    let answer = headers.iter().fold(Answer::keys(&[&key]), |answer, (name, value)| answer.header(name, value));
    issuer.answer(KEYS, answer);
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");

    let_time_pass(Duration::from_secs(seconds - 5)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    let_time_pass(Duration::from_secs(5)).await;
    assert_eq!(issuer.requests(), 1, "{headers:?} are good for {seconds} s at least");
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    println!("{headers:?} are good for {seconds} s at most");
    issuer.until_requests(2).await;
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

/// A cache in front of the issuer has kept the answer for a while.
#[tokio::test]
async fn the_age_of_an_answer_counts() {
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "3000")], 600).await;
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "3599")], 60).await;
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "18446744073709551615")], 60).await;
    is_good_for(&[("cache-control", "max-age=3600"), ("age", "-1")], 3600).await;
    is_good_for(&[("age", "3000")], 600).await;
}

#[tokio::test]
async fn unknown_keys_are_searched_for_once_in_ten_seconds() {
    let (key, _) = keys();
    let issuer = Issuer::of(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    for requests in [1, 2, 2, 2] {
        let unknown = key.token_with_kid(Some(&format!("unknown {requests}")));
        assert_eq!(outcome(&verifier, &unknown).await, "token_key_unknown");
        assert_eq!(issuer.requests(), requests);
    }
    let_time_pass(Duration::from_secs(9)).await;
    assert_eq!(outcome(&verifier, &key.token_with_kid(Some("x"))).await, "token_key_unknown");
    assert_eq!(issuer.requests(), 2);
    let_time_pass(Duration::from_secs(1)).await;
    assert_eq!(outcome(&verifier, &key.token_with_kid(Some("y"))).await, "token_key_unknown");
    assert_eq!(issuer.requests(), 3);
    assert_eq!(outcome(&verifier, &key.token_with_kid(None)).await, "accepted", "it names no key that is not there");
}

#[tokio::test]
async fn a_token_that_is_refused_for_another_reason_costs_no_request() {
    let (key, _) = keys();
    let issuer = Issuer::of(&[&key]).await;
    let verifier = issuer.verifier().algorithm("EdDSA").max_token_bytes(1000).build().unwrap();
    for (token, code) in [
        (SigningKey::new(Algorithm::ES256, "a").token(), "token_algorithm_not_allowed"),
        ("x".repeat(1001), "token_too_large"),
        ("a.b.c".to_owned(), "token_malformed"),
    ] {
        assert_eq!(outcome(&verifier, &token).await, code);
    }
    assert_eq!(issuer.requests(), 0);
}

#[tokio::test]
async fn callers_share_a_request() {
    let (key, _) = keys();
    let issuer = Issuer::of(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    let callers: Vec<_> = (0..100).map(|_| asking(&verifier, key.token())).collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap(), "accepted");
    }
    assert_eq!(issuer.requests(), 1);
}
