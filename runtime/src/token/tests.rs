//! Whatever a client puts where a token may be: no panic, and no guest made of something that was there.

use http::request::Parts;
use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Value, json};

use super::{AuthPayload, RawToken, TokenSource, find};
use crate::error::AuthError;

fn request(headers: &[(&str, Vec<u8>)], query: &str) -> Parts {
    let uri = http::Uri::builder().path_and_query(format!("/socket.io/?{query}")).build().unwrap_or_default();
    let mut request = http::Request::builder().uri(uri).body(()).unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        // What cannot be a header's value does not come through hyper either.
        if let Ok(value) = http::HeaderValue::from_bytes(value) {
            request.headers_mut().append(name, value);
        }
    }
    request.into_parts().0
}

fn payload(value: &Value) -> AuthPayload {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn found(source: TokenSource, parts: &Parts, auth: &Value) -> Result<Option<String>, AuthError> {
    find(&[source], parts, &payload(auth)).map(|token| token.map(RawToken::into_string))
}

/// A text with many of the characters that cookies, headers and query strings are made of.
fn made_of_separators() -> impl Strategy<Value = String> {
    let pieces =
        select(vec!["session", "=", ";", " ", "\"", ",", "%", "%3", "%3D", "&", "+", "bearer ", "Bearer", "a", "é"]);
    vec(pieces, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_a_header_are_read(bytes in vec(any::<u8>(), 0..100), text in made_of_separators()) {
        for value in [bytes, text.into_bytes()] {
            for (name, source) in [
                ("cookie", TokenSource::cookie("session")),
                ("authorization", TokenSource::bearer()),
                ("x-auth-token", TokenSource::header("x-auth-token")),
            ] {
                drop(found(source.clone(), &request(&[(name, value.clone())], ""), &Value::Null));
                drop(found(source, &request(&[(name, value.clone()), (name, value.clone())], ""), &Value::Null));
            }
        }
    }

    #[test]
    fn any_query_is_read(text in made_of_separators(), other in "[!-~]{0,60}") {
        for query in [text, other] {
            drop(found(TokenSource::query("session"), &request(&[], &query), &Value::Null));
        }
    }

    #[test]
    fn any_payload_is_read(text in ".*", number in any::<f64>(), depth in 0..200_usize) {
        let deep = (0..depth).fold(Value::Null, |inner, _| json!([inner]));
        for value in [json!(text), json!(number), json!([text]), deep] {
            drop(found(TokenSource::auth("token"), &request(&[], ""), &value));
            let token = found(TokenSource::auth("token"), &request(&[], ""), &json!({"token": value.clone()}));
            if !value.is_string() {
                prop_assert_eq!(token.unwrap_err().code(), "token_malformed");
            }
        }
    }

    #[test]
    fn a_token_is_found_as_it_was_sent(
        token in "[A-Za-z0-9_-]{1,40}\\.[A-Za-z0-9_-]{1,40}\\.[A-Za-z0-9_-]{0,40}",
        others in "[a-z]{1,8}=[A-Za-z0-9%]{0,8}",
        scheme in select(vec!["", "Bearer ", "bearer ", "BEARER  "]),
    ) {
        let sent = format!("{scheme}{token}");
        let bytes = |text: String| text.into_bytes();
        let cookies = request(&[("cookie", bytes(format!("other-{others}; session={sent}; z={others}")))], "");
        prop_assert_eq!(found(TokenSource::cookie("session"), &cookies, &Value::Null).unwrap(), Some(token.clone()));
        let header = request(&[("x-auth-token", bytes(sent.clone()))], "");
        prop_assert_eq!(found(TokenSource::header("x-auth-token"), &header, &Value::Null).unwrap(), Some(token.clone()));
        let query = request(&[], &format!("other-{others}&session={}&z", sent.replace(' ', "%20")));
        prop_assert_eq!(found(TokenSource::query("session"), &query, &Value::Null).unwrap(), Some(token.clone()));
        let auth = json!({"token": sent});
        prop_assert_eq!(found(TokenSource::auth("token"), &request(&[], ""), &auth).unwrap(), Some(token));
    }
}

/// Two parties could read two different tokens from such a request.
#[test]
fn a_cookie_that_is_there_twice_is_malformed() {
    for headers in [vec![("cookie", b"session=a; session=b".to_vec())], vec![("cookie", b"session=a".to_vec()); 2]] {
        let found = found(TokenSource::cookie("session"), &request(&headers, ""), &Value::Null);
        assert_eq!(found.unwrap_err().code(), "token_malformed");
    }
}
