//! What an application revokes.

use std::{
    fmt::{self, Display},
    time::{Duration, SystemTime},
};

use super::{
    MARGIN,
    entry::{Entry, EntryKey, IssuedBefore, whole_seconds},
};

/// What is refused from now on: one token, the tokens of a session, or those of a user.
///
/// A [`RevocationStore`](crate::RevocationStore) keeps it until the last token that it concerns has
/// expired. It cannot be withdrawn.
///
/// ```
/// use std::time::SystemTime;
/// use socketioxide_jwt_auth::{Revocation, Revocations};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), socketioxide_jwt_auth::RevocationError> {
/// let store = Revocations::in_memory();
///
/// // A token was stolen.
/// store.revoke(Revocation::token("b8f1c2")).await?;
/// // A device was lost: its login ends.
/// store.revoke(Revocation::session("laptop-7")).await?;
/// // A password was changed: whatever was issued up to now ends.
/// store.revoke(Revocation::user(42).issued_before(SystemTime::now())).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use = "a revocation does nothing until it is given to `revoke` of a store"]
pub struct Revocation {
    scope: RevocationScope,
    key: String,
    issued_before: Option<SystemTime>,
    expires_at: Option<SystemTime>,
}

/// What the key of a [`Revocation`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum RevocationScope {
    /// The `jti` of a token.
    Token,
    /// The session that tokens belong to.
    Session,
    /// The user that tokens were issued to.
    User,
}

impl RevocationScope {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Session => "session",
            Self::User => "user",
        }
    }
}

impl Revocation {
    /// Revokes the token with this `jti`, whenever it was issued.
    ///
    /// Give its `exp` to [`expires_at`](Self::expires_at), if it is known, so that the entry does not
    /// stay longer than needed.
    pub fn token(jti: impl Display) -> Self {
        Self::new(RevocationScope::Token, jti, None)
    }

    /// Revokes every token of this session, also those that are issued later: a client that has a
    /// refresh token cannot bring the session back. For a key that is used again after a new login,
    /// such as the name of a device, set [`issued_before`](Self::issued_before).
    ///
    /// The key of a session is what `session_key` returns. It is the `sid` claim where there is none,
    /// and for a [`Verifier`](crate::Verifier), which knows only the claims.
    pub fn session(key: impl Display) -> Self {
        Self::new(RevocationScope::Session, key, None)
    }

    /// Revokes the tokens of this user that were issued up to now. Tokens that are issued later are
    /// accepted.
    ///
    /// The key of a user is what `user_key` returns, as a string. It is the `sub` claim where there
    /// is no `user_key`, and for a [`Verifier`](crate::Verifier), which looks no user up.
    pub fn user(key: impl Display) -> Self {
        Self::new(RevocationScope::User, key, Some(SystemTime::now()))
    }

    fn new(scope: RevocationScope, key: impl Display, issued_before: Option<SystemTime>) -> Self {
        Self {
            scope,
            key: key.to_string(),
            issued_before,
            expires_at: None,
        }
    }

    /// Revokes only tokens that were issued at this time or before.
    ///
    /// `iat` has whole seconds, so the time is rounded up to a whole second: a token that is issued
    /// in the same second, or at the very beginning of the next one, is refused too. `iat` is by the
    /// clock of the issuer; if that may be ahead of yours, add the difference.
    ///
    /// A token without `iat` is refused.
    pub fn issued_before(mut self, time: SystemTime) -> Self {
        self.issued_before = Some(time);
        self
    }

    /// Sets the `exp` of the last token that is concerned. The entry ends ten minutes later.
    /// Defaults to the longest life of a token, which is a setting of the store.
    pub fn expires_at(mut self, time: SystemTime) -> Self {
        self.expires_at = Some(time);
        self
    }

    /// Returns what [`key`](Self::key) is.
    pub fn scope(&self) -> RevocationScope {
        self.scope
    }

    /// Returns the `jti`, the session's key or the user's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Returns the time up to which tokens are refused. `None` if it does not matter when they were
    /// issued. See [`RevocationQuery::is_issued_before`](crate::RevocationQuery::is_issued_before).
    pub fn time(&self) -> Option<SystemTime> {
        self.issued_before
    }

    /// Returns the time from which on a store may forget this revocation, if no token lives longer
    /// than `max_token_life`.
    pub fn ends_at(&self, now: SystemTime, max_token_life: Duration) -> SystemTime {
        // More than a life of any token, and far from what a clock can represent.
        const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

        let latest = now + LONGEST;
        let last_expiry = match self.expires_at {
            Some(expires_at) => expires_at.max(now),
            // A token may be issued until then.
            None => self
                .issued_before
                .map_or(now, |time| time.max(now))
                .checked_add(max_token_life)
                .unwrap_or(latest),
        };
        last_expiry
            .checked_add(MARGIN)
            .unwrap_or(latest)
            .min(latest)
    }

    pub(super) fn entry_key(&self) -> EntryKey {
        EntryKey::new(self.scope, &self.key)
    }

    pub(super) fn covered(&self) -> IssuedBefore {
        IssuedBefore::new(self.issued_before)
    }

    pub(super) fn entry(&self, now: SystemTime, max_token_life: Duration) -> Entry {
        Entry {
            key: self.entry_key(),
            issued_before: self.covered(),
            ends_at: whole_seconds(self.ends_at(now, max_token_life)),
        }
    }
}

/// Leaves the key out, because it may be personal data.
impl fmt::Debug for Revocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Revocation")
            .field("scope", &self.scope)
            .field("issued_before", &self.issued_before)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    const LIFE: Duration = Duration::from_hours(24);

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn an_entry_outlives_the_last_token_by_the_margin() {
        let now = at(1_000_000);
        let ends = |revocation: Revocation| revocation.ends_at(now, LIFE);

        assert_eq!(ends(Revocation::session("a")), now + LIFE + MARGIN);
        let user = Revocation::user("a").issued_before(at(5));
        assert_eq!(ends(user), now + LIFE + MARGIN);
        let planned = Revocation::user("a").issued_before(now + LIFE);
        assert_eq!(ends(planned), now + 2 * LIFE + MARGIN);

        let token = Revocation::token("a").expires_at(at(1_000_060));
        assert_eq!(ends(token), at(1_000_060) + MARGIN);
        let expired = Revocation::token("a").expires_at(at(60));
        assert_eq!(ends(expired), now + MARGIN, "open sockets are still ended");
    }

    #[test]
    fn an_entry_of_a_distant_time_has_an_end() {
        let now = at(1_000_000);
        let never = UNIX_EPOCH + Duration::from_secs(i64::MAX as u64);
        let latest = now + Duration::from_hours(100 * 365 * 24);
        assert_eq!(
            Revocation::token("a").expires_at(never).ends_at(now, LIFE),
            latest
        );
        assert_eq!(
            Revocation::user("a")
                .issued_before(never)
                .ends_at(now, LIFE),
            latest
        );
        assert_eq!(Revocation::session("a").ends_at(now, Duration::MAX), latest);
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let shown = format!("{:?}", Revocation::user("ada@example.com"));
        assert!(!shown.contains("ada"), "{shown}");
        assert!(shown.contains("User"), "{shown}");
    }
}
