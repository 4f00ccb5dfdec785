//! What a request is refused with, and what the log says about it.

use std::time::Duration;

use axum::{Router, extract::FromRef, routing::get};
use serde_json::json;
use socketioxide_jwt_auth::{
    AuthError, Issuer, JwtAuth, JwtAuthBuilder, Policy, Revocations,
    axum::{HttpClaims, HttpUser},
    jwt_auth,
    testing::TestIssuer,
};
use socketioxide_jwt_auth_tests::{Log, Recorder, SECRET, User, now, recorder, token_valid_for};
use tokio::task::yield_now;

use super::{Answer, App, REQUIRED, Routes, account, answer, builder, code};

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

#[derive(serde::Deserialize)]
struct Expiring {
    exp: f64,
}

/// A lookup that lasts until the token has expired.
#[jwt_auth(keys_at_runtime, leeway = "0s")]
async fn outlast(claims: Expiring) -> Option<()> {
    while now() <= claims.exp {
        yield_now().await;
    }
    Some(())
}

#[tokio::test]
async fn a_token_that_expires_while_its_lookup_runs_is_refused() {
    async fn route(_: HttpUser<outlast>) {}

    let auth = outlast::builder().secret(SECRET).build().unwrap();
    let routes = Routes::serve(Router::new().route("/", get(route)).with_state(auth)).await;
    let (token, _) = token_valid_for(0.5, "ada");
    let answer = answer(routes.get("/").bearer_auth(token)).await;
    assert_eq!((answer.status, &*answer.code()), (401, "token_expired"));
}

#[derive(Clone)]
struct Broken;

impl FromRef<Broken> for JwtAuth<account> {
    fn from_ref(_: &Broken) -> Self {
        panic!("on purpose")
    }
}

impl FromRef<Broken> for Recorder {
    fn from_ref(_: &Broken) -> Self {
        unreachable!()
    }
}

#[derive(Debug)]
struct Panics;

impl Policy<User> for Panics {
    fn allows(_: &User) -> bool {
        panic!("on purpose")
    }
}

#[tokio::test]
async fn a_panic_of_the_state_of_a_policy_or_of_a_key_refuses() {
    async fn broken(_: Option<HttpUser<account>>) {}
    async fn broken_claims(_: Option<HttpClaims<account>>) {}
    async fn policy(_: HttpUser<account, Panics>) {}
    async fn user(_: HttpUser<account>) {}

    let issuer = TestIssuer::new();
    let token = issuer.token("ada").sign();
    let state = Router::new()
        .route("/user", get(broken))
        .route("/claims", get(broken_claims))
        .with_state(Broken);
    let app = |middleware: JwtAuthBuilder<account>| App {
        auth: middleware.build().unwrap(),
        recorder: recorder().0,
    };
    let policies = Router::new()
        .route("/policy", get(policy))
        .with_state(app(builder(&issuer)));
    let keyed = builder(&issuer)
        .revocations(Revocations::in_memory())
        .user_key(|_: &User| -> String { panic!("on purpose") });
    let keys = Router::new()
        .route("/key", get(user))
        .with_state(app(keyed));

    let routes = Routes::serve(state.merge(policies).merge(keys)).await;
    for path in ["/user", "/claims", "/policy", "/key"] {
        let answer = answer(routes.get(path).bearer_auth(&token)).await;
        assert_eq!(
            (answer.status, &*answer.code()),
            (500, "internal_error"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_error_of_a_handler_is_its_response_and_its_cause_is_logged() {
    async fn fails() -> Result<(), AuthError> {
        Err(AuthError::internal("the disk is full"))
    }
    async fn custom() -> Result<(), AuthError> {
        Err(AuthError::custom("full", "Full.").data(json!({ "limit": 9 })))?
    }

    let router = Router::new()
        .route("/fails", get(fails))
        .route("/custom", get(custom));
    let routes = Routes::serve(router).await;
    let log = Log::capture();
    let failed = answer(routes.get("/fails")).await;
    assert_eq!((failed.status, &*failed.code()), (500, "internal_error"));
    assert!(!failed.body.contains("disk"));
    let lines = log.lines_with("request failed");
    assert!(
        lines[0].contains("ERROR") && lines[0].contains("the disk is full"),
        "{lines:?}"
    );

    let custom = answer(routes.get("/custom")).await;
    assert_eq!(custom.status, 403);
    assert!(
        custom.body.ends_with(r#""data":{"limit":9}}"#),
        "{}",
        custom.body
    );
}
