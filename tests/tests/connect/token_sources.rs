//! The places where a token is found.

use serde_json::json;
use socketioxide::{adapter::LocalAdapter, handler::ConnectHandler};
use socketioxide_jwt_auth::{JwtAuthBuilder, LookupOn, TokenSource, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, ClientBuilder, Log, Raw, Received, SECRET, Server, User, authenticate, find_user,
    greet, token,
};

/// Other sources than the defaults, in another order.
#[jwt_auth(secret = SECRET, token = [query("t"), header("x-t"), auth("t"), bearer])]
async fn elsewhere(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, token = [cookie("session")], allowed_origins = ["https://app.example.com"])]
async fn in_cookie(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, token = [cookie("t"), bearer], allowed_origins = "https://app.example.com")]
async fn cookie_or_bearer(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, token = [authorization("JWT"), authorization("Token")])]
async fn with_schemes(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

async fn server() -> Server {
    serve(authenticate::builder()).await
}

async fn serve<L: LookupOn<LocalAdapter>>(builder: JwtAuthBuilder<L>) -> Server {
    let server = Server::start().await;
    server.io.ns("/", greet.with(builder.build().unwrap()));
    server
}

fn welcome(name: &str) -> Received {
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
async fn a_cookie_counts_only_from_an_allowed_origin() {
    let server = serve(in_cookie::builder()).await;
    let cookie = format!("theme=dark; session={}; lang=en", token("ada"));
    let client = || server.client().header("cookie", &cookie);
    client()
        .header("origin", "https://app.example.com")
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
    assert_eq!(
        client()
            .header("origin", "https://evil.example.com")
            .refusal()
            .await,
        "origin_not_allowed"
    );
    assert_eq!(client().refusal().await, "origin_not_allowed");

    let sites = |sites: &[&str]| {
        let add = |client: ClientBuilder, site: &&str| client.header("sec-fetch-site", site);
        sites.iter().fold(client(), add)
    };
    sites(&["same-origin"])
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;

    for other in [
        &["cross-site"][..],
        &["same-site"],
        &["none"],
        &["Same-Origin"],
        &["same-origin", "same-origin"],
        &["same-origin", "cross-site"],
    ] {
        let refusal = sites(other).refusal().await;
        assert_eq!(refusal, "origin_not_allowed", "{other:?}");
    }

    let foreign = sites(&["same-origin"]).header("origin", "https://evil.example.com");
    assert_eq!(foreign.refusal().await, "origin_not_allowed");

    let without_cookie = server.client().header("origin", "https://app.example.com");
    assert_eq!(without_cookie.refusal().await, "token_missing");
}

#[tokio::test]
async fn polling_from_a_page_of_the_servers_own_origin_needs_no_origin() {
    let server = serve(in_cookie::builder()).await;
    let cookie = format!("session={}", token("ada"));
    let client = || server.client().polling().header("cookie", &cookie);
    assert_eq!(client().refusal().await, "origin_not_allowed");
    client()
        .header("sec-fetch-site", "same-origin")
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
}

/// A cookie is sent by browsers without being asked, other tokens are not.
#[tokio::test]
async fn a_missing_origin_is_refused_for_a_cookie_only() {
    let log = Log::capture();
    let server = serve(cookie_or_bearer::builder()).await;
    let cookie = format!("t={}", token("ada"));
    let bearer = format!("Bearer {}", token("grace"));
    let native = || server.client().header("authorization", &bearer);
    native().admitted().await.expect(welcome("Grace")).await;
    native()
        .header("cookie", "t=; t=null")
        .admitted()
        .await
        .expect(welcome("Grace"))
        .await;

    // The cookie is the first source.
    let refused = native().header("cookie", &cookie).refusal().await;
    assert_eq!(refused, "origin_not_allowed");
    let line = log.lines_with("the token came from a cookie").concat();
    assert!(
        line.contains("INFO") && line.contains("no Origin header"),
        "{line}"
    );
    native()
        .header("cookie", &cookie)
        .header("origin", "https://app.example.com")
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;
}

#[tokio::test]
async fn an_origin_that_is_not_allowed_is_refused_with_any_token() {
    let log = Log::capture();
    let server = serve(cookie_or_bearer::builder()).await;
    let bearer = format!("Bearer {}", token("grace"));
    for origin in ["https://evil.example.com", "null", "", "x"] {
        let client = server
            .client()
            .header("authorization", &bearer)
            .header("origin", origin);
        assert_eq!(client.refusal().await, "origin_not_allowed", "{origin}");
    }
    let twice = server
        .client()
        .header("authorization", &bearer)
        .header("origin", "https://app.example.com")
        .header("origin", "https://app.example.com");
    assert_eq!(twice.refusal().await, "origin_not_allowed");

    let line = log.lines_with("https://evil.example.com").concat();
    assert!(
        line.contains("INFO") && line.contains("allowed are https://app.example.com"),
        "{line}"
    );
    assert_eq!(log.lines_with("there are several Origin headers").len(), 1);
}

/// The rule holds for the event too: its token is never that of the cookie.
#[tokio::test]
async fn a_cookie_does_not_renew_a_session() {
    let server = serve(
        cookie_or_bearer::builder()
            .guest(true)
            .authenticate_event("authenticate"),
    )
    .await;
    let cookie = format!("t={}", token("ada"));
    let mut client = server
        .client()
        .header("cookie", &cookie)
        .header("origin", "https://app.example.com")
        .admitted()
        .await;
    client.expect(welcome("Ada")).await;

    for argument in [json!(null), json!({}), json!({ "t": null })] {
        client.emit_with_ack("authenticate", argument).await;
        let received = format!("{:?}", client.next().await);
        assert!(received.contains("token_missing"), "{received}");
    }
}

#[tokio::test]
async fn a_cookie_is_read_as_servers_write_it() {
    let server = serve(in_cookie::builder()).await;
    let ada = token("ada");
    let client = |cookies: &str| {
        server
            .client()
            .header("cookie", cookies)
            .header("origin", "https://app.example.com")
    };
    for cookies in [
        format!("session=\"{ada}\""),
        format!("session=\"Bearer {ada}\""),
        format!("session=Bearer%20{ada}"),
        format!("session={ada}; theme=dark; session={ada}"),
        format!("session=; session={ada}"),
        format!("session={ada}; session=\"\""),
    ] {
        let mut client = client(&cookies).admitted().await;
        client.expect(welcome("Ada")).await;
    }

    let grace = token("grace");
    for cookies in [
        format!("session={ada}; session={grace}"),
        format!("session={ada}; session={ada}; session=x"),
        format!("session=%22{ada}%22"),
        format!("session=%42earer%20{ada}"),
    ] {
        let refusal = client(&cookies).refusal().await;
        assert_eq!(refusal, "token_malformed", "{cookies}");
    }
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

#[tokio::test]
async fn an_origin_with_an_invalid_port_is_refused() {
    let server = serve(in_cookie::builder()).await;
    let cookie = format!("session={}", token("ada"));
    let client = |origin: &str| {
        server
            .client()
            .header("cookie", &cookie)
            .header("origin", origin)
    };
    client("https://APP.example.com:443")
        .admitted()
        .await
        .expect(welcome("Ada"))
        .await;

    for port in ["65979", "84430", "0443", "0", "+443", ""] {
        let origin = format!("https://app.example.com:{port}");
        assert_eq!(
            client(&origin).refusal().await,
            "origin_not_allowed",
            "{origin}"
        );
    }

    for origin in [
        "https://app.example.com@evil.net",
        "https://app.example.com/",
        "https://app.example.com.",
        "null",
    ] {
        assert_eq!(
            client(origin).refusal().await,
            "origin_not_allowed",
            "{origin}"
        );
    }
}

#[tokio::test]
async fn origins_of_apps_and_ipv6_hosts_can_be_allowed() {
    let server =
        serve(in_cookie::builder().allowed_origins(["capacitor://localhost", "http://[::1]:3000"]))
            .await;
    let cookie = format!("session={}", token("ada"));
    for origin in ["capacitor://localhost", "http://[::1]:3000"] {
        let client = server
            .client()
            .header("cookie", &cookie)
            .header("origin", origin);
        client.admitted().await.expect(welcome("Ada")).await;
    }
}

#[tokio::test]
async fn a_cookie_is_ignored_unless_it_is_a_source() {
    let server = server().await;
    let client = server
        .client()
        .header("cookie", &format!("session={}", token("ada")));
    assert_eq!(client.refusal().await, "token_missing");
}
