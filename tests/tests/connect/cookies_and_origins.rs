//! Tokens in cookies, which browsers send along, and the pages that may send them.

use serde_json::json;
use socketioxide_jwt_auth::jwt_auth;
use socketioxide_jwt_auth_tests::{Claims, ClientBuilder, Log, SECRET, User, find_user, token};

use crate::token_sources::{serve, server, welcome};

#[jwt_auth(secret = SECRET, token = [cookie("session")], allowed_origins = ["https://app.example.com"])]
async fn in_cookie(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[jwt_auth(secret = SECRET, token = [cookie("t"), bearer], allowed_origins = "https://app.example.com")]
async fn cookie_or_bearer(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
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
