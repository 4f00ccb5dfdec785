//! What a request is refused with, and what the log says about it.

use std::time::Duration;

use serde_json::json;
use socketioxide_jwt_auth::{Issuer, JwtAuthBuilder, testing::TestIssuer};
use socketioxide_jwt_auth_tests::{Log, recorder};

use super::{Answer, REQUIRED, Routes, account, answer, builder, code};

async fn start(middleware: JwtAuthBuilder<account>) -> Routes {
    Routes::start(middleware, recorder().0).await
}

#[tokio::test]
async fn a_bad_token_is_refused_with_its_code() {
    let issuer = TestIssuer::new();
    let middleware = builder(&issuer)
        .issuer("https://login.example.com")
        .audience("chat")
        .required_claims(["exp", "sub", "jti"])
        .max_token_bytes(600);
    let routes = start(middleware).await;
    let token = || {
        let token = issuer.token("ada").claim("jti", "1");
        token.issuer("https://login.example.com").audience("chat")
    };

    for (token, refused) in [
        (token().sign(), "good"),
        ("a.b".to_owned(), "token_malformed"),
        (
            token().claim("x", "x".repeat(600)).sign(),
            "token_too_large",
        ),
        (token().forged().sign(), "token_signature_invalid"),
        (token().unsigned().sign(), "token_algorithm_not_allowed"),
        (token().expired().sign(), "token_expired"),
        (token().claim("nbf", u32::MAX).sign(), "token_not_yet_valid"),
        (
            token().issuer("https://evil.example.com").sign(),
            "token_issuer_invalid",
        ),
        (token().audience("other").sign(), "token_audience_invalid"),
        (token().without_claim("jti").sign(), "token_claim_missing"),
        (token().claim("sub", ["ada"]).sign(), "token_claims_invalid"),
    ] {
        for path in REQUIRED {
            let answer = answer(routes.get(path).bearer_auth(&token)).await;
            assert_eq!(answer.code(), refused);
            if refused != "good" {
                assert_eq!(answer.status, 401);
                let challenge =
                    format!("Bearer error=\"invalid_token\", error_description=\"{refused}\"");
                assert_eq!(answer.challenge, Some(challenge));
            }
        }
    }
}

#[tokio::test]
async fn the_issuer_of_a_token_chooses_the_keys() {
    let (first, second) = (TestIssuer::new(), TestIssuer::new());
    let (a, b) = ("https://a.example.com", "https://b.example.com");
    let issuers = [
        Issuer::new(a).jwks(first.jwks()).algorithms(["HS256"]),
        Issuer::new(b).jwks(second.jwks()).algorithms(["HS256"]),
    ];
    let routes = start(account::builder().issuers(issuers)).await;

    for (issuer, name, expected) in [
        (&first, a, "good"),
        (&second, b, "good"),
        (&first, b, "token_signature_invalid"),
        (&first, "https://c.example.com", "token_issuer_invalid"),
    ] {
        let token = issuer.token("ada").issuer(name).sign();
        assert_eq!(code(routes.get("/user").bearer_auth(token)).await, expected);
    }
}

#[tokio::test]
async fn what_the_lookup_says_becomes_the_response() {
    let issuer = TestIssuer::new();
    let middleware = builder(&issuer).lookup_timeout(Duration::from_millis(50));
    let routes = start(middleware).await;
    let response = async |subject: &str| {
        let token = issuer.token(subject).sign();
        answer(routes.get("/user").bearer_auth(token)).await
    };

    let body = json!({"code": "denied", "message": "Your account is suspended.", "action": "none"});
    let denied = response("suspended").await;
    assert_eq!(denied.status, 403);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&denied.body).unwrap(),
        body
    );

    for (subject, status, code) in [
        ("nobody", 401, "user_not_found"),
        ("broken", 500, "internal_error"),
        ("panic", 500, "internal_error"),
        ("slow", 503, "lookup_timeout"),
    ] {
        let answer = response(subject).await;
        assert_eq!((answer.status, &*answer.code()), (status, code));
        for secret in ["password", "secret", "panic", "lookup_"] {
            let rest = answer.body.replace(code, "");
            assert!(!rest.contains(secret), "{}", answer.body);
        }
    }
    // The server goes on.
    assert_eq!(response("ada").await.body, "Ada");
}

#[tokio::test]
async fn a_policy_refuses_with_forbidden() {
    let issuer = TestIssuer::new();
    let routes = start(builder(&issuer)).await;
    let get = |subject: &str| {
        routes
            .get("/admin")
            .bearer_auth(issuer.token(subject).sign())
    };

    assert_eq!(answer(get("ada")).await.body, "Ada");
    let Answer {
        status, challenge, ..
    } = answer(get("grace")).await;
    assert_eq!(status, 403);
    assert_eq!(
        challenge.as_deref(),
        Some("Bearer error=\"insufficient_scope\"")
    );
}

#[tokio::test]
async fn the_log_says_why_and_holds_neither_token_nor_path_of_the_token() {
    let issuer = TestIssuer::new();
    let routes = start(builder(&issuer)).await;
    let log = Log::capture();

    let broken = issuer.token("broken").sign();
    code(routes.get("/user?a=b").bearer_auth(&broken)).await;
    let lines = log.lines_with("request refused");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "ERROR",
        "path=\"/user\"",
        "code=\"internal_error\"",
        "cause=\"the password of the database is wrong\"",
    ] {
        assert!(lines[0].contains(part), "{part}: {lines:?}");
    }

    let other = issuer.token("ada").audience("other").sign();
    code(routes.get(&format!("/claims?auth_token={other}"))).await;
    let expired = issuer.token("ada").expired().sign();
    code(routes.get("/user").bearer_auth(&expired)).await;
    code(routes.get("/user")).await;
    let lines = log.lines_with("request refused");
    let levels = ["ERROR", "INFO", "DEBUG", "INFO"];
    assert_eq!(lines.len(), levels.len(), "{lines:?}");
    for (line, level) in lines.iter().zip(levels) {
        assert!(line.contains(level), "{lines:?}");
    }
    assert!(lines[1].contains("no audience is configured"), "{lines:?}");
    assert!(lines[3].contains("no token in bearer"), "{lines:?}");

    let text = lines.concat();
    assert!(!text.contains("eyJ"), "{text}");
}
