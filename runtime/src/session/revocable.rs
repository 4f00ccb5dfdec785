//! What a store of revocations knows a session by.

use std::time::SystemTime;

use super::TokenFacts;
use crate::{
    error::{AuthError, ErrorCode},
    revocations::{EntryKey, RevocationCheck, RevocationQuery, StoreId},
};

/// The store of a session, and what it is asked.
pub(crate) struct Revocable {
    store: RevocationCheck,
    /// The `jti` claim.
    token_id: Option<Box<str>>,
    /// The key of `session_key`, or the `sid` claim.
    session: Option<Box<str>>,
    /// The key of `user_key`. Without one it is the `sub` claim.
    user: Option<Box<str>>,
    issued_at: Option<SystemTime>,
    expires_at: Option<SystemTime>,
    /// `exp` plus leeway.
    valid_until: Option<SystemTime>,
}

impl Revocable {
    /// Makes it from the query for the claims of a token, and from the keys of the application.
    pub(crate) fn new(
        store: &RevocationCheck,
        claims: &RevocationQuery<'_>,
        user_key: Option<&str>,
        session_key: Option<&str>,
        valid_until: Option<SystemTime>,
    ) -> Self {
        Self {
            store: store.clone(),
            token_id: claims.token_id.map(Into::into),
            session: session_key.or(claims.session).map(Into::into),
            user: user_key.map(Into::into),
            issued_at: claims.issued_at,
            expires_at: claims.expires_at,
            valid_until,
        }
    }

    pub(crate) fn store(&self) -> &RevocationCheck {
        &self.store
    }

    pub(crate) fn store_id(&self) -> StoreId {
        self.store.id()
    }

    /// Returns what the store is asked about the session of this token.
    pub(crate) fn query<'a>(&'a self, token: &'a TokenFacts) -> RevocationQuery<'a> {
        RevocationQuery {
            token_id: self.token_id.as_deref(),
            session: self.session.as_deref(),
            user: self.user.as_deref().or(token.subject.as_deref()),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            issuer: token.issuer.as_deref(),
        }
    }

    /// Returns the keys of the entries that concern the session of this token.
    pub(crate) fn entry_keys(&self, token: &TokenFacts) -> Vec<EntryKey> {
        self.query(token).entry_keys().collect()
    }

    /// Asks the store, once.
    pub(crate) async fn check(&self, token: &TokenFacts) -> Result<(), AuthError> {
        self.store.check(self.query(token)).await
    }

    /// Checks that the token has not expired while the store was asked.
    ///
    /// # Errors
    ///
    /// `token_expired`.
    pub(crate) fn check_time(&self, now: SystemTime) -> Result<(), AuthError> {
        match self.valid_until {
            Some(end) if now >= end => Err(AuthError::from(ErrorCode::TokenExpired)
                .with_detail("`exp` plus leeway passed while the store of revocations was asked")),
            _ => Ok(()),
        }
    }
}
