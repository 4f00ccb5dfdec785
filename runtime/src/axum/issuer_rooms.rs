//! The rooms by which an issuer ends sessions, on every node.

use std::{
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use socketioxide::adapter::Adapter;

use crate::{
    session::rooms::are_shared,
    verify::{Registered, SignedPayload},
};

const PREFIX: &str = "jwt_auth:issuer:";

/// How many bytes of a hash are in the name of a room: enough that no user can choose a name whose
/// room is that of another user.
const HASH_BYTES: usize = 16;

/// Whether a route has been built by which issuers end sessions.
static HAS_ROUTE: AtomicBool = AtomicBool::new(false);

/// Makes the sessions that begin from now on join the rooms of their issuer.
pub(super) fn join_from_now_on() {
    HAS_ROUTE.store(true, Ordering::Relaxed);
}

/// Returns the rooms by which the issuer of a token ends its session. Returns none if no issuer can:
/// without a route here or on other nodes.
pub(crate) fn of_token<A: Adapter>(
    registered: &Registered<'_>,
    payload: &SignedPayload,
) -> Vec<Arc<str>> {
    if !are_shared::<A>() && !HAS_ROUTE.load(Ordering::Relaxed) {
        return Vec::new();
    }
    let Some(issuer) = registered.issuer.as_deref() else {
        return Vec::new();
    };

    let subject = registered.subject.as_deref();
    let own = match payload.session_id() {
        Some(session) => Some(of_session(issuer, &session)),
        None => subject.map(|subject| of_subject_without_session(issuer, subject)),
    };
    let subject = subject.map(|subject| of_subject(issuer, subject));
    own.into_iter().chain(subject).collect()
}

/// Returns the room of the sockets of one session at the issuer.
pub(super) fn of_session(issuer: &str, session: &str) -> Arc<str> {
    of("sid", issuer, session)
}

/// Returns the room of the sockets of a subject.
pub(super) fn of_subject(issuer: &str, subject: &str) -> Arc<str> {
    of("sub", issuer, subject)
}

/// Returns the room of those sockets of a subject whose tokens do not name a session, so that it is
/// unknown which of the issuer's sessions they belong to.
pub(super) fn of_subject_without_session(issuer: &str, subject: &str) -> Arc<str> {
    of("any", issuer, subject)
}

/// Adapters send the names of rooms to other servers, so they hold a hash instead of personal
/// claims. A cryptographic one, because users may be able to choose their own subject.
fn of(kind: impl Display, issuer: &str, name: &str) -> Arc<str> {
    let mut hash = Sha256::new();
    hash.update(
        u64::try_from(issuer.len())
            .unwrap_or(u64::MAX)
            .to_be_bytes(),
    );
    hash.update(issuer);
    hash.update(name);
    let hash = URL_SAFE_NO_PAD.encode(&hash.finalize()[..HASH_BYTES]);
    format!("{PREFIX}{kind}:{hash}").into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn sessions_and_subjects_never_share_a_room() {
        let names = ["", "1", "a:b", "a", "ab", "b", "é", "\0", "a b"];
        let mut rooms = HashSet::new();
        for issuer in names {
            for name in names {
                rooms.insert(of_session(issuer, name));
                rooms.insert(of_subject(issuer, name));
                rooms.insert(of_subject_without_session(issuer, name));
            }
        }
        assert_eq!(rooms.len(), names.len() * names.len() * 3);
        assert!(rooms.iter().all(|room| room.is_ascii() && room.len() < 48));
    }

    /// Nodes of other builds use this name.
    #[test]
    fn a_subject_has_the_same_room_in_every_build() {
        assert_eq!(
            &*of_subject("https://issuer.example", "1"),
            "jwt_auth:issuer:sub:tp3n46P1E8stAsfGa8uOEg"
        );
    }
}
