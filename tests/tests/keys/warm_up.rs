//! Keys that are fetched before the first token.

use std::time::Duration;

use futures_util::{FutureExt, future::join_all};
use jsonwebtoken::Algorithm;
use serde_json::json;
use socketioxide_jwt_auth::{
    AuthError, ConfigErrorKind, Issuer as Named, JwtAuthBuilder, KeyRequest, KeySet, KeySource,
    Verifier,
};
use socketioxide_jwt_auth_tests::{
    SECRET, authenticate,
    issuer::{Answer, DISCOVERY, Issuer, KEYS, SigningKey, advance_time, outcome},
    seconds_from_now,
};

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

async fn discoverable() -> (Issuer, String) {
    let issuer = Issuer::with_keys(&[&key()]).await;
    let name = issuer.url("");
    issuer.publish_discovery(&name, &issuer.url(KEYS));
    (issuer, name)
}

fn named(name: &str) -> Named {
    Named::new(name).oidc().algorithm("EdDSA")
}

#[tokio::test]
async fn a_verifier_that_is_warmed_up_has_its_keys() {
    let issuer = Issuer::with_keys(&[&key()]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(issuer.requests(), 0);

    verifier.warm_up().await.unwrap();
    assert_eq!(issuer.requests(), 1);
    assert_eq!(outcome(&verifier, &key().token()).await, "accepted");
    assert_eq!(issuer.requests(), 1);

    for _ in 0..10 {
        verifier.warm_up().await.unwrap();
    }
    assert_eq!(issuer.requests(), 1, "the set is fresh");
}

#[tokio::test]
async fn a_middleware_can_be_warmed_up() {
    let issuer = Issuer::with_keys(&[&key()]).await;
    let builder: JwtAuthBuilder<authenticate> = authenticate::builder().jwks_url(issuer.url(KEYS));
    let middleware = builder.algorithm("EdDSA").build().unwrap();
    let clone = middleware.clone();

    tokio::spawn(async move { clone.warm_up().await })
        .await
        .unwrap()
        .unwrap();
    assert_eq!(issuer.requests(), 1);
    assert_eq!(
        outcome(middleware.verifier(), &key().token()).await,
        "accepted"
    );
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn any_number_of_calls_and_tokens_share_one_request() {
    let issuer = Issuer::with_keys(&[&key()]).await;
    let verifier = issuer.verifier().build().unwrap();
    let token = key().token();
    let calls = join_all((0..100).map(|_| verifier.warm_up()));
    let tokens = join_all((0..100).map(|_| outcome(&verifier, &token)));
    let (calls, tokens) = futures_util::future::join(calls, tokens).await;
    assert!(calls.iter().all(Result::is_ok));
    assert!(tokens.iter().all(|outcome| *outcome == "accepted"));
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn a_failure_names_the_url_and_the_reason() {
    let issuer = Issuer::start().await;
    issuer.answer(KEYS, Answer::new(503, "down"));
    let url = issuer.url(KEYS);
    let verifier = Verifier::builder()
        .jwks_url(format!("{url}?code=the-code"))
        .algorithm("EdDSA")
        .build()
        .unwrap();

    // The second call is within the pause after a failure.
    for _ in 0..2 {
        let error = verifier.warm_up().await.unwrap_err();
        assert_eq!(error.kind(), ConfigErrorKind::RemoteKeys);
        let text = error.to_string();
        assert!(text.contains(&url) && text.contains("503"), "{text}");
        assert!(!text.contains("the-code"), "{text}");
        assert_eq!(issuer.requests(), 1);
    }

    issuer.answer(KEYS, Answer::keys(&[&key()]));
    advance_time(Duration::from_secs(1)).await;
    verifier.warm_up().await.unwrap();
    assert_eq!(issuer.requests(), 2);
}

#[tokio::test]
async fn an_answer_that_is_no_set_is_a_failure() {
    let issuer = Issuer::start().await;
    for (body, problem) in [("<html>", "JWK Set"), (r#"{"keys":[]}"#, "no usable key")] {
        issuer.answer(KEYS, Answer::ok(body));
        let verifier = issuer.verifier().build().unwrap();
        let error = verifier.warm_up().await.unwrap_err().to_string();
        assert!(error.contains(problem), "{error}");
    }
}

#[tokio::test]
async fn every_issuer_is_warmed_up_and_every_failure_is_named() {
    let (good, good_name) = discoverable().await;
    let (other, other_name) = discoverable().await;
    let (down, down_name) = discoverable().await;
    let (wrong, wrong_name) = discoverable().await;
    down.answer(KEYS, Answer::new(500, "down"));
    wrong.publish_discovery("https://issuer.example", &wrong.url(KEYS));

    let verifier = Verifier::builder()
        .issuers([
            named(&good_name),
            named(&down_name),
            named(&wrong_name),
            named(&other_name),
            Named::new("old").secret(SECRET),
            Named::new("https://a.example/{tid}")
                .jwks_url(format!("{good_name}/missing"))
                .algorithm("EdDSA"),
        ])
        .build()
        .unwrap();
    let error = verifier.warm_up().await.unwrap_err().to_string();
    for part in [
        &format!("the issuer \"{down_name}\"") as &str,
        "500",
        &format!("the issuer \"{wrong_name}\""),
        "another issuer",
        "the issuer \"https://a.example/{tid}\"",
        "/missing",
        "404",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    for name in [&good_name, &other_name] {
        assert!(
            !error.contains(&format!("the issuer {name:?}")),
            "{name}: {error}"
        );
    }
    assert_eq!((good.requests(), other.requests()), (3, 2));

    down.answer(KEYS, Answer::keys(&[&key()]));
    let token = |name: &str| json!({ "sub": "ada", "exp": seconds_from_now(3600), "iss": name });
    assert_eq!(
        outcome(&verifier, &key().token_with_claims(&token(&good_name))).await,
        "accepted"
    );
    assert_eq!(good.requests(), 3);
    assert_eq!(down.requests(), 2, "the others are not asked again");
}

/// A readiness check must not fail, or wait, as long as tokens can be verified.
#[tokio::test]
async fn an_old_set_is_enough_while_the_issuer_is_down() {
    let issuer = Issuer::with_keys(&[&key()]).await;
    let verifier = issuer.verifier().build().unwrap();
    verifier.warm_up().await.unwrap();
    issuer.answer(KEYS, Answer::new(500, "down"));

    advance_time(Duration::from_hours(23)).await;
    for _ in 0..5 {
        verifier.warm_up().await.unwrap();
    }
    advance_time(Duration::from_hours(1)).await;
    let error = verifier.warm_up().await.unwrap_err().to_string();
    assert!(error.contains("500"), "{error}");
}

struct Source;

impl KeySource for Source {
    async fn keys(&self, _: KeyRequest<'_>) -> Result<std::sync::Arc<KeySet>, AuthError> {
        panic!("there is no token to choose keys for")
    }
}

#[test]
fn other_keys_have_nothing_to_fetch() {
    for builder in [
        Verifier::builder().secret(SECRET),
        Verifier::builder().keys(Source).algorithm("RS256"),
        Verifier::builder().issuers([Named::new("a").secret(SECRET)]),
    ] {
        let verifier = builder.build().unwrap();
        assert!(verifier.warm_up().now_or_never().unwrap().is_ok());
    }
}

#[test]
fn without_a_runtime_it_is_an_error_and_no_panic() {
    let verifier = Verifier::builder()
        .jwks_url("https://issuer.example/keys")
        .algorithm("EdDSA")
        .build()
        .unwrap();
    let error = verifier.warm_up().now_or_never().unwrap().unwrap_err();
    assert!(error.to_string().contains("Tokio runtime"), "{error}");
}

#[tokio::test]
async fn the_document_of_discovery_counts_too() {
    let (issuer, name) = discoverable().await;
    issuer.answer(DISCOVERY, Answer::new(404, ""));

    let verifier = Verifier::builder()
        .oidc_issuer(&name)
        .algorithm("EdDSA")
        .build()
        .unwrap();
    let error = verifier.warm_up().await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("{name}{DISCOVERY}")) && error.contains("404"),
        "{error}"
    );
}
