//! What a client gets when it is refused.

use serde_json::{Value, json};
use socketioxide_jwt_auth::{AuthError, ErrorCode};

use crate::Received;

/// Returns the refusal with a code, as it is sent: code, message and action.
///
/// # Panics
///
/// If there is no such code.
pub fn refusal(code: &str) -> Value {
    let known = ErrorCode::ALL.iter().find(|known| **known == code);
    let known = known.unwrap_or_else(|| panic!("there is no code {code}"));
    on_the_wire(&AuthError::from(*known))
}

/// Returns the refusal with the application's words, as it is sent.
pub fn denial(message: &'static str) -> Value {
    on_the_wire(&AuthError::denied(message))
}

fn on_the_wire(error: &AuthError) -> Value {
    serde_json::to_value(error).expect("it has no data that could fail")
}

/// The acknowledgement of a refused event.
pub fn refused_ack(code: &str) -> Received {
    error_ack(refusal(code))
}

/// The acknowledgement of an event that the application refused.
pub fn denied_ack(message: &'static str) -> Received {
    error_ack(denial(message))
}

fn error_ack(error: Value) -> Received {
    Received::ack(json!({ "error": error }))
}

/// The event that says why a session ended.
pub fn unauthorized(code: &str) -> Received {
    Received::event("unauthorized", refusal(code))
}

/// The event that says why the application ended a session.
pub fn unauthorized_denied(message: &'static str) -> Received {
    Received::event("unauthorized", denial(message))
}

/// The event that says why an event without an acknowledgement was refused.
pub fn unauthorized_event(code: &str, event: &str) -> Received {
    Received::event("unauthorized", with_event(refusal(code), event))
}

/// The event that says why the application refused an event without an acknowledgement.
pub fn unauthorized_event_denied(message: &'static str, event: &str) -> Received {
    Received::event("unauthorized", with_event(denial(message), event))
}

fn with_event(mut refusal: Value, event: &str) -> Value {
    refusal["event"] = json!(event);
    refusal
}
