//! Any input in the places of a token: it causes no panic, and a client that sent a token never
//! becomes a guest.

use http::request::Parts;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AuthPayload, FirstArgument, RawToken, TokenSource, cookies, find, find_in_event,
    sources_of_event,
};
use crate::error::{AuthError, ErrorCode};

mod headers;
mod hints;
mod payloads;
mod properties;

type Found = Result<Option<String>, AuthError>;

fn request(headers: &[(&str, Vec<u8>)], query: &str) -> Parts {
    let uri = http::Uri::builder()
        .path_and_query(format!("/socket.io/?{query}"))
        .build()
        .unwrap();
    let mut request = http::Request::builder().uri(uri).body(()).unwrap();

    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request
            .headers_mut()
            .append(name, http::HeaderValue::from_bytes(value).unwrap());
    }

    request.into_parts().0
}

/// Looks for a token in the same steps as the middleware.
fn found(source: TokenSource, parts: &Parts, auth: &str) -> Found {
    found_in(&[source], parts, auth)
}

fn found_in(sources: &[TokenSource], parts: &Parts, auth: &str) -> Found {
    let payload =
        serde_json::from_str::<AuthPayload>(auth).map_err(|_| ErrorCode::TokenMalformed)?;
    let found = find(sources, parts, &payload)?;
    Ok(found.map(|found| found.token.into_string()))
}

/// Returns the token of an authenticate event with these arguments.
fn in_arguments(arguments: &Value) -> Found {
    let argument = FirstArgument::deserialize(arguments).map_err(|_| ErrorCode::TokenMalformed)?;
    let sources = sources_of_event(&TokenSource::defaults());
    find_in_event(&sources, &argument).map(|token| token.map(RawToken::into_string))
}

fn in_auth(auth: &Value) -> Found {
    found(
        TokenSource::auth("token"),
        &request(&[], ""),
        &auth.to_string(),
    )
}

fn in_headers(source: TokenSource, name: &str, values: &[&[u8]]) -> Found {
    let headers: Vec<_> = values.iter().map(|value| (name, value.to_vec())).collect();
    found(source, &request(&headers, ""), "null")
}

fn in_authorization(value: impl AsRef<[u8]>) -> Found {
    in_headers(TokenSource::bearer(), "authorization", &[value.as_ref()])
}

fn in_header(value: impl AsRef<[u8]>) -> Found {
    in_headers(
        TokenSource::header("x-auth-token"),
        "x-auth-token",
        &[value.as_ref()],
    )
}

fn in_cookies(value: impl AsRef<[u8]>) -> Found {
    in_headers(TokenSource::cookie("session"), "cookie", &[value.as_ref()])
}

fn in_query(query: &str) -> Found {
    found(TokenSource::query("session"), &request(&[], query), "null")
}

#[track_caller]
fn assert_malformed(found: Found, what: &str) {
    match found {
        Err(error) => assert_eq!(error.code(), "token_malformed", "{what}"),
        Ok(token) => panic!("{what}: found {token:?}"),
    }
}

#[track_caller]
fn assert_absent(found: Found, what: &str) {
    assert_eq!(
        found.unwrap_or_else(|error| panic!("{what}: {error}")),
        None,
        "{what}"
    );
}

/// A token whose signature these tests do not verify.
const TOKEN: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhZGEifQ.AyI_-w";

#[test]
fn bytes_that_are_not_utf8_do_not_hide_a_token() {
    let with = |before: &[u8], after: &[u8]| [before, TOKEN.as_bytes(), after].concat();

    assert_malformed(
        in_authorization(with(b"Bearer\xa0", b"")),
        "a byte for the space",
    );
    assert_malformed(
        in_authorization(with(b"Basic \xff", b"\xff")),
        "bytes around it",
    );

    for found in [
        in_authorization(with(b"Bearer ", b"\xff")),
        in_header(with(b"\xff", b"")),
        in_cookies(with(b"session=", b"\xff")),
    ] {
        assert!(found.unwrap().unwrap().contains('\u{fffd}'));
    }
}

#[test]
fn a_token_without_a_signature_looks_like_one_too() {
    for token in [
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ.",
        "eyJhbGciOiJub25lIn0..",
    ] {
        assert_malformed(in_authorization(format!("Basic {token}")), token);
    }
    assert_absent(
        in_authorization("Basic eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEifQ"),
        "two segments",
    );
}

/// A proxy and this server could choose different tokens from such a request.
#[test]
fn a_value_that_occurs_twice_is_malformed() {
    for cookies in [
        &[b"session=a; session=b".as_slice()][..],
        &[b"session=a", b"session=b"],
        &[b"session=; session=a; session=b"],
        &[b"session=a; session=a; session=b"],
        &[b"session=a; session=A"],
        &[b"session=a; session=%61"],
        &[b"session=a; session=\"a"],
    ] {
        assert_malformed(
            in_headers(TokenSource::cookie("session"), "cookie", cookies),
            "cookies",
        );
    }
    for query in [
        "session=a&session=b",
        "session=&session=a",
        "session&session=a",
        "session=a&s%65ssion=a",
    ] {
        assert_malformed(in_query(query), query);
    }

    assert_malformed(
        found(
            TokenSource::auth("token"),
            &request(&[], ""),
            r#"{"token":"a","token":"a"}"#,
        ),
        "members",
    );
    assert_malformed(
        found(
            TokenSource::auth("token"),
            &request(&[], ""),
            r#"{"token":"","t\u006fken":"a"}"#,
        ),
        "members",
    );
}

/// Names are case-sensitive, except those of headers.
#[test]
fn another_name_is_another_place() {
    assert_absent(
        in_query(&format!(
            "Session={TOKEN}&session[]={TOKEN}&sessions={TOKEN}"
        )),
        "query",
    );
    assert_absent(
        in_cookies(format!("Session={TOKEN}; sessions={TOKEN}; session")),
        "cookies",
    );
    assert_absent(
        in_auth(&json!({ "Token": TOKEN, "tokens": [TOKEN], "nested": { "token": TOKEN } })),
        "payload",
    );

    let mixed = in_headers(
        TokenSource::header("X-Auth-TOKEN"),
        "x-auth-token",
        &[TOKEN.as_bytes()],
    );
    assert_eq!(mixed.unwrap().as_deref(), Some(TOKEN));
}

#[test]
fn the_default_sources_are_those_of_most_clients() {
    let expected = [
        TokenSource::auth("token"),
        TokenSource::auth("auth_token"),
        TokenSource::bearer(),
        TokenSource::header("x-auth-token"),
        TokenSource::query("auth_token"),
    ];
    assert_eq!(TokenSource::defaults(), expected);
}

#[test]
fn a_source_knows_its_kind() {
    let sources = |name: &str| {
        [
            TokenSource::auth(name),
            TokenSource::cookie(name),
            TokenSource::header(name),
            TokenSource::query(name),
            TokenSource::authorization(name),
            TokenSource::bearer(),
        ]
    };

    assert_eq!(
        sources("x").map(|source| source.is_cookie()),
        [false, true, false, false, false, false]
    );
    assert_eq!(sources("x").map(|source| source.check().is_ok()), [true; 6]);
    assert_eq!(
        sources("a b").map(|source| source.check().is_ok()),
        [true, false, false, true, false, true]
    );
    assert_eq!(
        sources("").map(|source| source.check().is_ok()),
        [false, false, false, false, false, true]
    );
    assert_eq!(
        sources("x").map(|source| source.to_string()),
        [
            "auth(\"x\")",
            "cookie(\"x\")",
            "header(\"x\")",
            "query(\"x\")",
            "authorization(\"x\")",
            "bearer"
        ]
    );
}

#[test]
fn a_token_does_not_show_in_debug_output() {
    let token = RawToken::from_text(TOKEN).unwrap();
    assert_eq!(format!("{token:?}"), "RawToken(redacted)");
    assert_eq!(token.as_str(), TOKEN);
    assert_eq!(token.into_string(), TOKEN);
}

/// `null` is what `localStorage.getItem` returns in a browser that is logged out.
#[test]
fn what_javascript_makes_of_no_token_is_absent() {
    for nothing in ["null", "undefined", "Bearer null", "bearer  undefined"] {
        assert_absent(in_auth(&json!({ "token": nothing })), nothing);
        assert_absent(in_header(nothing), nothing);
        assert_absent(in_cookies(format!("session={nothing}")), nothing);
        assert_absent(
            in_query(&format!("session={}", nothing.replace(' ', "+"))),
            nothing,
        );
        assert_absent(in_arguments(&json!([{ "token": nothing }])), nothing);
        assert_absent(in_arguments(&json!([nothing])), nothing);
    }
    assert_absent(in_authorization("Bearer null"), "bearer");
    assert_absent(in_authorization("Bearer undefined"), "bearer");
    assert_absent(in_auth(&json!({ "token": null })), "null");

    for other in [
        "NULL",
        "Null",
        "nil",
        "None",
        "NaN",
        "false",
        "0",
        "{}",
        "[object Object]",
        "null ",
        " null",
        "\"null\"",
        "null.null.null",
        "undefined.",
    ] {
        assert_eq!(
            in_auth(&json!({ "token": other })).unwrap().as_deref(),
            Some(other)
        );
        assert_malformed(in_auth(&json!(other)), other);
    }
    for whole in ["null", "undefined"] {
        assert_malformed(in_auth(&json!(whole)), "a payload that is a string");
    }
}

#[test]
fn an_absent_source_leaves_the_decision_to_the_next() {
    let headers = [
        ("x-auth-token", TOKEN.into()),
        ("authorization", "Bearer null".into()),
    ];
    let parts = request(&headers, "");
    let found = found_in(&TokenSource::defaults(), &parts, r#"{"token":null}"#);
    assert_eq!(found.unwrap().as_deref(), Some(TOKEN));
}
