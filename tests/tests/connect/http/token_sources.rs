//! Where the token of a request may be, and from which page it may come.

use reqwest::RequestBuilder;
use socketioxide_jwt_auth::{JwtAuthBuilder, TokenSource, testing::TestIssuer};
use socketioxide_jwt_auth_tests::{Log, recorder};

use super::{OPTIONAL, REQUIRED, Routes, account, answer, builder, code};

const PAGE: &str = "https://app.example.com";

async fn start(middleware: JwtAuthBuilder<account>) -> Routes {
    Routes::start(middleware, recorder().0).await
}

#[tokio::test]
async fn the_default_sources_are_those_of_a_handshake() {
    let issuer = TestIssuer::new();
    let routes = start(builder(&issuer)).await;
    let token = issuer.token("ada").sign();

    for path in [REQUIRED, OPTIONAL].concat() {
        let get = || routes.get(path);
        let name = if path.contains("claims") {
            "ada"
        } else {
            "Ada"
        };
        for request in [
            get().bearer_auth(&token),
            get().header("authorization", format!("bearer  {token}")),
            get().header("x-auth-token", &token),
            routes.get(&format!("{path}?auth_token={token}")),
        ] {
            let answer = answer(request).await;
            assert_eq!((answer.status, &*answer.body), (200, name), "{path}");
        }
    }
}

#[tokio::test]
async fn a_query_counts_only_if_it_is_configured() {
    let issuer = TestIssuer::new();
    let sources = [TokenSource::bearer(), TokenSource::query("key")];
    let with = start(builder(&issuer).token(sources.clone())).await;
    let without = start(builder(&issuer).token(sources[..1].to_vec())).await;
    let path = format!("/user?key={}", issuer.token("ada").sign());

    assert_eq!(code(with.get(&path)).await, "good");
    assert_eq!(code(without.get(&path)).await, "token_missing");
}

#[tokio::test]
async fn headers_and_schemes_of_the_configuration_are_sources() {
    let issuer = TestIssuer::new();
    let sources = [
        TokenSource::auth("token"),
        TokenSource::authorization("JWT"),
        TokenSource::header("X-Key"),
    ];
    let routes = start(builder(&issuer).token(sources)).await;
    let token = issuer.token("ada").sign();

    let get = || routes.get("/user");
    assert_eq!(
        code(get().header("authorization", format!("JWT {token}"))).await,
        "good"
    );
    assert_eq!(code(get().header("x-key", &token)).await, "good");
    assert_eq!(
        code(get().header("x-auth-token", &token)).await,
        "token_missing"
    );
    assert_eq!(code(get().bearer_auth(&token)).await, "token_malformed");
}

#[tokio::test]
async fn a_body_is_not_a_source() {
    let issuer = TestIssuer::new();
    let routes = start(builder(&issuer).token([TokenSource::auth("token")])).await;
    let token = issuer.token("ada").sign();
    let log = Log::capture();
    let body = serde_json::json!({ "token": token, "auth": { "token": token } });
    let request = routes.get("/user").body(body.to_string());
    assert_eq!(code(request.bearer_auth(&token)).await, "token_missing");
    let refusals = log.lines_with("request refused");
    assert!(refusals[0].contains("add `bearer`"), "{refusals:?}");
}

#[tokio::test]
async fn the_first_source_that_is_present_decides() {
    let issuer = TestIssuer::new();
    let routes = start(builder(&issuer)).await;
    let (good, forged) = (
        issuer.token("ada").sign(),
        issuer.token("ada").forged().sign(),
    );

    let both = |bearer: &str, header: &str| {
        routes
            .get("/maybe-user")
            .bearer_auth(bearer)
            .header("x-auth-token", header)
    };
    assert_eq!(code(both(&good, &forged)).await, "good");
    assert_eq!(code(both(&forged, &good)).await, "token_signature_invalid");
    let twice = routes
        .get("/maybe-user")
        .bearer_auth(&good)
        .bearer_auth(&good);
    assert_eq!(code(twice).await, "token_malformed");
}

fn with_cookie(routes: &Routes, token: &str) -> RequestBuilder {
    routes
        .get("/user")
        .header("cookie", format!("lang=en; session={token}"))
}

#[tokio::test]
async fn a_cookie_counts_only_for_a_known_page() {
    let issuer = TestIssuer::new();
    let sources = [TokenSource::bearer(), TokenSource::cookie("session")];
    let middleware = builder(&issuer).token(sources).allowed_origins([PAGE]);
    let routes = start(middleware).await;
    let token = issuer.token("ada").sign();
    let cookie = || with_cookie(&routes, &token);

    assert_eq!(code(cookie().header("origin", PAGE)).await, "good");
    assert_eq!(
        code(cookie().header("sec-fetch-site", "same-origin")).await,
        "good"
    );

    let refused = answer(cookie()).await;
    assert_eq!(
        (refused.status, &*refused.code()),
        (403, "origin_not_allowed")
    );
    assert_eq!(refused.challenge, None);
    for site in [
        "none",
        "same-site",
        "cross-site",
        "same-origin, same-origin",
    ] {
        assert_eq!(
            code(cookie().header("sec-fetch-site", site)).await,
            "origin_not_allowed"
        );
    }
    for origin in ["https://evil.example.com", "null", "http://app.example.com"] {
        // `Sec-Fetch-Site` is for a missing `Origin` only.
        let request = cookie().header("sec-fetch-site", "same-origin");
        assert_eq!(
            code(request.header("origin", origin)).await,
            "origin_not_allowed"
        );
    }
}

/// Browsers send no `Origin` with a GET or HEAD of the same origin, and one with all other methods.
/// The rule is the same for all of them, so that a handler for any method is safe.
#[tokio::test]
async fn a_cookie_of_another_page_is_refused_with_every_method() {
    let issuer = TestIssuer::new();
    let middleware = builder(&issuer)
        .token([TokenSource::cookie("session")])
        .allowed_origins([PAGE]);
    let routes = start(middleware).await;
    let cookie = format!("session={}", issuer.token("ada").sign());

    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        for (header, value, status) in [
            ("origin", PAGE, 200),
            ("sec-fetch-site", "same-origin", 200),
            ("origin", "https://evil.example.com", 403),
            ("origin", "null", 403),
            ("sec-fetch-site", "same-site", 403),
            ("sec-fetch-site", "cross-site", 403),
            ("sec-fetch-site", "none", 403),
            ("accept", "*/*", 403),
        ] {
            let request = routes
                .request(method, "/user")
                .header("cookie", &cookie)
                .header(header, value);
            let answer = answer(request).await;
            assert_eq!(answer.status, status, "{method} with {header}: {value}");
        }
    }
}

#[tokio::test]
async fn a_page_that_is_not_allowed_is_refused_with_any_token_and_without() {
    let issuer = TestIssuer::new();
    let routes = start(builder(&issuer).allowed_origins([PAGE])).await;
    let token = issuer.token("ada").sign();

    for path in [REQUIRED, OPTIONAL].concat() {
        let get = || {
            routes
                .get(path)
                .header("origin", "https://evil.example.com")
        };
        assert_eq!(code(get()).await, "origin_not_allowed");
        assert_eq!(code(get().bearer_auth(&token)).await, "origin_not_allowed");
        // Without `Origin` a bearer token is enough: most such clients are not browsers.
        assert_eq!(code(routes.get(path).bearer_auth(&token)).await, "good");
    }
}
