//! What is logged and what clients receive if an issuer fails.

use jsonwebtoken::Algorithm;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth_tests::{
    Log, Server, authenticate, greet,
    issuer::{Answer, HostileIssuer, Issuer, KEYS, SigningKey, advance_time, key_set, outcome},
};
use std::time::Duration;

const QUERY: &str = "code=the-key-of-the-operator";

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDSA, "a")
}

/// Returns the lines of this crate, and asserts that none contains the query or the password of a
/// URL.
fn lines(log: &Log) -> String {
    let lines = log.lines_with("").join("\n");
    assert!(
        !lines.contains("the-key-of") && !lines.contains("code="),
        "{lines}"
    );
    lines
}

#[tokio::test]
async fn the_log_says_which_issuer_fails_and_why_but_not_the_query() {
    let log = Log::capture();
    let issuer = Issuer::start().await;

    let secretive = format!(
        "http://operator:the-key-of-mine@{}{KEYS}?{QUERY}",
        issuer.address()
    );
    let verifier = || issuer.verifier().jwks_url(&secretive).build().unwrap();

    for (answer, problem) in [
        (Answer::new(404, ""), "404"),
        (Answer::ok("{}"), "not a JWK Set"),
        (
            Answer::redirect(&format!("http://127.0.0.9/?{QUERY}")),
            "302",
        ),
    ] {
        issuer.answer(KEYS, answer);
        assert_eq!(
            outcome(&verifier(), &key().token()).await,
            "keys_unavailable"
        );
        let lines = lines(&log);
        let last = lines.lines().last().unwrap();
        assert!(
            last.contains("ERROR") && last.contains(problem) && last.contains(&issuer.url(KEYS)),
            "{last}"
        );
    }

    let asked = issuer.received_requests();
    assert_eq!(
        asked[0].uri.query(),
        Some(QUERY),
        "the issuer receives the query"
    );
    assert!(
        asked[0].headers.contains_key("authorization"),
        "and the password"
    );
}

#[tokio::test]
async fn the_log_says_why_there_is_no_connection() {
    let log = Log::capture();
    let issuer = Issuer::start().await;
    let verifier = issuer
        .verifier()
        .jwks_url(issuer.url(&format!("{KEYS}?{QUERY}")))
        .build()
        .unwrap();
    issuer.stop().await;
    assert_eq!(outcome(&verifier, &key().token()).await, "keys_unavailable");
    let lines = lines(&log);
    assert!(
        lines.contains("no connection") && lines.contains("Connection refused"),
        "{lines}"
    );

    let hasty = HostileIssuer::start(|stream| async { drop(stream) }).await;
    assert_eq!(
        outcome(&hasty.verifier().build().unwrap(), &key().token()).await,
        "keys_unavailable"
    );
    assert_eq!(
        log.lines_with("connection closed before message completed")
            .len(),
        1,
        "{}",
        log.text()
    );
}

#[tokio::test]
async fn the_log_says_when_an_issuer_is_back() {
    let log = Log::capture();
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key().token()).await, "keys_unavailable");

    issuer.publish(&[&key()]);
    advance_time(Duration::from_secs(1)).await;
    assert_eq!(outcome(&verifier, &key().token()).await, "accepted");

    let back = log.lines_with("is fetched again");
    assert!(
        back.len() == 1 && back[0].contains("INFO") && back[0].contains(&issuer.url(KEYS)),
        "{back:?}"
    );
}

#[tokio::test]
async fn keys_that_are_left_out_are_told_once_for_each_content_of_a_set() {
    let log = Log::capture();
    let issuer = Issuer::start().await;
    let verifier = issuer.verifier().build().unwrap();
    let set = |y: &str, good: &SigningKey| {
        let mut broken = SigningKey::other(Algorithm::ES256, "bro\nken").jwk();
        broken["y"] = y.into();
        issuer.answer(KEYS, Answer::ok(key_set(&[broken, good.jwk()])));
    };
    let (good, new) = (key(), SigningKey::new(Algorithm::ES256, "new"));

    set("AA", &good);
    assert_eq!(outcome(&verifier, &good.token()).await, "accepted");
    let told = log.lines_with("left out");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].contains("WARN")
            && told[0].contains(&issuer.url(KEYS))
            && told[0].contains("key 1")
            && told[0].contains("bro\\")
            && told[0].contains("do not have the length of its curve"),
        "{told:?}"
    );

    // The same set again.
    for _ in 0..3 {
        advance_time(Duration::from_secs(11)).await;
        let stranger = SigningKey::new(Algorithm::ES256, "stranger");
        assert_eq!(
            outcome(&verifier, &stranger.token()).await,
            "token_key_unknown"
        );
    }
    assert!(issuer.requests() > 3, "the set was fetched again");
    assert_eq!(log.lines_with("left out").len(), 1);

    // Another problem.
    set("!", &new);
    advance_time(Duration::from_secs(11)).await;
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    let told = log.lines_with("left out");
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[1].contains("is not base64url"), "{told:?}");

    // A set whose keys are all good tells nothing, and the next broken key is told again.
    issuer.publish(&[&good]);
    advance_time(Duration::from_secs(11)).await;
    assert_eq!(outcome(&verifier, &good.token()).await, "accepted");
    assert_eq!(log.lines_with("left out").len(), 2);
    set("!", &new);
    advance_time(Duration::from_secs(11)).await;
    assert_eq!(outcome(&verifier, &new.token()).await, "accepted");
    assert_eq!(log.lines_with("left out").len(), 3);
}

#[tokio::test]
async fn a_key_that_is_published_twice_is_not_told() {
    let log = Log::capture();
    let issuer = Issuer::with_keys(&[&key(), &key()]).await;
    let verifier = issuer.verifier().build().unwrap();
    assert_eq!(outcome(&verifier, &key().token()).await, "accepted");
    assert_eq!(log.lines_with("left out").len(), 0, "{}", log.text());
}

#[tokio::test]
async fn the_names_of_many_keys_that_are_left_out_do_not_flood_the_log() {
    let log = Log::capture();
    let issuer = Issuer::start().await;
    let mut keys: Vec<_> = (0..99)
        .map(|_| SigningKey::other(Algorithm::EdDSA, &"x".repeat(3000)).jwk())
        .collect();

    for key in &mut keys {
        key["x"] = "AA".into();
    }

    keys.push(key().jwk());
    issuer.answer(KEYS, Answer::ok(key_set(&keys)));
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key().token()).await,
        "accepted"
    );

    let told = log.lines_with("left out");
    assert!(told.len() == 1 && told[0].len() < 2000, "{told:?}");
}

#[tokio::test]
async fn a_long_answer_does_not_flood_the_log() {
    let log = Log::capture();
    let issuer = Issuer::start().await;

    issuer.answer(
        KEYS,
        Answer::ok(format!(
            r#"{{"keys":[{{"kty":"{}"}}]}}"#,
            "x\\n".repeat(100_000)
        )),
    );
    assert_eq!(
        outcome(&issuer.verifier().build().unwrap(), &key().token()).await,
        "keys_unavailable"
    );

    let lines = lines(&log);
    assert!(
        lines.contains("no usable key") && lines.len() < 2000,
        "{} bytes",
        lines.len()
    );
    assert_eq!(
        lines
            .lines()
            .filter(|line| line.contains("no usable key"))
            .count(),
        1
    );
}

#[tokio::test]
async fn a_client_receives_a_code_only() {
    let issuer = Issuer::start().await;
    let server = Server::start().await;
    let middleware = authenticate::builder()
        .jwks_url(issuer.url(KEYS))
        .algorithm("EdDSA")
        .build()
        .unwrap();
    server.io.ns("/", greet.with(middleware));
    assert_eq!(
        server.client().token(&key().token()).refusal().await,
        "keys_unavailable"
    );

    issuer.publish(&[&key()]);
    advance_time(Duration::from_secs(1)).await;
    server.client().token(&key().token()).admitted().await;
    assert_eq!(
        server
            .client()
            .token(&key().token_with_kid(Some("b")))
            .refusal()
            .await,
        "token_key_unknown"
    );
}
