//! What the end-to-end tests share: a server, two kinds of clients, tokens, and a view of the log.
//!
//! Nothing here sleeps. A test waits for the event that must happen, with a [time limit](within),
//! and shows that an event did not happen by a later one that did.

mod audit;
mod child;
mod client;
mod fixtures;
mod flood;
pub mod issuer;
mod log;
mod polling;
mod race;
mod raw;
mod received;
mod recorder;
mod refused;
mod server;
mod sessions;
mod tokens;

pub use audit::{AuditLog, audit};
pub use child::{outcome_of_child, report};
pub use client::{Client, ClientBuilder};
pub use fixtures::{
    Admin, Claims, ODD_KEYS, OtherClaims, OtherUser, Tracked, User, authenticate, find_user, greet,
};
pub use flood::flood;
pub use log::Log;
pub use race::{TRIES, let_run, race};
pub use raw::Raw;
pub use received::Received;
pub use recorder::{Recorder, Records, recorder};
pub use refused::{
    denial, denied_ack, refusal, refused_ack, unauthorized, unauthorized_denied,
    unauthorized_event, unauthorized_event_denied,
};
pub use server::Server;
pub use sessions::{
    Gate, answer, emit_with_ack, join, now, ready, renew, renewed_until, token_valid_for,
};
pub use tokens::{
    OTHER_SECRET, SECRET, install_backend, mint, seconds_from_now, sign, signed_with_secret, token,
    token_expiring_in,
};

/// The time limit of [`within`]: more than any healthy machine needs.
pub const LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Waits for something that must happen.
///
/// # Panics
///
/// If it does not happen in time.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(value) => value,
        Err(_) => panic!("nothing within {LIMIT:?}: {what}"),
    }
}
