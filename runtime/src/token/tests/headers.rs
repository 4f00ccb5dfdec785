//! Headers: `Authorization` with its schemes, and cookies.

use super::*;
use crate::origin::Page;

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
