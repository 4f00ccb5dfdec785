//! Any input in the places of a token: it causes no panic, and a client that sent a token never
//! becomes a guest.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use http::request::Parts;
use proptest::{collection::vec, prelude::*, sample::select};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    AuthPayload, Elsewhere, FirstArgument, MAX_TOKEN_BYTES, RawToken, TokenSource, cookies, find,
    find_in_event, in_event, in_handshake, missing, sources_of_event,
};
use crate::{
    error::{AuthError, ErrorCode},
    origin::Page,
};

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

/// Generates tokens whose header a verifier could accept: JSON allows white space around its
/// members.
fn tokens() -> impl Strategy<Value = String> {
    let space = || "[ \t\r\n]{0,3}";
    let name = select(vec!["alg", "typ", "kid", "é", ""]);

    (
        space(),
        space(),
        name,
        space(),
        "[A-Za-z0-9_-]{1,60}",
        "[A-Za-z0-9_-]{1,60}",
    )
        .prop_map(|(before, inside, name, after, payload, signature)| {
            let header = format!(r#"{before}{{{inside}"{name}"{after}:"HS256"}}"#);
            format!("{}.{payload}.{signature}", URL_SAFE_NO_PAD.encode(header))
        })
}

/// Returns spellings of a token that clients and attackers may send.
fn spellings(token: &str) -> Vec<String> {
    let credentials = format!("user:{token}");

    vec![
        token.to_owned(),
        format!(" {token}"),
        format!("Bearer {token}"),
        format!("bEARER   {token}"),
        format!("Bearer\t{token}"),
        format!("Bearer \t {token}"),
        format!("Bearer{token}"),
        format!("Bearer={token}"),
        format!("Bearer: {token}"),
        format!("Bearer%20{token}"),
        format!("Bearer \"{token}\""),
        format!("Bearer '{token}'"),
        format!("\"Bearer {token}\""),
        format!("Bearer Bearer {token}"),
        format!("Bearer token={token}"),
        format!("Bearer {token}, Basic eDp5"),
        format!("Bearer {token},"),
        format!("Bearer {token}="),
        format!("Basic eDp5, Bearer {token}"),
        format!("Basic eDp5,Bearer {token}"),
        format!("Basic eDp5 Bearer {token}"),
        format!("Basic {token}"),
        format!("Basic {}", STANDARD.encode(&credentials)),
        format!("Basic {}", STANDARD_NO_PAD.encode(&credentials)),
        format!("Basic {}", URL_SAFE_NO_PAD.encode(&credentials)),
        format!("basic\t{}", STANDARD.encode(&credentials)),
        format!("JWT {token}"),
        format!("Token token=\"{token}\", id=x"),
        format!("DPoP {token}"),
        format!("Digest username=\"x\", response=\"{token}\""),
        format!("\u{a0}Bearer {token}"),
        format!("Bearer\u{a0}{token}"),
        format!("é {token} é"),
        format!("a.b.{token}.c"),
    ]
}

/// Generates strings with many of the characters that separate the parts of cookies, headers and
/// query strings.
fn made_of_separators() -> impl Strategy<Value = String> {
    let pieces = select(vec![
        "session", "=", ";", " ", "\"", ",", "%", "%3", "%3D", "&", "+", "bearer ", "Bearer", "a",
        "é",
    ]);
    vec(pieces, 0..20).prop_map(|pieces| pieces.concat())
}

/// Generates header values that hyper accepts.
fn header_values() -> impl Strategy<Value = Vec<u8>> {
    let allowed = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    let bytes = vec(any::<u8>(), 0..100).prop_map(move |mut bytes| {
        bytes.retain(allowed);
        bytes
    });
    prop_oneof![bytes, made_of_separators().prop_map(String::into_bytes)]
}

/// Whether a value is empty, apart from the scheme `Bearer`, or what JavaScript makes of nothing.
fn is_empty(value: &str) -> bool {
    let is_none = |value: &str| ["", "null", "undefined"].contains(&value);
    let (scheme, rest) = value.split_at_checked(6).unwrap_or((value, ""));
    is_none(value)
        || scheme.eq_ignore_ascii_case("bearer")
            && (rest.is_empty() || rest.starts_with(' '))
            && is_none(rest.trim_start_matches(' '))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_value_of_a_header_that_the_application_names_is_a_token(value in header_values()) {
        let text = String::from_utf8_lossy(&value).into_owned();
        prop_assert_eq!(in_header(&value).unwrap().is_none(), is_empty(&text));
        let twice = in_headers(TokenSource::header("x-auth-token"), "x-auth-token", &[&value, &value]);
        prop_assert_eq!(twice.unwrap_err().code(), "token_malformed");
    }

    #[test]
    fn any_value_of_authorization_is_read(value in header_values()) {
        if let Some(token) = in_authorization(&value).unwrap_or_default() {
            let text = String::from_utf8_lossy(&value);
            prop_assert!(text.to_ascii_lowercase().starts_with("bearer "));
            prop_assert!(text.ends_with(&token));
        }
        let twice = in_headers(TokenSource::bearer(), "authorization", &[&value, &value]);
        prop_assert_eq!(twice.unwrap_err().code(), "token_malformed");
    }

    #[test]
    fn any_cookies_are_read(cookies in header_values(), value in "[!#-+.-:<-~-]{1,40}", lead in "[a-z =;]{0,20}") {
        if let Some(token) = in_cookies(&cookies).unwrap_or_default() {
            prop_assert!(String::from_utf8_lossy(&cookies).contains(&token));
        }
        let cookies = format!("{lead}; session={value}; lang=en");
        prop_assert_eq!(in_cookies(cookies).unwrap().is_none(), is_empty(&value));
    }

    /// The crate `cookie` splits a header as most servers in Rust do, and a browser's `Set-Cookie`
    /// went through such a server.
    #[test]
    fn cookies_are_those_that_the_crate_cookie_finds(
        header in prop_oneof![
            made_of_separators(),
            ".*",
            "[a; =\"\t\u{a0}\u{2003}\u{fffd}]{0,40}",
            header_values().prop_map(|value| String::from_utf8_lossy(&value).into_owned()),
        ],
    ) {
        let theirs: Vec<_> = cookie::Cookie::split_parse(header.as_str()).flatten().collect();
        let theirs: Vec<_> = theirs.iter().map(cookie::Cookie::name_value).collect();
        prop_assert_eq!(cookies::pairs(&header).collect::<Vec<_>>(), theirs);
    }

    #[test]
    fn any_query_is_read(text in made_of_separators(), other in "[!$-;=?-_a-z]{0,60}", value in "[A-Za-z0-9._-]{1,40}") {
        for query in [text.replace(' ', "%20").replace('"', "%22"), other] {
            let count = form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "session").count();
            prop_assert_eq!(in_query(&query).is_err(), count > 1);
            let and_a_token = in_query(&format!("{query}&session={value}"));
            if count == 0 {
                prop_assert_eq!(and_a_token.unwrap().is_none(), is_empty(&value));
            } else {
                prop_assert_eq!(and_a_token.unwrap_err().code(), "token_malformed");
            }
        }
    }

    #[test]
    fn any_payload_that_is_no_object_is_malformed(text in ".+", number in any::<f64>(), depth in 1..60_usize) {
        let deep = (0..depth).fold(Value::Null, |inner, _| json!([inner]));
        prop_assume!(!is_empty(&text));
        for value in [json!(text), json!([text]), json!(number.to_bits()), json!(depth), json!(-1.5), json!(true), deep] {
            prop_assert_eq!(in_auth(&value).unwrap_err().code(), "token_malformed");
            let member = in_auth(&json!({"token": value.clone()}));
            if let Some(text) = value.as_str() {
                prop_assert_eq!(member.unwrap().is_none(), is_empty(text));
            } else {
                prop_assert_eq!(member.unwrap_err().code(), "token_malformed");
            }
        }
    }

    #[test]
    fn a_token_is_found_as_it_was_sent(
        token in tokens(),
        others in "[a-z]{1,8}=[A-Za-z0-9%]{0,8}",
        scheme in select(vec!["", "Bearer ", "bearer ", "BEARER  "]),
    ) {
        let sent = format!("{scheme}{token}");

        let cookies = format!("other-{others}; session={sent}; z={others}");
        prop_assert_eq!(in_cookies(cookies).unwrap(), Some(token.clone()));
        prop_assert_eq!(in_header(&sent).unwrap(), Some(token.clone()));
        let query = format!("other-{others}&session={}&z", sent.replace(' ', "%20"));
        prop_assert_eq!(in_query(&query).unwrap(), Some(token.clone()));
        prop_assert_eq!(in_auth(&json!({"token": sent})).unwrap(), Some(token.clone()));
        if !scheme.is_empty() {
            prop_assert_eq!(in_authorization(sent).unwrap(), Some(token));
        }
    }

    #[test]
    fn no_spelling_of_a_token_makes_a_guest(token in tokens()) {
        for sent in spellings(&token) {
            let escaped: String = form_urlencoded::byte_serialize(sent.as_bytes()).collect();
            let every_byte = sent.bytes().fold(String::new(), |escaped, byte| escaped + &format!("%{byte:02X}"));

            let answers = [
                in_authorization(&sent),
                in_header(&sent),
                in_cookies(format!("theme=dark; session={sent}")),
                in_cookies(format!("session=\"{sent}\"; lang=en")),
                in_cookies(format!("session={every_byte}")),
                in_query(&format!("session={escaped}")),
                in_query(&format!("EIO=4&s%65ssi%6Fn={escaped}&transport=websocket")),
                in_query(&format!("session={every_byte}")),
                in_query(&format!("session=+{escaped}")),
                in_auth(&json!({"token": sent})),
            ];
            for (place, answer) in answers.into_iter().enumerate() {
                match answer {
                    Ok(found) => prop_assert!(found.is_some(), "a guest of {:?} at {}", sent, place),
                    Err(error) => prop_assert_eq!(error.code(), "token_malformed"),
                }
            }

            for payload in [json!(sent), json!([sent]), json!([{"token": sent}]), json!({"token": [sent]}),
                            json!({"token": {"token": sent}}), json!({"token": {&sent: 1}})] {
                prop_assert_eq!(in_auth(&payload).unwrap_err().code(), "token_malformed");
            }
        }
    }

    #[test]
    fn a_token_anywhere_in_authorization_makes_no_guest(
        before in header_values(),
        token in tokens(),
        after in header_values(),
    ) {
        let value = [before, token.into_bytes(), after].concat();
        match in_authorization(value) {
            Ok(found) => prop_assert!(found.is_some()),
            Err(error) => prop_assert_eq!(error.code(), "token_malformed"),
        }
    }

    /// Credentials without a dot cannot contain three segments, neither as they are nor in base64.
    #[test]
    fn a_foreign_scheme_is_absent(
        scheme in "[A-Z][a-z]{2,5}[0-9]?",
        credentials in vec(any::<u8>().prop_filter("no dot", |byte| *byte != b'.'), 0..80),
    ) {
        for credentials in [STANDARD.encode(&credentials), URL_SAFE_NO_PAD.encode(&credentials)] {
            prop_assert_eq!(in_authorization(format!("{scheme} {credentials}")).unwrap(), None);
        }
    }
}

#[test]
fn an_authorization_of_other_protocols_is_absent() {
    for value in [
        "",
        "Basic",
        "Basic dXNlcjpwdw==",
        "Basic dXNlcjpwdw==, Digest realm=\"x\"",
        "Basic YXBpLmV4YW1wbGUuY29tOmV5ZXMubmV3LmV4YW1wbGUuY29t",
        "Digest username=\"Mufasa\", realm=\"newsletter.api.example.com\", uri=\"/eyes.of.new.york/\", \
         nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", response=\"6629fae49393a05397450978507c4ef1\"",
        "Digest realm=\"www.example.com\", nonce=\"eyJ0aW1lIjoxLCJyYW5kIjoyfQ\", opaque=\"eyJhIjoxfQ.eyJiIjoyfQ\"",
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        "Negotiate YIIJvwYGKwYBBQUCoIIJszCCCa+gMDAuBgkqhkiC9xIBAgIGCSqGSIb3EgECAgYKKwYBBAGCNwICHgYKKwYBBAGCNwICCg",
        "BearerToken abc",
        "Bearers of.good.news",
    ] {
        assert_absent(in_authorization(value), value);
    }
}

#[test]
fn bearer_with_anything_but_spaces_after_it_is_malformed() {
    for value in [
        "Bearer\tabc",
        "bearer=abc",
        "BEARER:abc",
        "Bearer\"abc\"",
        "Bearer,Basic x",
        "Bearer\u{a0}abc",
    ] {
        assert_malformed(in_authorization(value), value);
    }
}

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

#[test]
fn a_payload_that_is_no_object_hides_no_token() {
    for payload in [
        "\"blabla\"",
        "\" \"",
        "5",
        "-1",
        "0.5",
        "true",
        "false",
        "[]",
        "[{\"token\":\"a.b.c\"}]",
        "{",
        "blabla",
    ] {
        assert_malformed(
            found(TokenSource::auth("token"), &request(&[], ""), payload),
            payload,
        );
    }

    for payload in [
        "null",
        "\"\"",
        "{}",
        "{\"token\":\"\"}",
        "{\"token\":\"Bearer \"}",
        "{\"token\":null}",
        "{\"token\":\"null\"}",
        "{\"token\":\"Bearer undefined\"}",
        "{\"Token\":\"a.b.c\"}",
    ] {
        assert_absent(
            found(TokenSource::auth("token"), &request(&[], ""), payload),
            payload,
        );
    }
}

#[test]
fn a_payload_is_looked_at_only_for_a_source_in_it() {
    let parts = request(
        &[("authorization", format!("Bearer {TOKEN}").into_bytes())],
        "",
    );
    let payload: AuthPayload = serde_json::from_str("\"blabla\"").unwrap();
    let find = |sources: &[TokenSource]| {
        find(sources, &parts, &payload).map(|found| found.unwrap().token.into_string())
    };

    assert_eq!(find(&[TokenSource::bearer()]).unwrap(), TOKEN);
    assert_eq!(
        find(&[TokenSource::bearer(), TokenSource::auth("token")]).unwrap(),
        TOKEN
    );

    let payload_first = find(&[TokenSource::auth("token"), TokenSource::bearer()]);
    assert_eq!(payload_first.unwrap_err().code(), "token_malformed");
}

#[test]
fn a_payload_has_64_members_at_most() {
    let payload = |members: usize| {
        let others = (1..members).map(|number| (format!("member{number}"), json!(number)));
        Value::Object(others.chain([("token".to_owned(), json!(TOKEN))]).collect())
    };
    assert_eq!(in_auth(&payload(64)).unwrap().as_deref(), Some(TOKEN));
    assert_malformed(in_auth(&payload(65)), "65 members");
}

#[test]
fn a_member_that_no_verifier_would_take_is_too_large() {
    assert_eq!(MAX_TOKEN_BYTES, 1_048_576);

    let longest = "a".repeat(MAX_TOKEN_BYTES);
    assert_eq!(
        in_auth(&json!({ "token": longest })).unwrap(),
        Some(longest.clone())
    );
    assert_eq!(
        in_auth(&json!({ "token": longest + "a" }))
            .unwrap_err()
            .code(),
        "token_too_large"
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

#[test]
fn a_cookie_may_be_quoted_and_have_an_escaped_scheme() {
    for value in [
        TOKEN.to_owned(),
        format!("\"{TOKEN}\""),
        format!("Bearer {TOKEN}"),
        format!("\"Bearer {TOKEN}\""),
        format!("\"bearer   {TOKEN}\""),
        format!("Bearer%20{TOKEN}"),
        format!("bEARER%20{TOKEN}"),
        format!("\"Bearer%20{TOKEN}\""),
    ] {
        let found = in_cookies(format!("theme=dark; session={value}; lang=en"));
        assert_eq!(found.unwrap().as_deref(), Some(TOKEN), "{value}");
    }
}

/// A proxy that does not decode must not see another token than this server.
#[test]
fn other_escapes_in_a_cookie_are_left_as_they_are() {
    for value in [
        format!("%65{}", &TOKEN[1..]),
        format!("%42earer%20{TOKEN}"),
        format!("Bearer%2520{TOKEN}"),
        format!("Bearer%09{TOKEN}"),
        format!("Bearer+{TOKEN}"),
        format!("%22{TOKEN}%22"),
        format!("JWT%20{TOKEN}"),
        format!("\"{TOKEN}"),
        format!("{TOKEN}\""),
        format!("\"\"{TOKEN}\"\""),
    ] {
        let found = in_cookies(format!("session={value}")).unwrap().unwrap();
        assert_ne!(found, TOKEN, "{value}");
    }
    let twice = in_cookies(format!("session=Bearer%20%20{TOKEN}"))
        .unwrap()
        .unwrap();
    assert_ne!(twice, TOKEN);
}

#[test]
fn equal_cookies_count_once_and_empty_ones_do_not_count() {
    for cookies in [
        format!("session={TOKEN}; session={TOKEN}"),
        format!("session={TOKEN}; a=b; session=\"{TOKEN}\"; session=Bearer%20{TOKEN}"),
        format!("session=; session={TOKEN}; session=\"\"; session=Bearer"),
        format!("session=null; session={TOKEN}; session=undefined"),
    ] {
        assert_eq!(
            in_cookies(&cookies).unwrap().as_deref(),
            Some(TOKEN),
            "{cookies}"
        );
    }
    let headers: [&[u8]; 3] = [b"session=", b"session=a", b"session=a"];
    let found = in_headers(TokenSource::cookie("session"), "cookie", &headers);
    assert_eq!(found.unwrap().as_deref(), Some("a"));
    assert_absent(in_cookies("session=; session=\"\""), "empty ones only");
}

#[test]
fn a_scheme_is_found_in_any_case() {
    let found = |value: &str| {
        in_headers(
            TokenSource::authorization("JWT"),
            "authorization",
            &[value.as_bytes()],
        )
    };
    for scheme in ["JWT", "jwt", "Jwt"] {
        let value = format!("{scheme} {TOKEN}");
        assert_eq!(found(&value).unwrap().as_deref(), Some(TOKEN), "{value}");
    }
    for absent in [
        "JWT",
        "JWT ",
        "JWT null",
        "JWTs x",
        "Basic dXNlcjpwdw==",
        "Bearer blabla",
    ] {
        assert_absent(found(absent), absent);
    }
    for value in [
        format!("Bearer {TOKEN}"),
        format!("JWT\t{TOKEN}"),
        format!("Token {TOKEN}"),
        TOKEN.to_owned(),
        "JWT\tblabla".to_owned(),
        "jwt=blabla".to_owned(),
    ] {
        assert_malformed(found(&value), &value);
    }
    let doubled = found(&format!("JWT Bearer {TOKEN}")).unwrap().unwrap();
    assert_ne!(doubled, TOKEN);
    for bearer in ["bearer", "BEARER", "Bearer"] {
        assert_eq!(TokenSource::authorization(bearer), TokenSource::bearer());
    }
}

#[test]
fn several_schemes_work_in_their_order() {
    let sources = [
        TokenSource::bearer(),
        TokenSource::header("x-auth-token"),
        TokenSource::authorization("JWT"),
    ];
    let found = |headers: &[(&str, Vec<u8>)]| found_in(&sources, &request(headers, ""), "null");
    let authorization = |value: String| ("authorization", value.into_bytes());

    for scheme in ["Bearer", "jwt"] {
        let found = found(&[authorization(format!("{scheme} {TOKEN}"))]);
        assert_eq!(found.unwrap().as_deref(), Some(TOKEN), "{scheme}");
    }
    for (scheme, expected) in [("Bearer", TOKEN), ("JWT", "x")] {
        let header = ("x-auth-token", b"x".to_vec());
        let found = found(&[authorization(format!("{scheme} {TOKEN}")), header]);
        assert_eq!(found.unwrap().as_deref(), Some(expected), "{scheme}");
    }
    assert_malformed(found(&[authorization(format!("Token {TOKEN}"))]), "neither");
    assert_malformed(
        found(&[authorization("JWT\tblabla".to_owned())]),
        "misspelled",
    );
    let two = [
        authorization(format!("JWT {TOKEN}")),
        authorization(format!("Bearer {TOKEN}")),
    ];
    assert_malformed(found(&two), "two headers");
}

#[test]
fn the_argument_of_an_event_may_be_the_token() {
    for argument in [
        json!(TOKEN),
        json!(format!("Bearer {TOKEN}")),
        json!({ "token": TOKEN }),
    ] {
        assert_eq!(
            in_arguments(&json!([argument])).unwrap().as_deref(),
            Some(TOKEN)
        );
        let more = in_arguments(&json!([argument, "x.y.z", [[{ "token": 5 }]]]));
        assert_eq!(more.unwrap().as_deref(), Some(TOKEN));
    }
    for absent in [
        json!([]),
        json!([null]),
        json!([""]),
        json!([{}]),
        json!([{ "token": null }]),
    ] {
        assert_absent(in_arguments(&absent), &absent.to_string());
    }
    for malformed in [
        json!([5]),
        json!([true]),
        json!([[]]),
        json!([[TOKEN]]),
        json!([{ "token": 5 }]),
    ] {
        assert_malformed(in_arguments(&malformed), &malformed.to_string());
    }
    let too_long = in_arguments(&json!(["a".repeat(MAX_TOKEN_BYTES + 1)]));
    assert_eq!(too_long.unwrap_err().code(), "token_too_large");
}

#[test]
fn an_event_has_the_member_token_and_those_of_the_auth_payload() {
    let sources = [
        TokenSource::bearer(),
        TokenSource::auth("jwt"),
        TokenSource::cookie("session"),
        TokenSource::auth("token"),
    ];
    let expected = [TokenSource::auth("token"), TokenSource::auth("jwt")];
    assert_eq!(sources_of_event(&sources), expected);
    assert_eq!(sources_of_event(&sources[..1]), expected[..1]);
}

#[test]
fn a_token_from_a_cookie_is_given_to_a_known_page_only() {
    let parts = request(
        &[
            ("cookie", b"session=a".to_vec()),
            ("x-auth-token", b"a".to_vec()),
        ],
        "",
    );
    let sent = |source: TokenSource, page| {
        let sources = [source];
        let found = find(&sources, &parts, &AuthPayload::default())
            .unwrap()
            .unwrap();
        found.sent_by(page).map(RawToken::into_string)
    };

    for page in [Page::Allowed, Page::Unknown] {
        assert_eq!(
            sent(TokenSource::header("x-auth-token"), page).unwrap(),
            "a"
        );
    }
    assert_eq!(
        sent(TokenSource::cookie("session"), Page::Allowed).unwrap(),
        "a"
    );
    let refused = sent(TokenSource::cookie("session"), Page::Unknown).unwrap_err();
    assert_eq!(refused.code(), "origin_not_allowed");
    assert_eq!(
        refused.detail(),
        Some("no Origin header, and the token came from a cookie")
    );
}

#[test]
fn a_token_under_another_name_is_found_in_every_place() {
    let elsewhere = |headers: &[(&str, &str)], query: &str, payload: &Value| {
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes().to_vec()))
            .collect();
        let payload = serde_json::from_value(payload.clone()).unwrap();
        in_handshake(&request(&headers, query), &payload).map(|place| place.to_string())
    };
    let bearer = format!("Bearer {TOKEN}");
    let escaped = format!("a=b; jwt=Bearer%20{TOKEN}");
    let protocols = format!("access_token, {TOKEN}");

    for (headers, query, payload, expected) in [
        (
            vec![],
            "",
            json!({ "jwt": TOKEN }),
            "the member \"jwt\" of the auth payload",
        ),
        (
            vec![],
            "",
            json!({ "a": 5, "Token": bearer }),
            "the member \"Token\" of the auth payload",
        ),
        (vec![], "", json!(TOKEN), "the auth payload itself"),
        (
            vec![("x-token", TOKEN)],
            "",
            json!(null),
            "the header \"x-token\"",
        ),
        (
            vec![("authorization", &*bearer)],
            "",
            json!(null),
            "the header \"authorization\"",
        ),
        (
            vec![("sec-websocket-protocol", &*protocols)],
            "",
            json!(null),
            "the header \"sec-websocket-protocol\"",
        ),
        (
            vec![("cookie", &*escaped)],
            "",
            json!(null),
            "the cookie \"jwt\"",
        ),
    ] {
        assert_eq!(
            elsewhere(&headers, query, &payload).as_deref(),
            Some(expected)
        );
    }
    let in_query = elsewhere(
        &[],
        &format!("EIO=4&access_token=Bearer+{TOKEN}"),
        &json!(null),
    );
    assert_eq!(
        in_query.as_deref(),
        Some("the query parameter \"access_token\"")
    );

    for other in [
        "blabla",
        "a.b.c",
        "eyJ0aW1lIjoxfQ",
        "eyJhIjoxfQ.eyJiIjoyfQ",
        "v1.2.3",
        "{\"a\".b.c",
    ] {
        let payload = json!({ "room": other, "list": [TOKEN], "object": { "token": TOKEN } });
        let headers = [("x-room", other), ("cookie", "theme=dark; id=a.b.c")];
        assert_eq!(
            elsewhere(&headers, "EIO=4&v=1.2.3", &payload),
            None,
            "{other}"
        );
    }
}

#[test]
fn a_token_under_another_name_is_found_up_to_a_limit() {
    let padded = |length: usize| format!("{TOKEN}{}", "x".repeat(length - TOKEN.len()));
    let elsewhere = |length| {
        let payload = json!({ "jwt": padded(length) });
        in_handshake(&request(&[], ""), &serde_json::from_value(payload).unwrap())
    };
    assert_eq!(
        elsewhere(64 * 1024),
        Some(Elsewhere::Member("jwt".to_owned()))
    );
    assert_eq!(elsewhere(64 * 1024 + 1), None);

    let query = |others: usize| format!("{}jwt={TOKEN}", "a=b&".repeat(others));
    let elsewhere = |others| in_handshake(&request(&[], &query(others)), &AuthPayload::default());
    assert_eq!(elsewhere(63), Some(Elsewhere::Query("jwt".to_owned())));
    assert_eq!(elsewhere(64), None);
}

#[test]
fn a_hint_shows_no_value_and_escapes_the_name() {
    let hint = |name: String| Elsewhere::Member(name).to_string();
    assert_eq!(
        hint("a\n\u{202e}\"".to_owned()),
        r#"the member "a\n\u{202e}\"" of the auth payload"#
    );
    assert!(hint("x".repeat(500)).len() < 150);
    assert!(hint("x".repeat(5000)).contains("(a long name)"));
    for name in [
        TOKEN.to_owned(),
        format!("room-{TOKEN}"),
        format!("{}{TOKEN}", "x/".repeat(600)),
    ] {
        let hint = hint(name);
        assert!(!hint.contains("eyJ"), "{hint}");
    }
}

#[test]
fn a_missing_token_is_told_with_its_sources_and_the_hint() {
    let sources = [TokenSource::auth("token"), TokenSource::bearer()];
    let error = missing(&sources, None);
    assert_eq!(error.code(), "token_missing");
    assert_eq!(error.detail(), Some("no token in auth(\"token\"), bearer"));

    let place = Elsewhere::Member("jwt".to_owned());
    assert_eq!(
        place.beside(&sources),
        "the member \"jwt\" of the auth payload looks like a token, and the sources are auth(\"token\"), bearer"
    );
    assert_eq!(
        missing(&sources, Some(place)).detail(),
        Some(
            "no token in auth(\"token\"), bearer; the member \"jwt\" of the auth payload looks like one"
        )
    );

    let argument = FirstArgument::deserialize(json!([{ "jwt": TOKEN }])).unwrap();
    assert_eq!(
        in_event(&argument).unwrap().to_string(),
        "the member \"jwt\" of the argument"
    );
}

#[test]
fn a_malformed_token_is_told_with_its_place() {
    let detail = |found: Found| found.unwrap_err().detail().unwrap().to_owned();
    assert_eq!(
        detail(in_auth(&json!({ "token": 5 }))),
        "auth(\"token\") is not a string"
    );
    assert_eq!(
        detail(in_auth(&json!(TOKEN))),
        "the auth payload is neither an object nor null"
    );
    assert_eq!(
        detail(in_cookies("session=a; session=b")),
        "cookie(\"session\") occurs twice, with two values"
    );
    assert_eq!(
        detail(in_query("session=a&session=a")),
        "query(\"session\") occurs twice"
    );
    assert_eq!(
        detail(in_authorization(format!("Basic {TOKEN}"))),
        "the Authorization header seems to hold a token, but is not \"Bearer \" and a token"
    );
    assert_eq!(
        detail(in_arguments(&json!([5]))),
        "the argument of the event is neither an object nor a string"
    );
}
