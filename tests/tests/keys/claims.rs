//! The registered claims (RFC 7519 §4.1), checked at a connection.

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{JwtAuth, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Received, SECRET, Server, User, authenticate, find_user, mint, seconds_from_now,
};

const ADMITTED: &str = "admitted";

/// Returns the outcome for a client whose token has the claims of `ada`, an `exp` in an hour, and
/// these.
async fn outcome(middleware: &JwtAuth<authenticate>, claims: Value) -> String {
    let mut all = json!({ "sub": "ada", "exp": seconds_from_now(3600) });
    all.as_object_mut()
        .unwrap()
        .extend(claims.as_object().unwrap().clone());
    outcome_of_token(middleware, &mint(&all, SECRET)).await
}

async fn outcome_of_token(middleware: &JwtAuth<authenticate>, token: &str) -> String {
    let server = Server::start().await;
    server.io.ns("/", (async || ()).with(middleware.clone()));
    match server.client_with_token(token).await.next().await {
        Received::Connected => ADMITTED.to_owned(),
        Received::Refused(message) => message,
        other => panic!("{other:?}"),
    }
}

async fn expect(middleware: JwtAuth<authenticate>, cases: impl IntoIterator<Item = (Value, &str)>) {
    for (claims, expected) in cases {
        assert_eq!(
            outcome(&middleware, claims.clone()).await,
            expected,
            "{claims}"
        );
    }
}

fn by_default() -> JwtAuth<authenticate> {
    authenticate::middleware().unwrap()
}

#[tokio::test]
async fn exp_counts_up_to_the_leeway() {
    let cases = [
        (json!({ "exp": seconds_from_now(-30) }), ADMITTED),
        (json!({ "exp": seconds_from_now(-90) }), "token_expired"),
        (json!({ "exp": 0 }), "token_expired"),
        (json!({ "exp": 1.5 }), "token_expired"),
        (json!({ "exp": u64::MAX }), ADMITTED),
        (json!({ "exp": 1e300 }), "token_claims_invalid"),
    ];
    expect(by_default(), cases).await;

    let strict = authenticate::builder().leeway("0s").build().unwrap();
    let cases = [
        (json!({ "exp": seconds_from_now(-1) }), "token_expired"),
        (json!({ "exp": seconds_from_now(60) }), ADMITTED),
    ];
    expect(strict, cases).await;
}

#[tokio::test]
async fn nbf_is_always_checked() {
    let cases = [
        (json!({ "nbf": seconds_from_now(-30) }), ADMITTED),
        (json!({ "nbf": seconds_from_now(30) }), ADMITTED),
        (
            json!({ "nbf": seconds_from_now(90) }),
            "token_not_yet_valid",
        ),
    ];
    expect(by_default(), cases).await;
}

#[tokio::test]
async fn exp_is_required_unless_the_application_says_otherwise() {
    let undated = mint(&json!({ "sub": "ada" }), SECRET);
    assert_eq!(
        outcome_of_token(&by_default(), &undated).await,
        "token_claim_missing"
    );

    let relaxed = authenticate::builder()
        .required_claims([""; 0])
        .build()
        .unwrap();
    assert_eq!(outcome_of_token(&relaxed, &undated).await, ADMITTED);

    let expired = json!({ "exp": seconds_from_now(-90) });
    assert_eq!(
        outcome(&relaxed, expired).await,
        "token_expired",
        "not required, but checked"
    );
}

#[tokio::test]
async fn every_required_claim_must_be_there() {
    let middleware = authenticate::builder()
        .required_claims(["exp", "sub", "jti", "role"])
        .build()
        .unwrap();
    let cases = [
        (json!({ "jti": "1", "role": "x" }), ADMITTED),
        (json!({ "jti": "1", "role": null }), ADMITTED),
        (json!({ "jti": "1" }), "token_claim_missing"),
        (json!({ "role": "x" }), "token_claim_missing"),
    ];
    expect(middleware, cases).await;
}

#[tokio::test]
async fn the_issuer_must_be_an_accepted_one() {
    let one = || {
        authenticate::builder()
            .issuer("https://login.example.com")
            .build()
            .unwrap()
    };
    let cases = [
        (json!({ "iss": "https://login.example.com" }), ADMITTED),
        (
            json!({ "iss": "https://login.example.com/" }),
            "token_issuer_invalid",
        ),
        (
            json!({ "iss": "https://evil.example.com" }),
            "token_issuer_invalid",
        ),
        (json!({ "iss": "" }), "token_issuer_invalid"),
        (json!({}), "token_claim_missing"),
        (
            json!({ "iss": ["https://login.example.com"] }),
            "token_claims_invalid",
        ),
    ];
    expect(one(), cases).await;

    let two = authenticate::builder()
        .issuer(["one", "two"])
        .build()
        .unwrap();
    let cases = [
        (json!({ "iss": "one" }), ADMITTED),
        (json!({ "iss": "two" }), ADMITTED),
        (json!({ "iss": "three" }), "token_issuer_invalid"),
    ];
    expect(two, cases).await;
    expect(by_default(), [(json!({ "iss": "any issuer" }), ADMITTED)]).await;
}

#[tokio::test]
async fn the_audience_must_be_this_server() {
    let middleware = authenticate::builder()
        .audience(["chat", "games"])
        .build()
        .unwrap();

    let cases = [
        (json!({ "aud": "chat" }), ADMITTED),
        (json!({ "aud": ["mail", "games"] }), ADMITTED),
        (json!({ "aud": "mail" }), "token_audience_invalid"),
        (json!({ "aud": ["mail"] }), "token_audience_invalid"),
        (json!({ "aud": [] }), "token_audience_invalid"),
        (json!({}), "token_claim_missing"),
        (json!({ "aud": { "chat": true } }), "token_claims_invalid"),
        (json!({ "aud": ["chat", 5] }), "token_claims_invalid"),
    ];
    expect(middleware, cases).await;
}

#[tokio::test]
async fn a_token_with_an_audience_is_refused_if_no_audience_is_configured() {
    let cases = [
        (json!({ "aud": "chat" }), "token_audience_invalid"),
        (json!({ "aud": ["chat"] }), "token_audience_invalid"),
    ];
    expect(by_default(), cases).await;
}

#[tokio::test]
async fn a_registered_claim_of_a_wrong_type_is_refused() {
    let wrong = [
        json!({ "exp": seconds_from_now(3600).to_string() }),
        json!({ "exp": null }),
        json!({ "exp": -1 }),
        json!({ "exp": true }),
        json!({ "nbf": "now" }),
        json!({ "nbf": [] }),
        json!({ "iat": "now" }),
        json!({ "iat": {} }),
        json!({ "iss": 5 }),
        json!({ "iss": null }),
        json!({ "sub": 5 }),
        json!({ "sub": ["ada"] }),
        json!({ "aud": 5 }),
        json!({ "jti": 5 }),
    ];
    expect(
        by_default(),
        wrong.map(|claims| (claims, "token_claims_invalid")),
    )
    .await;
}

#[tokio::test]
async fn an_expired_token_is_reported_before_claims_of_another_shape() {
    let expired = json!({ "exp": seconds_from_now(-3600) });
    assert_eq!(
        outcome_of_token(&by_default(), &mint(&expired, SECRET)).await,
        "token_expired"
    );
    let shapeless = json!({ "exp": seconds_from_now(3600) });
    assert_eq!(
        outcome_of_token(&by_default(), &mint(&shapeless, SECRET)).await,
        "token_claims_invalid"
    );
}

#[derive(Deserialize)]
struct Strict {
    #[serde(rename = "sub")]
    subject: String,
    roles: Vec<String>,
}

#[jwt_auth(secret = SECRET)]
async fn strict(claims: Strict) -> Option<User> {
    claims
        .roles
        .contains(&"chat".to_owned())
        .then(|| find_user(&claims.subject))
        .flatten()
}

#[tokio::test]
async fn claims_of_another_shape_are_refused() {
    let server = Server::start().await;
    server
        .io
        .ns("/", (async || ()).with(strict::middleware().unwrap()));

    let exp = seconds_from_now(3600);
    let shapes = [
        (json!({ "sub": "ada", "exp": exp }), "token_claims_invalid"),
        (
            json!({ "sub": "ada", "exp": exp, "roles": "chat" }),
            "token_claims_invalid",
        ),
        (
            json!({ "sub": "ada", "exp": exp, "roles": [5] }),
            "token_claims_invalid",
        ),
        (
            json!({ "sub": "ada", "exp": exp, "roles": [] }),
            "user_not_found",
        ),
    ];

    for (claims, code) in shapes {
        assert_eq!(
            server
                .client()
                .token(&mint(&claims, SECRET))
                .refusal()
                .await,
            code,
            "{claims}"
        );
    }

    let good =
        json!({ "sub": "ada", "exp": exp, "roles": ["mail", "chat"], "more": { "is": "fine" } });
    server.client().token(&mint(&good, SECRET)).admitted().await;
}

#[jwt_auth(secret = SECRET, issuer = "us", audience = ["chat"], required_claims = ["exp", "sub"], leeway = "10s")]
async fn all_in_the_attribute(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn the_attribute_sets_what_the_builder_sets() {
    let server = Server::start().await;
    server.io.ns(
        "/",
        (async || ()).with(all_in_the_attribute::middleware().unwrap()),
    );

    let claims = |issuer: &str, audience: &str, seconds: i64| {
        let exp = seconds_from_now(seconds);
        mint(
            &json!({ "sub": "ada", "iss": issuer, "aud": audience, "exp": exp }),
            SECRET,
        )
    };
    server
        .client()
        .token(&claims("us", "chat", 3600))
        .admitted()
        .await;
    assert_eq!(
        server
            .client()
            .token(&claims("them", "chat", 3600))
            .refusal()
            .await,
        "token_issuer_invalid"
    );
    assert_eq!(
        server
            .client()
            .token(&claims("us", "mail", 3600))
            .refusal()
            .await,
        "token_audience_invalid"
    );
    assert_eq!(
        server
            .client()
            .token(&claims("us", "chat", -20))
            .refusal()
            .await,
        "token_expired"
    );
}
