//! Refusals as HTTP responses.

use std::error::Error;

use axum_core::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};

use crate::{
    error::{Action, AuthError, CustomError, ErrorCode},
    guard,
};

/// The response has the code, the message, the action and the data as JSON; the
/// [table](crate::axum#refusals) has its status. A cause is logged at ERROR.
impl IntoResponse for AuthError {
    fn into_response(self) -> Response {
        if let Some(cause) = self.source() {
            let (code, detail) = (self.code().as_str(), self.detail());
            let cause = guard::error_chain(cause);
            tracing::error!(code, detail, cause, "request failed");
        }

        let Answer { status, challenge } = Answer::to(&self);
        let mut response = json(&self).into_response();
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The response of the [`AuthError`] that it becomes.
impl IntoResponse for CustomError {
    fn into_response(self) -> Response {
        AuthError::from(self).into_response()
    }
}

fn json(error: &AuthError) -> Body {
    // It consists of strings and of JSON, so it can be serialized.
    serde_json::to_vec(error).unwrap_or_default().into()
}

/// The status of a refusal, and the value of `WWW-Authenticate`.
struct Answer {
    status: StatusCode,
    challenge: Option<HeaderValue>,
}

impl Answer {
    fn to(error: &AuthError) -> Self {
        match error.code() {
            ErrorCode::TokenMissing | ErrorCode::LoginRequired => Self::login(),
            code @ (ErrorCode::TokenMalformed
            | ErrorCode::TokenTooLarge
            | ErrorCode::TokenSignatureInvalid
            | ErrorCode::TokenAlgorithmNotAllowed
            | ErrorCode::TokenKeyUnknown
            | ErrorCode::TokenExpired
            | ErrorCode::TokenNotYetValid
            | ErrorCode::TokenIssuerInvalid
            | ErrorCode::TokenAudienceInvalid
            | ErrorCode::TokenClaimMissing
            | ErrorCode::TokenClaimsInvalid
            | ErrorCode::TokenRevoked
            | ErrorCode::UserNotFound
            | ErrorCode::SubjectMismatch
            | ErrorCode::SessionEnded) => Self::invalid_token(code),
            ErrorCode::Forbidden => Self {
                status: StatusCode::FORBIDDEN,
                challenge: Some(HeaderValue::from_static(
                    "Bearer error=\"insufficient_scope\"",
                )),
            },
            ErrorCode::Denied | ErrorCode::OriginNotAllowed => StatusCode::FORBIDDEN.into(),
            ErrorCode::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS.into(),
            ErrorCode::KeysUnavailable
            | ErrorCode::RevocationsUnavailable
            | ErrorCode::LookupTimeout => StatusCode::SERVICE_UNAVAILABLE.into(),
            ErrorCode::InternalError => StatusCode::INTERNAL_SERVER_ERROR.into(),
            ErrorCode::Custom(_) => Self::to_action(error.action()),
        }
    }

    /// Returns the answer for a code of the application, which is not in a header: it may have any
    /// characters.
    fn to_action(action: Action) -> Self {
        match action {
            Action::Login => Self::login(),
            Action::Renew => Self {
                status: StatusCode::UNAUTHORIZED,
                challenge: Some(HeaderValue::from_static("Bearer error=\"invalid_token\"")),
            },
            Action::Retry => StatusCode::SERVICE_UNAVAILABLE.into(),
            Action::Reconnect | Action::None => StatusCode::FORBIDDEN.into(),
        }
    }

    /// The request had no credentials, so the challenge has no error ([RFC 6750
    /// §3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    fn login() -> Self {
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: Some(HeaderValue::from_static("Bearer")),
        }
    }

    fn invalid_token(code: ErrorCode) -> Self {
        let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{code}\"");
        Self {
            status: StatusCode::UNAUTHORIZED,
            challenge: HeaderValue::try_from(challenge).ok(),
        }
    }
}

impl From<StatusCode> for Answer {
    fn from(status: StatusCode) -> Self {
        Self {
            status,
            challenge: None,
        }
    }
}

#[cfg(test)]
mod tests;
