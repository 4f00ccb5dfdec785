//! An issuer that is unreachable for a limited time.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use socketioxide_jwt_auth_tests::{
    Gate,
    issuer::{
        Answer, HostileIssuer, Issuer, KEYS, SigningKey, advance_time, outcome, spawn_verification,
    },
    within,
};
use tokio::io::AsyncWriteExt;

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

#[tokio::test]
async fn an_unreachable_issuer_makes_the_keys_unavailable_until_it_answers() {
    let key = key();
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().unwrap();
    let address = issuer.stop().await;
    assert_eq!(outcome(&verifier, &key.token()).await, "keys_unavailable");

    let issuer = Issuer::start_at(address).await;
    issuer.publish(&[&key]);
    assert_eq!(
        outcome(&verifier, &key.token()).await,
        "keys_unavailable",
        "it waits before it tries again"
    );
    assert_eq!(issuer.requests(), 0);
    advance_time(Duration::from_secs(1)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
}

#[tokio::test]
async fn the_last_good_set_serves_while_the_issuer_is_away() {
    let (key, new) = (key(), SigningKey::other(Algorithm::EdDSA, "b"));
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    let address = issuer.stop().await;

    for _ in 0..20 {
        advance_time(Duration::from_hours(1)).await;
        assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
        assert_eq!(outcome(&verifier, &new.token()).await, "token_key_unknown");
    }
    let issuer = Issuer::start_at(address).await;
    issuer.publish(&[&new]);
    advance_time(Duration::from_mins(1)).await;
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    assert_eq!(outcome(&verifier, &key.token()).await, "token_key_unknown");
}

#[tokio::test]
async fn the_last_good_set_expires_after_a_day() {
    let key = key();
    let issuer = Issuer::start().await;
    issuer.answer(
        KEYS,
        Answer::keys(&[&key]).header("cache-control", "max-age=604800"),
    );
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    let address = issuer.stop().await;

    advance_time(Duration::from_hours(24) - Duration::from_secs(5)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    advance_time(Duration::from_secs(5)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "keys_unavailable");

    let issuer = Issuer::start_at(address).await;
    issuer.publish(&[&key]);
    advance_time(Duration::from_mins(1)).await;
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
}

/// Also with the longest validity that an issuer can set, there is time for another request before
/// the keys expire.
#[tokio::test]
async fn a_set_is_refreshed_long_before_it_expires() {
    let key = key();
    let issuer = Issuer::start().await;

    issuer.answer(
        KEYS,
        Answer::keys(&[&key]).header("cache-control", "max-age=604800"),
    );
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");

    for requests in 2..5 {
        advance_time(Duration::from_hours(13)).await;
        assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
        issuer.wait_for_requests(requests).await;
        // A token with an unknown key waits for the refresh under way.
        assert_eq!(
            outcome(&verifier, &key.token_with_kid(Some("x"))).await,
            "token_key_unknown"
        );
        assert_eq!(issuer.requests(), requests);
    }
}

/// Starts an issuer that answers when the gate is open.
async fn behind(gate: &Gate, key: &SigningKey) -> HostileIssuer {
    let (gate, answer) = (gate.clone(), super::hostile::good_answer(key));
    HostileIssuer::start(move |mut stream| {
        let (gate, answer) = (gate.clone(), answer.clone());
        async move {
            gate.pass().await;
            stream.write_all(&answer).await.ok();
        }
    })
    .await
}

#[tokio::test]
async fn verification_does_not_wait_for_a_refresh() {
    let (key, gate) = (key(), Gate::closed());
    let issuer = behind(&gate, &key).await;
    let verifier = issuer.verifier().build().unwrap();
    gate.open_once();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");

    advance_time(Duration::from_mins(11)).await;
    for _ in 0..100 {
        assert_eq!(
            within("an answer", outcome(&verifier, &key.token())).await,
            "accepted"
        );
    }
    issuer.wait_for_requests(2).await;
    for _ in 0..100 {
        assert_eq!(
            within("an answer", outcome(&verifier, &key.token())).await,
            "accepted"
        );
    }
    assert_eq!(issuer.requests(), 2, "the gate is still closed");

    // Only a token with an unknown key waits, for that same request.
    let searching = spawn_verification(&verifier, key.token_with_kid(Some("unknown")));
    gate.open_once();
    assert_eq!(searching.await.unwrap(), "token_key_unknown");
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn a_search_that_fails_leaves_the_keys_alone() {
    let key = key();
    let issuer = Issuer::with_keys(&[&key]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    issuer.answer(KEYS, Answer::new(500, "down"));
    assert_eq!(
        outcome(&verifier, &key.token_with_kid(Some("unknown"))).await,
        "token_key_unknown"
    );
    assert_eq!(outcome(&verifier, &key.token()).await, "accepted");
    assert_eq!(issuer.requests(), 2);
}
