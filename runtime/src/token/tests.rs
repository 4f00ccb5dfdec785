//! Any input in the places of a token: it causes no panic, and a client that sent a token never
//! becomes a guest.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use http::request::Parts;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{AuthPayload, MAX_TOKEN_BYTES, RawToken, TokenSource, find};
use crate::error::{AuthError, ErrorCode};

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
    let payload =
        serde_json::from_str::<AuthPayload>(auth).map_err(|_| ErrorCode::TokenMalformed)?;
    find(&[source], parts, &payload).map(|token| token.map(RawToken::into_string))
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

/// Whether a value is empty, apart from the scheme `Bearer`.
fn is_empty(value: &str) -> bool {
    let (scheme, rest) = value.split_at_checked(6).unwrap_or((value, ""));
    value.is_empty()
        || (scheme.eq_ignore_ascii_case("bearer") && rest.bytes().all(|byte| byte == b' '))
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
        find(sources, &parts, &payload).map(|token| token.unwrap().into_string())
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
        &[b"session=a", b"session=a"],
        &[b"session=; session=a"],
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
            TokenSource::bearer(),
        ]
    };

    assert_eq!(
        sources("x").map(|source| source.is_auth()),
        [true, false, false, false, false]
    );
    assert_eq!(
        sources("x").map(|source| source.is_cookie()),
        [false, true, false, false, false]
    );
    assert_eq!(sources("x").map(|source| source.check().is_ok()), [true; 5]);
    assert_eq!(
        sources("a b").map(|source| source.check().is_ok()),
        [true, false, false, true, true]
    );
    assert_eq!(
        sources("").map(|source| source.check().is_ok()),
        [false, false, false, false, true]
    );
}

#[test]
fn a_token_does_not_show_in_debug_output() {
    let token = RawToken::from_text(TOKEN.to_owned()).unwrap();
    assert_eq!(format!("{token:?}"), "RawToken(redacted)");
    assert_eq!(token.as_str(), TOKEN);
    assert_eq!(token.into_string(), TOKEN);
}
