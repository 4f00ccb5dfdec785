//! Any token, spelled in any way.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use proptest::{collection::vec, prelude::*, sample::select};

use super::*;

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
