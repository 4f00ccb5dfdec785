//! What is logged and what clients receive if an issuer fails.

use jsonwebtoken::Algorithm;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth_tests::{
    Log, Server, authenticate, greet,
    issuer::{Answer, HostileIssuer, Issuer, KEYS, SigningKey, advance_time, outcome},
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
