//! The places where a token is found.

use serde_json::json;
use socketioxide::{adapter::LocalAdapter, handler::ConnectHandler};
use socketioxide_jwt_auth::{JwtAuthBuilder, LookupOn, TokenSource, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Raw, Received, SECRET, Server, User, authenticate, find_user, greet, token,
};

/// Other sources than the defaults, in another order.
#[jwt_auth(secret = SECRET, token = [query("t"), header("x-t"), auth("t"), bearer])]
async fn elsewhere(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, token = [authorization("JWT"), authorization("Token")])]
async fn with_schemes(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

pub(crate) async fn server() -> Server {
    serve(authenticate::builder()).await
}

pub(crate) async fn serve<L: LookupOn<LocalAdapter>>(builder: JwtAuthBuilder<L>) -> Server {
    let server = Server::start().await;
    server.io.ns("/", greet.with(builder.build().unwrap()));
    server
}

pub(crate) fn welcome(name: &str) -> Received {
    Received::event("welcome", json!({ "name": name, "logged_in": true }))
}

/// Adds the scheme, without which the header holds no bearer token.
fn as_bearer(value: &str) -> String {
    if value.contains(' ') {
        value.to_owned()
    } else {
        format!("Bearer {value}")
    }
}

/// Sends `value` to each of the default sources, one after the other.
async fn expect_from_each_source(value: &str, expected: &Received) {
    let server = server().await;

    let connecting = [
        server.client().auth(json!({ "token": value })),
        server.client().auth(json!({ "auth_token": value })),
        server.client().header("authorization", &as_bearer(value)),
        server.client().header("x-auth-token", value),
        server
            .client()
            .query(&format!("auth_token={}", value.replace(' ', "%20"))),
    ];
    for (source, client) in connecting.into_iter().enumerate() {
        let mut client = client.connect().await;
        let mut received = client.next().await;
        if received == Received::Connected {
            received = client.next().await;
        }
        assert_eq!(received, *expected, "source {source}");
    }
}

#[tokio::test]
async fn every_default_source_is_read() {
    expect_from_each_source(&token("ada"), &welcome("Ada")).await;
}

#[tokio::test]
async fn bearer_is_stripped_in_every_source() {
    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR"] {
        expect_from_each_source(&format!("{scheme} {}", token("ada")), &welcome("Ada")).await;
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_in_every_source() {
    expect_from_each_source("blabla", &Received::refused("token_malformed")).await;
    expect_from_each_source(&token("nobody"), &Received::refused("user_not_found")).await;
}

#[tokio::test]
async fn polling_carries_tokens_in_headers_and_query_too() {
    let server = server().await;
    let (header, query) = (token("ada"), format!("auth_token={}", token("grace")));
    server
        .client()
        .polling()
        .header("x-auth-token", &header)
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
    server
        .client()
        .polling()
        .query(&query)
        .admitted()
        .await
        .expect(welcome("Grace"))
        .await;
}

#[tokio::test]
async fn the_first_source_that_is_present_decides() {
    let server = server().await;
    let grace = token("grace");
    let all = server
        .client()
        .auth(json!({ "token": token("ada"), "auth_token": grace }));
    let all = all
        .header("authorization", &format!("Bearer {grace}"))
        .header("x-auth-token", &grace);
    all.query(&format!("auth_token={grace}"))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;

    let header_and_query = server
        .client()
        .header("x-auth-token", &token("ada"))
        .query(&format!("auth_token={grace}"));
    header_and_query
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
}

#[tokio::test]
async fn a_bad_token_is_refused_even_if_a_later_source_has_a_good_one() {
    let server = server().await;
    let good = token("ada");

    for bad in [
        json!("blabla"),
        json!(5),
        json!(false),
        json!({}),
        json!([]),
    ] {
        let client = server
            .client()
            .auth(json!({ "token": bad, "auth_token": good }))
            .header("x-auth-token", &good);
        assert_eq!(client.refusal().await, "token_malformed", "{bad}");
    }
}

#[tokio::test]
async fn an_empty_source_is_absent() {
    let server = server().await;
    let client = server
        .client()
        .auth(json!({ "token": null, "auth_token": "Bearer " }))
        .header("authorization", "Bearer");
    client
        .header("x-auth-token", &token("ada"))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
}

#[tokio::test]
async fn another_authorization_scheme_is_absent() {
    let server = server().await;
    let client = server
        .client()
        .header("authorization", "Basic YWRhOmh1bnRlcjI=");
    assert_eq!(client.refusal().await, "token_missing");
    let client = server
        .client()
        .header("authorization", "Basic YWRhOmh1bnRlcjI=")
        .header("x-auth-token", &token("ada"));
    client.admitted().await.expect(welcome("Ada")).await;
}

#[tokio::test]
async fn a_token_in_another_place_is_ignored() {
    let server = server().await;
    let good = token("ada");
    let elsewhere = server
        .client()
        .auth(json!({ "t": good, "Token": good, "nested": { "token": good } }));
    let elsewhere = elsewhere
        .query(&format!("token={good}"))
        .header("x-token", &good);
    let elsewhere = elsewhere.header("cookie", &format!("auth_token={good}; token={good}"));
    assert_eq!(elsewhere.refusal().await, "token_missing");
}

#[tokio::test]
async fn two_values_under_one_name_are_ambiguous() {
    let server = server().await;
    let (ada, grace) = (token("ada"), token("grace"));
    let twice = server
        .client()
        .query(&format!("auth_token={ada}&auth_token={grace}"));
    assert_eq!(twice.refusal().await, "token_malformed");

    let mut raw = server.raw().await;
    raw.connect("/", &format!(r#"{{"token":"{ada}","token":"{grace}"}}"#))
        .await;
    raw.expect("/", Received::refused("token_malformed")).await;

    for header in ["authorization", "x-auth-token"] {
        let values = [
            (header, format!("Bearer {ada}")),
            (header, format!("Bearer {grace}")),
        ];
        let mut raw = Raw::open_with(server.address(), "", &values).await;
        raw.connect("/", "").await;
        raw.expect("/", Received::refused("token_malformed")).await;
    }
}

#[tokio::test]
async fn the_sources_can_be_chosen() {
    let server = serve(elsewhere::builder()).await;
    let ada = token("ada");
    server
        .client()
        .query(&format!("t={ada}"))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
    server
        .client()
        .header("X-T", &ada)
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
    server
        .client()
        .auth(json!({ "t": ada }))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
    server
        .client()
        .header("authorization", &format!("Bearer {ada}"))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;

    let defaults = server
        .client()
        .auth(json!({ "token": ada }))
        .header("x-auth-token", &ada);
    assert_eq!(
        defaults.query(&format!("auth_token={ada}")).refusal().await,
        "token_missing"
    );
}

#[tokio::test]
async fn the_chosen_order_decides() {
    let server = serve(elsewhere::builder()).await;
    let client = server
        .client()
        .query(&format!("t={}", token("ada")))
        .auth(json!({ "t": token("grace") }));
    client.admitted().await.expect(welcome("Ada")).await;

    let other_order = elsewhere::builder().token([TokenSource::auth("t"), TokenSource::query("t")]);
    let server = serve(other_order).await;
    let client = server
        .client()
        .query(&format!("t={}", token("ada")))
        .auth(json!({ "t": token("grace") }));
    client.admitted().await.expect(welcome("Grace")).await;
}

#[tokio::test]
async fn a_query_is_decoded() {
    let server = server().await;
    let escaped: String = token("ada")
        .bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect();
    server
        .client()
        .query(&format!("auth_token={escaped}"))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
    server
        .client()
        .query(&format!("auth_token=Bearer+{}", token("ada")))
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
}

#[tokio::test]
async fn another_scheme_can_be_chosen() {
    let server = serve(with_schemes::builder()).await;
    let ada = token("ada");
    for value in ["JWT", "jwt", "Token", "token"] {
        let client = server
            .client()
            .header("authorization", &format!("{value} {ada}"));
        client.admitted().await.expect(welcome("Ada")).await;
    }
    for value in [
        format!("Bearer {ada}"),
        format!("JWT\t{ada}"),
        format!("Basic {ada}"),
        "JWT blabla".to_owned(),
    ] {
        let client = server.client().header("authorization", &value);
        assert_eq!(client.refusal().await, "token_malformed", "{value}");
    }
    for value in ["JWT", "JWT null", "Bearer blabla", "Basic YWRhOmh1bnRlcjI="] {
        let client = server.client().header("authorization", value);
        assert_eq!(client.refusal().await, "token_missing", "{value}");
    }

    let built = with_schemes::builder().token([TokenSource::authorization("JWT")]);
    let server = serve(built).await;
    let client = |scheme: &str| {
        server
            .client()
            .header("authorization", &format!("{scheme} {ada}"))
    };
    client("JWT").admitted().await.expect(welcome("Ada")).await;
    assert_eq!(client("Token").refusal().await, "token_malformed");
}
