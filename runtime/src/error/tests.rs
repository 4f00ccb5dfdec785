//! What a client, the log and the application see of an error.

use std::io;

use serde_json::json;

use super::*;
use crate::guard;

#[derive(Debug, thiserror::Error)]
#[error("the lookup failed")]
struct Wrapped(#[source] Box<dyn Error + Send + Sync>);

#[test]
fn every_code_has_a_name_a_sentence_and_an_action_on_the_wire() {
    for code in ErrorCode::ALL {
        let error = AuthError::from(*code);

        assert_eq!(
            serde_json::to_value(&error).unwrap(),
            json!({"code": code.as_str(), "message": code.message(), "action": code.action().as_str()})
        );
        assert!(code.message().ends_with('.'), "{code}");
        assert!(!code.message().contains("token"), "{code}");
        assert!(
            code.as_str()
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'_'),
            "{code}"
        );
        assert_eq!(
            error.to_string() == code.as_str(),
            *code != ErrorCode::Denied,
            "{code}"
        );
    }
}

#[test]
fn codes_compare_with_strings_from_both_sides() {
    let code = ErrorCode::TokenExpired;
    assert_eq!(code, "token_expired");
    assert_eq!("token_expired", code);
    assert_eq!(code, *"token_expired");
    assert_eq!(code, "token_expired".to_owned());
    assert_ne!(code, "token_missing");
    assert_ne!("token_missing", code);
    assert_eq!(ErrorCode::Custom("token_expired"), "token_expired");
    assert_ne!(ErrorCode::Custom("token_expired"), ErrorCode::TokenExpired);
}

#[test]
fn the_client_gets_neither_the_detail_nor_the_cause() {
    let error = AuthError::custom("email_unverified", "Confirm your address first.")
        .action(Action::Login)
        .data(json!({"resend": true}))
        .with_detail("the address is on the list of bounces")
        .with_source("row 7");
    let for_client = json!({
        "code": "email_unverified",
        "message": "Confirm your address first.",
        "action": "login",
        "data": {"resend": true},
    });

    assert_eq!(serde_json::to_value(&error).unwrap(), for_client);
    assert_eq!(error.to_string(), "email_unverified");
    assert_eq!(
        serde_json::to_value(error.for_client()).unwrap(),
        for_client
    );
    assert!(error.for_client().detail().is_none());
    assert!(error.for_client().source().is_none());
    assert_eq!(
        error.detail(),
        Some("the address is on the list of bounces")
    );
}

#[test]
fn an_auth_error_is_found_anywhere_in_the_chain_of_sources() {
    let denied = || AuthError::denied("too long").data(json!(1));
    for failure in [
        Box::new(denied()) as Box<dyn Error + Send + Sync>,
        Box::new(Wrapped(Box::new(denied()))),
        Box::new(Wrapped(Box::new(Wrapped(Box::new(denied()))))),
        // The error inside of an `io::Error` is not its source.
        Box::new(Wrapped(Box::new(io::Error::other(denied())))),
    ] {
        let error = AuthError::from(failure);
        assert_eq!(error.code(), ErrorCode::Denied);
        assert_eq!(error.message(), "too long");
        assert!(error.source().is_none());
        assert_eq!(serde_json::to_value(&error).unwrap()["data"], 1);
    }

    let custom = AuthError::custom("closed", "The shop is closed.");
    let error = AuthError::from(Box::new(custom) as Box<dyn Error + Send + Sync>);
    assert_eq!(
        (error.code(), error.message()),
        (ErrorCode::Custom("closed"), "The shop is closed.")
    );
}

#[test]
fn the_cause_of_a_found_error_stays_with_it() {
    let inner = AuthError::keys_unavailable("no route").with_detail("tenant 7");
    let error = AuthError::from(Box::new(Wrapped(Box::new(inner))) as Box<dyn Error + Send + Sync>);
    assert_eq!(error.code(), ErrorCode::KeysUnavailable);
    assert_eq!(error.detail(), Some("tenant 7"));
    assert_eq!(
        guard::error_chain(error.source().unwrap()),
        "the lookup failed: keys_unavailable: no route"
    );
}

#[test]
fn another_error_is_internal_and_keeps_its_cause() {
    let failure = Wrapped(Box::new(io::Error::other("the disk is full")));
    let error = AuthError::from(Box::new(failure) as Box<dyn Error + Send + Sync>);
    assert_eq!(error.code(), ErrorCode::InternalError);
    assert_eq!(
        guard::error_chain(error.source().unwrap()),
        "the lookup failed: the disk is full"
    );
}

#[test]
fn errors_of_socketioxide_become_internal() {
    fn emit() -> Result<(), AuthError> {
        Err(socketioxide::SocketError::Closed)?;
        Ok(())
    }
    assert_eq!(emit().unwrap_err().code(), ErrorCode::InternalError);
}

/// An error of an application that shows another one as its own, as `anyhow::Error` does.
#[derive(Debug, thiserror::Error)]
enum Shown {
    #[error(transparent)]
    Auth(#[from] AuthError),
    #[error(transparent)]
    Custom(#[from] CustomError),
    #[error(transparent)]
    Other(#[from] io::Error),
    #[error("with more words: {0}")]
    InOtherWords(AuthError),
}

fn of(failure: impl Into<Box<dyn Error + Send + Sync>>) -> AuthError {
    AuthError::from(failure.into())
}

#[test]
fn an_auth_error_is_found_in_an_error_that_shows_it_as_its_own() {
    for failure in [
        Box::new(Shown::from(
            AuthError::denied("too long")
                .data(json!(1))
                .with_detail("7"),
        )) as Box<dyn Error + Send + Sync>,
        Box::new(Wrapped(Box::new(Shown::from(
            AuthError::denied("too long")
                .data(json!(1))
                .with_detail("7"),
        )))),
    ] {
        let error = AuthError::from(failure);
        assert_eq!(
            (error.code(), error.message()),
            (ErrorCode::Denied, "too long")
        );
        assert_eq!(serde_json::to_value(&error).unwrap()["data"], 1);
        assert_eq!(error.detail(), Some("7"));
        assert!(error.source().is_none());
    }

    let custom = Shown::from(AuthError::custom("closed", "The shop is closed."));
    assert_eq!(of(custom).code(), "closed");

    let failed = of(Shown::from(AuthError::keys_unavailable("no route")));
    assert_eq!(failed.code(), ErrorCode::KeysUnavailable);
    assert_eq!(
        guard::error_chain(failed.source().unwrap()),
        "keys_unavailable: no route"
    );
}

#[test]
fn an_auth_error_whose_text_is_a_part_of_a_message_is_not_what_the_client_gets() {
    let error = of(Shown::InOtherWords(AuthError::denied("too long")));
    assert_eq!(error.code(), ErrorCode::InternalError);
    let error = of(Shown::from(io::Error::other("denied")));
    assert_eq!(error.code(), ErrorCode::InternalError);
    assert_eq!(of("denied").code(), ErrorCode::InternalError);
}

#[test]
fn the_table_of_codes_names_the_action_and_the_level_of_each() {
    let rows = include_str!("code.rs")
        .lines()
        .filter_map(|line| line.trim().strip_prefix("/// | `"));
    let shown: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.split('|').map(str::trim).collect();
            (cells[0], cells[2], cells[3])
        })
        .collect();

    let expected: Vec<_> = ErrorCode::ALL.iter().map(|code| row(*code)).collect();
    let expected: Vec<_> = expected
        .iter()
        .map(|(code, action, level)| (&**code, &**action, *level))
        .collect();
    assert_eq!(shown, expected);
}

fn row(code: ErrorCode) -> (String, String, &'static str) {
    let level = match code {
        ErrorCode::KeysUnavailable
        | ErrorCode::RevocationsUnavailable
        | ErrorCode::InternalError => "ERROR",
        ErrorCode::TooManyAttempts => "DEBUG",
        code if code.may_be_configuration() => "INFO",
        _ => "INFO, detail at DEBUG",
    };
    (format!("{code}`"), format!("`{}`", code.action()), level)
}
