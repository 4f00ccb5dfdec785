//! The auth payload, and the argument of an event.

use super::{super::MAX_TOKEN_BYTES, *};

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
