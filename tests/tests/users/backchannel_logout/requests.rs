//! HTTP requests that are not those of an issuer, and what the answer and the log say.

use std::time::Duration;

use reqwest::{Body, Method};
use serde_json::json;
use socketioxide_jwt_auth_tests::{Log, issuer::advance_time, within};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{Endpoint, ask, claims, claims_with, log_in, logout_token, refused};

#[tokio::test]
async fn only_post_is_allowed() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    for method in ["GET", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"] {
        let token = logout_token(&claims());
        let request = endpoint
            .client
            .request(
                Method::from_bytes(method.as_bytes()).unwrap(),
                &endpoint.url,
            )
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("logout_token={token}"));
        let response = request.try_clone().unwrap().send().await.unwrap();
        assert_eq!(response.headers()["allow"], "POST", "{method}");
        assert_eq!(ask(request).await.status, 405, "{method}");
        assert_eq!(endpoint.send(&token).await, 200, "it was not used");
    }

    let token = logout_token(&claims());
    let url = format!("{}?logout_token={token}", endpoint.url);
    assert_eq!(ask(endpoint.client.get(url)).await.status, 405);
}

#[tokio::test]
async fn a_body_that_is_not_a_form_with_one_token_is_refused() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let form = "application/x-www-form-urlencoded";
    let token = || logout_token(&claims());
    for (content_type, body) in [
        (
            "application/json",
            json!({ "logout_token": token() }).to_string(),
        ),
        ("application/jwt", token()),
        ("text/plain", format!("logout_token={}", token())),
        (
            "multipart/form-data; boundary=a",
            format!("logout_token={}", token()),
        ),
        ("", format!("logout_token={}", token())),
        (form, token()),
        (form, String::new()),
        (form, "logout_token".to_owned()),
        (form, "logout_token=".to_owned()),
        (form, format!("token={}", token())),
        (form, format!("LOGOUT_TOKEN={}", token())),
        (form, format!("logout_token[]={}", token())),
        (form, format!("logout_token={0}&logout_token={0}", token())),
        (form, format!("logout_token={}&logout%5ftoken=", token())),
    ] {
        let request = endpoint
            .client
            .post(&endpoint.url)
            .header("content-type", content_type)
            .body(body.clone());
        assert_eq!(ask(request).await, refused(), "{content_type} {body}");
    }

    let request = endpoint
        .client
        .post(&endpoint.url)
        .body(format!("logout_token={}", token()));
    assert_eq!(ask(request).await, refused(), "no content type");
    let request = endpoint
        .client
        .post(format!("{}?logout_token={}", endpoint.url, token()))
        .header("content-type", form);
    assert_eq!(ask(request).await, refused(), "in the query");
    let request = endpoint
        .request("x")
        .body(format!("a=1&logout_token={}&b", token()));
    assert_eq!(
        ask(request).await.status,
        200,
        "other parameters are ignored"
    );
}

#[tokio::test]
async fn the_body_has_a_limit() {
    let limit = 900;
    let endpoint = Endpoint::start(log_in::builder().max_token_bytes(limit)).await;
    let body = |length: usize| {
        let form = format!("logout_token={}&a=", logout_token(&claims()));
        form.clone() + &"x".repeat(length - form.len())
    };
    let request = |body: Body| endpoint.request("").body(body);
    let longest = limit + 1024;
    assert_eq!(ask(request(body(longest).into())).await.status, 200);
    assert_eq!(ask(request(body(longest + 1).into())).await.status, 413);

    // Without a length in its header.
    let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
    let head = "POST /logout HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\n";
    let chunk = format!("400\r\n{}\r\n", "x".repeat(1024));
    stream
        .write_all((head.to_owned() + &chunk.repeat(20)).as_bytes())
        .await
        .unwrap();
    let mut status = [0; 12];
    within("an answer", stream.read_exact(&mut status))
        .await
        .unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");

    // A token may be too long while its body is not.
    let long = claims_with(json!({ "a": "x".repeat(limit) }));
    assert_eq!(ask(endpoint.request(&logout_token(&long))).await, refused());
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_not_waited_for() {
    let endpoint = Endpoint::start(log_in::builder()).await;
    let mut stream = TcpStream::connect(endpoint.address).await.unwrap();
    let head = "POST /logout HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\
                content-type: application/x-www-form-urlencoded\r\n\r\nlogout";
    stream.write_all(head.as_bytes()).await.unwrap();

    let mut status = [0; 12];
    let read = stream.read_exact(&mut status);
    tokio::pin!(read);
    // The time limit begins when the server has read the head.
    let mut rounds = 0..500;
    while timeout(Duration::from_millis(20), &mut read).await.is_err() {
        assert!(rounds.next().is_some(), "no answer");
        advance_time(Duration::from_secs(10)).await;
    }
    assert_eq!(&status, b"HTTP/1.1 408");
}

#[tokio::test]
async fn the_log_says_why_and_shows_no_token() {
    let log = Log::capture();
    let endpoint = Endpoint::start(log_in::builder()).await;
    let mut tokens = Vec::new();
    for (changes, code, detail) in [
        (
            json!({ "aud": "other" }),
            "token_audience_invalid",
            r#"`aud` is \"other\", and `audience` is \"web\""#,
        ),
        (
            json!({ "iss": "other" }),
            "token_issuer_invalid",
            r#"`iss` is \"other\""#,
        ),
        (
            json!({ "jti": null }),
            "token_claim_missing",
            r#"the token has no \"jti\", which a logout token must have"#,
        ),
        (
            json!({ "nonce": "a" }),
            "token_claims_invalid",
            "a logout token must not have a `nonce`",
        ),
        (
            json!({ "sub": null, "sid": null }),
            "token_claims_invalid",
            "neither `sub` nor `sid`",
        ),
        (
            json!({ "events": {} }),
            "token_claims_invalid",
            "`events` has no member",
        ),
        (
            json!({ "events": [] }),
            "token_claims_invalid",
            "`events` is a list, and must be an object",
        ),
        (
            json!({ "sub": "" }),
            "token_claims_invalid",
            "`sub` is empty",
        ),
        (
            json!({ "sid": 1 }),
            "token_claims_invalid",
            "`sid` is a number, and must be a string",
        ),
        (
            json!({ "iat": 1 }),
            "token_claims_invalid",
            "and a logout token may be 300 seconds old",
        ),
    ] {
        let token = logout_token(&claims_with(changes.clone()));
        assert_eq!(ask(endpoint.request(&token)).await, refused());
        let lines = log.lines_with("back-channel logout refused");
        let line = lines.last().unwrap();
        assert!(
            line.contains("INFO") && line.contains(&format!("code=\"{code}\"")),
            "{line}"
        );
        assert!(line.contains(detail), "{changes}: {line}");
        tokens.push(token);
    }

    let token = logout_token(&claims_with(
        json!({ "sub": "a-personal-name", "sid": null }),
    ));
    assert_eq!(endpoint.send(&token).await, 200);
    let lines = log.lines_with("logged out by the issuer");
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].contains(r#"issuer="\"https://issuer.example\"" by="sub""#),
        "{}",
        lines[0]
    );
    tokens.push(token);
    let own = log.lines_with("").join("\n");
    assert!(!own.contains("a-personal-name"));
    for token in tokens {
        assert!(token.split('.').all(|segment| !own.contains(segment)));
    }
}
