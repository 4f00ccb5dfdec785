//! A token under another name, which is not taken but told.

use super::{
    super::{Elsewhere, in_event, in_handshake, missing},
    *,
};

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
