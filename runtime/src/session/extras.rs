//! What only some sessions have, because an option of their middleware needs it.

use super::{recheck::Recheck, revocable::Revocable, rooms::SessionRooms};
use crate::clock::Timestamp;

/// What a session has if an option of its middleware needs it.
#[derive(Default)]
pub(super) struct Extras {
    pub(super) rooms: SessionRooms,
    pub(super) token: TokenFacts,
    /// When the client is warned of the expiry of its token.
    pub(super) warning_at: Option<Timestamp>,
    /// `None` if the session is never looked up again.
    pub(super) recheck: Option<Recheck>,
    /// `None` without a store of revocations, and for guests.
    pub(super) revocable: Option<Box<Revocable>>,
}

/// The claims of a token that a renewal compares, and by which a store of revocations knows it.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenFacts {
    pub(crate) issuer: Option<Box<str>>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) issued: Option<Timestamp>,
}

pub(super) static NO_ROOMS: SessionRooms = SessionRooms::none();

pub(super) static NO_FACTS: TokenFacts = TokenFacts {
    issuer: None,
    subject: None,
    issued: None,
};
