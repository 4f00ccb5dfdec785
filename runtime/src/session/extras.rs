//! What only some sessions have, because an option of their middleware needs it.

use super::{recheck::Recheck, revocable::Revocable, rooms::SessionRooms};
use crate::clock::Timestamp;

/// What a session has if an option of its middleware needs it.
#[derive(Default)]
pub(crate) struct Extras {
    pub(crate) rooms: SessionRooms,
    /// `None` if there are neither renewals nor a store of revocations.
    pub(crate) token: Option<TokenFacts>,
    /// When the client is warned of the expiry of its token.
    pub(crate) warning_at: Option<Timestamp>,
    /// `None` if the session is never looked up again.
    pub(crate) recheck: Option<Recheck>,
    /// `None` without a store of revocations, and for guests.
    pub(crate) revocable: Option<Box<Revocable>>,
}

impl Extras {
    /// Returns `None` if there are none, so that most sessions have none.
    pub(super) fn into_box(self) -> Option<Box<Self>> {
        let Self {
            rooms,
            token,
            warning_at,
            recheck,
            revocable,
        } = &self;

        let is_empty = *rooms == NO_ROOMS
            && token.is_none()
            && warning_at.is_none()
            && recheck.is_none()
            && revocable.is_none();
        (!is_empty).then(|| Box::new(self))
    }
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
