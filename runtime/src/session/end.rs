//! When a session ends without a logout.

use std::time::SystemTime;

use crate::error::ErrorCode;

/// When a session ends without a logout, by the wall clock, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) at: SystemTime,
    pub(crate) cause: EndCause,
}

/// Why a session ends without a logout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndCause {
    /// `exp` plus leeway has passed.
    TokenExpired,
    /// The login has lasted for the `max_session`.
    MaxSession,
    /// The guest has not logged in within the `guest_timeout`.
    GuestTimeout,
}

impl EndCause {
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::TokenExpired => ErrorCode::TokenExpired,
            Self::MaxSession => ErrorCode::SessionEnded,
            Self::GuestTimeout => ErrorCode::LoginRequired,
        }
    }
}
