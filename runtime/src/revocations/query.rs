//! What a store is asked about a token.

use std::time::SystemTime;

use super::{
    RevocationScope,
    entry::{EntryKey, IssuedBefore},
};

/// A verified token that a [`RevocationStore`](crate::RevocationStore) is asked about. A field is
/// `None` if the token does not have it.
///
/// ```
/// use std::time::SystemTime;
/// use socketioxide_jwt_auth::{RevocationQuery, RevocationStatus, Revocations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), socketioxide_jwt_auth::RevocationError> {
/// let mut query = RevocationQuery::default();
/// query.user = Some("42");
/// query.issued_at = Some(SystemTime::now());
///
/// let status = Revocations::in_memory().check(query).await?;
/// assert_eq!(status, RevocationStatus::NotRevoked);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub struct RevocationQuery<'a> {
    /// The `jti` claim.
    pub token_id: Option<&'a str>,
    /// The key of the session: what `session_key` returns, or the `sid` claim, whose digits count if
    /// it is an integer.
    pub session: Option<&'a str>,
    /// The key of the user: what `user_key` returns, or the `sub` claim.
    pub user: Option<&'a str>,
    /// The `iat` claim.
    pub issued_at: Option<SystemTime>,
    /// The `exp` claim, without leeway.
    pub expires_at: Option<SystemTime>,
    /// The `iss` claim.
    pub issuer: Option<&'a str>,
}

impl RevocationQuery<'_> {
    /// Returns whether the token was issued at this time or before. Returns `true` if the token does
    /// not say when it was issued.
    ///
    /// `iat` has whole seconds, so both times are rounded up to whole seconds before they are
    /// compared: a token that was issued before `time` is always found.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use socketioxide_jwt_auth::RevocationQuery;
    ///
    /// let now = SystemTime::now();
    /// let mut query = RevocationQuery::default();
    /// assert!(query.is_issued_before(now));
    /// query.issued_at = Some(now + Duration::from_secs(2));
    /// assert!(!query.is_issued_before(now));
    /// ```
    pub fn is_issued_before(&self, time: SystemTime) -> bool {
        IssuedBefore::new(Some(time)).covers(self.issued_at)
    }

    /// Returns the key of one scope.
    pub(super) fn text(&self, scope: RevocationScope) -> Option<&str> {
        match scope {
            RevocationScope::Token => self.token_id,
            RevocationScope::Session => self.session,
            RevocationScope::User => self.user,
        }
    }

    /// Returns the keys of the entries that concern the token.
    pub(crate) fn entry_keys(&self) -> impl Iterator<Item = EntryKey> {
        let scopes = [
            RevocationScope::Token,
            RevocationScope::Session,
            RevocationScope::User,
        ];
        scopes
            .into_iter()
            .filter_map(|scope| Some(EntryKey::new(scope, self.text(scope)?)))
    }
}

/// Leaves the keys out, because they may be personal data.
impl std::fmt::Debug for RevocationQuery<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("RevocationQuery")
            .field("issued_at", &self.issued_at)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
