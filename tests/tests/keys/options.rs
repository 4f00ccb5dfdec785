//! The options that decide which claims are accepted, from the attribute to the socket.

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{JwtAuth, LookupOn, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, OTHER_SECRET, Received, SECRET, Server, User, answer, find_user, mint,
    outcome_of_child, ready, refused_ack, renew, renewed_until, report, seconds_from_now,
    signed_with_secret,
};

const ADMITTED: &str = "admitted";

fn claims(others: Value) -> Value {
    let mut claims = json!({ "sub": "ada", "exp": seconds_from_now(3600) });
    claims
        .as_object_mut()
        .unwrap()
        .extend(others.as_object().unwrap().clone());
    claims
}

async fn outcome<L>(middleware: &JwtAuth<L>, token: &str) -> String
where
    L: LookupOn<socketioxide::adapter::LocalAdapter>,
{
    let server = Server::start().await;
    server.io.ns("/", (async || ()).with(middleware.clone()));
    match server.client_with_token(token).await.next().await {
        Received::Connected => ADMITTED.to_owned(),
        Received::Refused(message) => message,
        other => panic!("{other:?}"),
    }
}

#[jwt_auth(
    secret = SECRET,
    claim_values(
        token_use = "access",
        azp = ["web", "ios"],
        "https://example.com/role" = "admin",
        email_verified = true,
    ),
)]
async fn valued(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn only_a_token_with_the_values_of_claim_values_connects() {
    let middleware = valued::middleware().unwrap();
    let good = json!({
        "token_use": "access",
        "azp": "ios",
        "https://example.com/role": ["user", "admin"],
        "email_verified": true,
    });
    let with = |name: &str, value: Value| {
        let mut claims = claims(good.clone());
        claims[name] = value;
        claims
    };

    for (claims, expected) in [
        (claims(good.clone()), ADMITTED),
        (with("email_verified", json!("true")), ADMITTED),
        (with("token_use", json!("refresh")), "token_claims_invalid"),
        (with("azp", json!("android")), "token_claims_invalid"),
        (with("azp", Value::Null), "token_claims_invalid"),
        (
            with("https://example.com/role", json!(["user"])),
            "token_claims_invalid",
        ),
        (with("email_verified", json!(false)), "token_claims_invalid"),
        (claims(json!({})), "token_claims_invalid"),
    ] {
        let token = mint(&claims, SECRET);
        assert_eq!(outcome(&middleware, &token).await, expected, "{claims}");
    }
}

#[jwt_auth(secret = SECRET, token_type = "at+jwt")]
async fn typed(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn only_a_token_of_the_token_type_connects() {
    let middleware = typed::middleware().unwrap();
    for (header, expected) in [
        (json!({ "alg": "HS256", "typ": "at+jwt" }), ADMITTED),
        (
            json!({ "alg": "HS256", "typ": "application/AT+JWT" }),
            ADMITTED,
        ),
        (
            json!({ "alg": "HS256", "typ": "JWT" }),
            "token_claims_invalid",
        ),
        (
            json!({ "alg": "HS256", "typ": "logout+jwt" }),
            "token_claims_invalid",
        ),
        (json!({ "alg": "HS256" }), "token_claims_invalid"),
    ] {
        let token = signed_with_secret(&header, &claims(json!({})), SECRET);
        assert_eq!(outcome(&middleware, &token).await, expected, "{header}");
    }
}

#[derive(Deserialize)]
struct NumberedClaims {
    sub: Value,
}

/// The user is the same whether its number is written as a number or as a string.
#[jwt_auth(secret = SECRET, numeric_subject = true, authenticate_event = "authenticate")]
async fn numbered(claims: NumberedClaims) -> Option<User> {
    (claims.sub != json!("nobody")).then(|| find_user("ada"))?
}

#[tokio::test]
async fn a_session_of_an_integer_subject_is_renewed_by_the_same_subject_only() {
    let server = Server::start().await;
    server
        .io
        .ns("/", answer.with(numbered::middleware().unwrap()));
    let token = |sub: Value| mint(&claims(json!({ "sub": sub })), SECRET);
    let mut raw = ready(&server, "/", Some(&token(json!(5)))).await;

    for same in [json!(5), json!("5")] {
        renewed_until(&renew(&mut raw, &token(same)).await);
    }
    for other in [json!(6), json!(50), json!("05"), json!("5.0"), json!("")] {
        assert_eq!(
            renew(&mut raw, &token(other.clone())).await,
            refused_ack("subject_mismatch"),
            "{other}"
        );
    }
    for invalid in [json!(5.0), json!(-5), json!(null), json!(true)] {
        assert_eq!(
            renew(&mut raw, &token(invalid.clone())).await,
            refused_ack("token_claims_invalid"),
            "{invalid}"
        );
    }
}

#[tokio::test]
async fn an_integer_subject_is_refused_by_default() {
    let strict = numbered::builder().numeric_subject(false).build().unwrap();
    let token = mint(&claims(json!({ "sub": 5 })), SECRET);
    assert_eq!(outcome(&strict, &token).await, "token_claims_invalid");
}

#[jwt_auth(secret = SECRET, required_claims = [], expiry_warning = "1s")]
async fn undated(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn a_token_without_exp_connects_if_no_claim_is_required() {
    let middleware = undated::middleware().unwrap();
    let token = mint(&json!({ "sub": "ada" }), SECRET);
    assert_eq!(outcome(&middleware, &token).await, ADMITTED);

    // An `exp` that is there still counts.
    let expired = mint(&json!({ "sub": "ada", "exp": 1 }), SECRET);
    assert_eq!(outcome(&middleware, &expired).await, "token_expired");
}

#[jwt_auth(keys_at_runtime, algorithm = "HS256")]
async fn keyless(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn the_builder_gets_the_keys_of_an_attribute_without_them() {
    let middleware = keyless::builder().secret(SECRET).build().unwrap();
    let claims = claims(json!({}));
    assert_eq!(outcome(&middleware, &mint(&claims, SECRET)).await, ADMITTED);
    assert_eq!(
        outcome(&middleware, &mint(&claims, OTHER_SECRET)).await,
        "token_signature_invalid"
    );

    let mistake = keyless::middleware().unwrap_err().to_string();
    assert!(
        mistake.starts_with("no key to verify tokens with"),
        "{mistake}"
    );
}

#[jwt_auth(
    secret = SECRET,
    issuer_env = "SJA_ISSUERS",
    audience_env = "SJA_AUDIENCES",
    allowed_origins_env = "SJA_ORIGINS",
)]
async fn from_environment(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
#[ignore = "the test below runs it, in a process with its environment"]
async fn the_child_connects() {
    let server = Server::start().await;
    server.io.ns(
        "/",
        (async || ()).with(from_environment::middleware().unwrap()),
    );

    let mut outcomes = Vec::new();
    for (issuer, audience, origin) in [
        ("https://a.example", "chat", "https://app.example.com"),
        ("https://b.example", "mail", "http://localhost:3000"),
        ("https://c.example", "chat", "https://app.example.com"),
        ("https://a.example", "bank", "https://app.example.com"),
        ("https://a.example", "chat", "https://evil.example"),
    ] {
        let token = mint(&claims(json!({ "iss": issuer, "aud": audience })), SECRET);
        let client = server.client().header("Origin", origin).token(&token);
        outcomes.push(match client.connect().await.next().await {
            Received::Connected => ADMITTED.to_owned(),
            Received::Refused(message) => message,
            other => panic!("{other:?}"),
        });
    }
    report(outcomes.join(" "));
}

#[test]
fn issuers_audiences_and_origins_come_from_the_environment() {
    let outcome = outcome_of_child("options::the_child_connects", |child| {
        child.envs([
            ("SJA_ISSUERS", "https://a.example, https://b.example"),
            ("SJA_AUDIENCES", " chat,mail "),
            (
                "SJA_ORIGINS",
                "https://app.example.com,http://localhost:3000",
            ),
        ]);
    });
    assert_eq!(
        outcome,
        "admitted admitted token_issuer_invalid token_audience_invalid origin_not_allowed"
    );
}
