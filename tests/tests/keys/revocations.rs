//! A verifier with a store of revocations.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use socketioxide_jwt_auth::{
    Action, Issuer, Revocation, RevocationError, RevocationQuery, RevocationStatus,
    RevocationStore, Revocations, Verifier, VerifierBuilder, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Claims, Log, OTHER_SECRET, SECRET, User, find_user, mint, seconds_from_now, token,
};

/// Returns the claims of a token that was issued now, with others in addition.
fn claims(more: Value) -> Value {
    let mut claims = json!({
        "sub": "ada", "iat": seconds_from_now(0), "exp": seconds_from_now(3600), "jti": "7", "sid": "s",
    });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn builder() -> VerifierBuilder {
    Verifier::builder().secret(SECRET)
}

async fn outcome(verifier: &Verifier, claims: &Value) -> &'static str {
    match verifier.verify::<Value>(&mint(claims, SECRET)).await {
        Ok(_) => "good",
        Err(error) => error.code().as_str(),
    }
}

#[tokio::test]
async fn a_token_is_refused_by_its_jti_its_session_or_its_user() {
    let good = claims(json!({}));
    for (revocation, other) in [
        (Revocation::token("7"), json!({ "jti": "8" })),
        (Revocation::session("s"), json!({ "sid": "t" })),
        (Revocation::user("ada"), json!({ "sub": "grace" })),
    ] {
        let revocations = Revocations::in_memory();
        let verifier = builder().revocations(revocations.clone()).build().unwrap();
        assert_eq!(outcome(&verifier, &good).await, "good");
        revocations.revoke(revocation.clone()).await.unwrap();
        assert_eq!(
            outcome(&verifier, &good).await,
            "token_revoked",
            "{revocation:?}"
        );
        assert_eq!(
            outcome(&verifier, &claims(other)).await,
            "good",
            "{revocation:?}"
        );
    }
}

#[tokio::test]
async fn a_revoked_token_is_refused_with_login_and_a_detail_for_the_operator() {
    let revocations = Revocations::in_memory();
    revocations.revoke(Revocation::token("7")).await.unwrap();

    let verifier = builder().revocations(revocations).build().unwrap();
    let token = mint(&claims(json!({})), SECRET);
    let error = verifier.verify::<Value>(&token).await.unwrap_err();
    assert_eq!(
        (error.action(), error.message()),
        (Action::Login, "Log in again.")
    );
    assert_eq!(
        error.detail(),
        Some("the token, its session or its user is in the store of revocations")
    );
}

#[tokio::test]
async fn tokens_of_a_user_are_refused_up_to_a_time_and_without_iat() {
    let revocations = Revocations::in_memory();
    let verifier = builder().revocations(revocations.clone()).build().unwrap();
    let time = SystemTime::now() - Duration::from_secs(60);
    revocations
        .revoke(Revocation::user("ada").issued_before(time))
        .await
        .unwrap();

    let iat = |seconds: i64| claims(json!({ "iat": seconds_from_now(seconds) }));
    assert_eq!(outcome(&verifier, &iat(-70)).await, "token_revoked");
    assert_eq!(outcome(&verifier, &iat(-50)).await, "good");
    let mut undated = claims(json!({}));
    undated.as_object_mut().unwrap().remove("iat");
    assert_eq!(outcome(&verifier, &undated).await, "token_revoked");
    undated["sub"] = json!("grace");
    assert_eq!(outcome(&verifier, &undated).await, "good");
}

#[tokio::test]
async fn a_token_is_revoked_by_a_sid_that_is_a_string_or_an_integer() {
    let revocations = Revocations::in_memory();
    let verifier = builder().revocations(revocations.clone()).build().unwrap();

    revocations.revoke(Revocation::session(5)).await.unwrap();
    for (sid, expected) in [
        (json!("5"), "token_revoked"),
        (json!(5), "token_revoked"),
        (json!(5.5), "good"),
        (json!(null), "good"),
        (json!({ "id": 5 }), "good"),
        (json!([5]), "good"),
    ] {
        let token = claims(json!({ "sid": sid.clone() }));
        assert_eq!(outcome(&verifier, &token).await, expected, "{sid}");
    }
}

/// Counts how often it is asked, and remembers the last query.
#[derive(Default)]
struct Counting {
    asked: AtomicUsize,
}

impl RevocationStore for Counting {
    async fn check(&self, query: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let time = |seconds| Some(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(query.token_id, Some("7"));
        assert_eq!(query.session, Some("s"));
        assert_eq!(query.user, Some("ada"));
        assert_eq!(query.issuer, Some("me"));
        assert_eq!(query.issued_at, time(1000));
        assert_eq!(query.expires_at, time(4_000_000_000));
        Ok(RevocationStatus::NotRevoked)
    }
}

#[tokio::test]
async fn the_store_is_asked_once_with_everything_and_only_about_accepted_tokens() {
    let store = Arc::new(Counting::default());
    let verifier = builder()
        .issuer("me")
        .revocations(Arc::clone(&store))
        .build()
        .unwrap();
    let good = claims(json!({ "iss": "me", "iat": 1000, "exp": 4_000_000_000_u64 }));
    assert_eq!(outcome(&verifier, &good).await, "good");
    assert_eq!(store.asked.load(Ordering::Relaxed), 1);

    let wrong = claims(json!({ "iss": "other" }));
    assert_eq!(outcome(&verifier, &wrong).await, "token_issuer_invalid");
    let forged = mint(&good, OTHER_SECRET);
    assert!(verifier.verify::<Value>(&forged).await.is_err());
    assert_eq!(store.asked.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn every_issuer_of_several_shares_the_store() {
    let revocations = Revocations::in_memory();
    let verifier = Verifier::builder()
        .issuers([
            Issuer::new("a").secret(SECRET),
            Issuer::new("b").secret(SECRET),
        ])
        .revocations(revocations.clone())
        .build()
        .unwrap();
    revocations.revoke(Revocation::user("ada")).await.unwrap();
    for issuer in ["a", "b"] {
        let token = claims(json!({ "iss": issuer }));
        assert_eq!(outcome(&verifier, &token).await, "token_revoked");
    }

    let error = Verifier::builder()
        .issuers([Issuer::new("a").secret(SECRET).leeway("10m")])
        .revocations(revocations)
        .build()
        .unwrap_err();
    assert!(
        error.to_string().contains("leeway is more than 5 minutes"),
        "{error}"
    );
}

struct Failing;

impl RevocationStore for Failing {
    async fn check(&self, _: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        Err(RevocationError::new("no route to the database"))
    }
}

struct Hanging;

impl RevocationStore for Hanging {
    async fn check(&self, _: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_of_the_store_every_token_is_refused_for_now() {
    for builder in [
        builder().revocations(Failing),
        builder().revocations(Hanging),
    ] {
        let verifier = builder.build().unwrap();
        let token = mint(&claims(json!({})), SECRET);
        let error = verifier.verify::<Value>(&token).await.unwrap_err();
        assert_eq!(error.code(), "revocations_unavailable");
        assert_eq!(error.action(), Action::Retry);
        assert!(std::error::Error::source(&error).is_some());
    }
}

#[jwt_auth(
    secret = SECRET,
    revocations = Revocations::in_memory().max_entries(0),
    revocations_timeout = "1s",
)]
async fn from_the_attribute(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn the_verifier_of_a_middleware_asks_its_store() {
    let middleware = from_the_attribute::middleware().unwrap();
    assert!(
        middleware
            .verifier()
            .verify::<Claims>(&token("ada"))
            .await
            .is_ok()
    );

    let revocations = Revocations::in_memory();
    revocations.revoke(Revocation::user("ada")).await.unwrap();
    let middleware = from_the_attribute::builder()
        .revocations(revocations)
        .build()
        .unwrap();
    let error = middleware
        .verifier()
        .verify::<Claims>(&token("ada"))
        .await
        .unwrap_err();
    assert_eq!(error.code(), "token_revoked");
}

#[tokio::test]
async fn a_token_that_outlives_its_revocation_is_warned_about_once() {
    let log = Log::capture();
    let store = Revocations::in_memory().max_token_life(Duration::from_secs(3600));
    let verifier = builder().revocations(store).build().unwrap();
    assert_eq!(outcome(&verifier, &claims(json!({}))).await, "good");
    assert_eq!(log.lines_with("max_token_life"), [""; 0]);

    let long = claims(json!({ "exp": seconds_from_now(3700) }));
    for _ in 0..2 {
        assert_eq!(outcome(&verifier, &long).await, "good");
    }
    let lines = log.lines_with("set `max_token_life` to the longest life of a token");
    assert_eq!(lines.len(), 1, "{}", log.text());
    assert!(lines[0].contains("WARN"), "{}", lines[0]);
}
