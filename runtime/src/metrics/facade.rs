//! The calls of the `metrics` facade.
//!
//! A recorder is code of the application, so each call stands behind the guard. Labels have few
//! values: a client must not be able to fill the memory of a recorder.

use std::time::Duration;

use ::metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use super::Step;
use crate::{
    error::ErrorCode,
    events::{AuthEvent, AuthEventKind},
    guard,
};

const ACCEPTED: &str = "socketioxide_auth_accepted_total";
const REFUSED: &str = "socketioxide_auth_refused_total";
const RENEWED: &str = "socketioxide_auth_renewed_total";
const ENDED: &str = "socketioxide_auth_ended_total";
const OPEN: &str = "socketioxide_auth_open_sessions";
const AUTHENTICATION: &str = "socketioxide_auth_authentication_seconds";
const LOOKUP: &str = "socketioxide_auth_lookup_seconds";

fn record(call: impl FnOnce()) {
    guard::call("the recorder of metrics", call).ok();
}

pub(super) fn describe() {
    record(|| {
        describe_counter!(ACCEPTED, "Connections and logins that were accepted.");
        describe_counter!(
            REFUSED,
            "Connections, logins and renewals that were refused."
        );
        describe_counter!(RENEWED, "Renewals of tokens on open sockets.");
        describe_counter!(ENDED, "Sessions that were ended.");
        describe_gauge!(OPEN, "Sockets that have a session.");
        describe_histogram!(AUTHENTICATION, Unit::Seconds, "Time of an authentication.");
        describe_histogram!(LOOKUP, Unit::Seconds, "Time of a user lookup.");
    });
}

pub(super) fn count(event: &AuthEvent) {
    record(|| match event.kind() {
        AuthEventKind::Accepted => {
            let kind = if event.is_guest() { "guest" } else { "user" };
            counter!(ACCEPTED, "kind" => kind).increment(1);
        }
        AuthEventKind::Refused => counter!(REFUSED, "code" => code(event)).increment(1),
        AuthEventKind::Renewed => counter!(RENEWED).increment(1),
        AuthEventKind::Ended => counter!(ENDED, "code" => code(event)).increment(1),
    });
}

/// Returns the code as a label. The codes of the application share one, because there may be any
/// number of them.
fn code(event: &AuthEvent) -> &'static str {
    match event.code() {
        Some(ErrorCode::Custom(_)) | None => "custom",
        Some(code) => code.as_str(),
    }
}

pub(super) fn change_open_sessions(by: f64) {
    record(|| gauge!(OPEN).increment(by));
}

pub(super) fn record_time(step: Step, time: Duration) {
    record(|| {
        let name = match step {
            Step::Authentication => AUTHENTICATION,
            Step::Lookup => LOOKUP,
        };
        histogram!(name).record(time);
    });
}
