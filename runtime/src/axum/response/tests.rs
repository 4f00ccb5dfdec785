//! Tests of the statuses, the challenges and the bodies of refusals.

use std::io;

use axum_core::response::{IntoResponse, Response};
use futures_util::FutureExt;
use http::header;
use serde_json::{Value, json};

use crate::error::{Action, AuthError, ErrorCode};

/// Returns the status and the challenge of a response.
fn status_of(response: &Response) -> (u16, String) {
    let mut challenges = response.headers().get_all(header::WWW_AUTHENTICATE).iter();
    let challenge = challenges.next().map(|value| value.to_str().unwrap());
    assert_eq!(challenges.next(), None);
    (
        response.status().as_u16(),
        challenge.unwrap_or("–").to_owned(),
    )
}

fn body_of(response: Response) -> Value {
    let body = axum::body::to_bytes(response.into_body(), 10_000);
    serde_json::from_slice(&body.now_or_never().unwrap().unwrap()).unwrap()
}

/// Returns the rows of the table in the documentation.
fn documented() -> Vec<(String, u16, String)> {
    let rows = include_str!("../../axum.rs").lines();
    let rows = rows.filter_map(|line| line.strip_prefix("//! | `"));

    rows.map(|row| {
        let cells: Vec<_> = row
            .split('|')
            .map(|cell| cell.trim().trim_matches('`'))
            .collect();
        (
            cells[0].to_owned(),
            cells[1].parse().unwrap(),
            cells[2].to_owned(),
        )
    })
    .collect()
}

#[test]
fn every_code_has_the_status_and_the_challenge_of_the_documented_table() {
    let documented = documented();
    assert_eq!(documented.len(), ErrorCode::ALL.len());

    for code in ErrorCode::ALL {
        let (_, status, challenge) = documented
            .iter()
            .find(|(name, ..)| code == name)
            .unwrap_or_else(|| panic!("no row for {code}"));
        let response = AuthError::from(*code).into_response();
        assert_eq!(status_of(&response), (*status, challenge.clone()), "{code}");
    }
}

/// RFC 9110 §15.5.2 demands a challenge; RFC 6750 §3 wants no error without credentials.
#[test]
fn a_401_has_a_challenge_and_no_other_status_asks_for_a_token() {
    for code in ErrorCode::ALL {
        let (status, challenge) = status_of(&AuthError::from(*code).into_response());
        assert_eq!(
            status == 401,
            challenge.starts_with("Bearer") && *code != "forbidden"
        );
        let is_error = challenge.contains("error=");
        let sent_none = ["token_missing", "login_required"].contains(&code.as_str());
        assert_eq!(
            is_error,
            (status == 401 && !sent_none) || *code == "forbidden",
            "{code}"
        );
    }
}

#[test]
fn the_body_is_what_a_client_gets_over_a_socket() {
    for code in ErrorCode::ALL {
        let error = AuthError::from(*code)
            .data(json!({ "a": 1 }))
            .with_detail("for the operator");
        let expected = serde_json::to_value(&error).unwrap();
        let response = error.into_response();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/json");
        let body = body_of(response);
        assert_eq!(body, expected);
        assert_eq!(body["code"], code.as_str());
        assert_eq!(body["data"], json!({ "a": 1 }));
        assert!(!body.to_string().contains("operator"));
    }
}

#[test]
fn a_code_of_the_application_has_the_status_of_its_action() {
    for (action, expected) in [
        (Action::Login, (401, "Bearer")),
        (Action::Renew, (401, "Bearer error=\"invalid_token\"")),
        (Action::Retry, (503, "–")),
        (Action::Reconnect, (403, "–")),
        (Action::None, (403, "–")),
    ] {
        let error = AuthError::custom("a\"b", "Say \"please\".").action(action);
        let response = error.into_response();
        assert_eq!(
            status_of(&response),
            (expected.0, expected.1.to_owned()),
            "{action}"
        );
        let expected = json!({ "code": "a\"b", "message": "Say \"please\".", "action": action });
        assert_eq!(body_of(response), expected);
    }

    let response = AuthError::custom("closed", "Come back.").into_response();
    assert_eq!(status_of(&response).0, 403);
}

#[test]
fn the_words_and_the_cause_of_the_application_are_in_no_header() {
    let denied = AuthError::denied("line\r\nSet-Cookie: a=b");
    let internal = AuthError::internal(io::Error::other("password"));
    for error in [denied, internal] {
        let response = error.into_response();
        let headers = format!("{:?}", response.headers());
        assert!(!headers.contains("Set-Cookie") && !headers.contains("password"));
        assert!(!body_of(response).to_string().contains("password"));
    }
}
