//! Tells the middlewares of this process about revocations.

use std::fmt;

use tokio::sync::broadcast::{self, error::RecvError};

use super::{
    Revocation, RevocationQuery,
    entry::{EntryKey, IssuedBefore},
};

/// Tells the middlewares of this process about revocations that were made, by any node, so that they
/// end the open sockets concerned.
///
/// It is for a [`RevocationStore`](crate::RevocationStore) of the application, which returns it from
/// [`notifier`](crate::RevocationStore::notifier). Clones tell the same middlewares.
///
/// ```
/// use socketioxide_jwt_auth::{
///     Revocation, RevocationError, RevocationNotifier, RevocationQuery, RevocationStatus, RevocationStore,
/// };
///
/// struct Database {
///     notifier: RevocationNotifier,
/// }
///
/// impl Database {
///     /// Called for each message of `LISTEN`.
///     fn on_message(&self, user: &str) {
///         self.notifier.revoked(&Revocation::user(user));
///     }
///
///     /// Called after the connection was lost, because messages may have been lost too.
///     fn on_reconnect(&self) {
///         self.notifier.sweep();
///     }
/// }
///
/// impl RevocationStore for Database {
///     async fn check(&self, query: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
///         // …
/// #       Ok(query.user.is_none().into())
///     }
///
///     fn notifier(&self) -> Option<&RevocationNotifier> {
///         Some(&self.notifier)
///     }
/// }
/// ```
#[derive(Clone)]
pub struct RevocationNotifier(broadcast::Sender<RevocationChange>);

impl RevocationNotifier {
    /// How many changes are buffered for a middleware. If there are more, it sweeps.
    const BUFFER: usize = 1024;

    /// Makes a notifier.
    pub fn new() -> Self {
        Self(broadcast::Sender::new(Self::BUFFER))
    }

    /// Tells that a revocation was made. Call it after the store has kept it.
    pub fn revoked(&self, revocation: &Revocation) {
        self.tell(revocation.entry_key(), revocation.covered());
    }

    /// Tells that revocations may have been missed: the store is asked about every open socket again.
    pub fn sweep(&self) {
        self.0.send(RevocationChange::Sweep).ok();
    }

    /// Returns the changes from now on, for what the application must end by itself, such as long
    /// responses of HTTP routes.
    pub fn subscribe(&self) -> RevocationChanges {
        RevocationChanges(self.0.subscribe())
    }

    pub(super) fn tell(&self, key: EntryKey, issued_before: IssuedBefore) {
        let entry = RevokedEntry { key, issued_before };
        // It fails if there is no subscriber, which is fine.
        self.0.send(RevocationChange::Revoked(entry)).ok();
    }
}

impl Default for RevocationNotifier {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for RevocationNotifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RevocationNotifier")
    }
}

/// What a [`RevocationNotifier`] tells.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum RevocationChange {
    /// A revocation was made. The same one may be told more than once.
    Revoked(RevokedEntry),
    /// Revocations may have been missed: ask the store again about every token in use.
    Sweep,
}

/// A revocation that was made. It does not show what was revoked, but which tokens are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RevokedEntry {
    key: EntryKey,
    issued_before: IssuedBefore,
}

impl RevokedEntry {
    pub(crate) fn key(&self) -> EntryKey {
        self.key
    }

    /// Returns whether a token is revoked by it.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::*;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let notifier = RevocationNotifier::new();
    /// let mut changes = notifier.subscribe();
    /// notifier.revoked(&Revocation::token("b8f1c2"));
    ///
    /// let mut query = RevocationQuery::default();
    /// query.token_id = Some("b8f1c2");
    /// match changes.next().await {
    ///     Some(RevocationChange::Revoked(entry)) => assert!(entry.concerns(&query)),
    ///     change => panic!("{change:?}"),
    /// }
    /// # }
    /// ```
    pub fn concerns(&self, query: &RevocationQuery<'_>) -> bool {
        let scope = self.key.scope();
        query
            .text(scope)
            .is_some_and(|text| EntryKey::new(scope, text) == self.key)
            && self.issued_before.covers(query.issued_at)
    }
}

/// The changes that a [`RevocationNotifier`] tells from the time on at which they were subscribed to.
#[derive(Debug)]
pub struct RevocationChanges(broadcast::Receiver<RevocationChange>);

impl RevocationChanges {
    /// Waits for the next change. Returns `None` if there will be no more, because the notifier is
    /// gone.
    ///
    /// If changes were missed, because there were too many, it returns
    /// [`Sweep`](RevocationChange::Sweep) in their place. It is cancel-safe.
    pub async fn next(&mut self) -> Option<RevocationChange> {
        match self.0.recv().await {
            Ok(change) => Some(change),
            Err(RecvError::Lagged(_)) => Some(RevocationChange::Sweep),
            Err(RecvError::Closed) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use futures_util::FutureExt;

    use super::*;

    fn next(changes: &mut RevocationChanges) -> Option<RevocationChange> {
        changes.next().now_or_never().expect("there is a change")
    }

    #[test]
    fn a_revocation_concerns_the_tokens_that_it_covers() {
        let notifier = RevocationNotifier::new();
        let mut changes = notifier.subscribe();
        let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
        notifier.revoked(&Revocation::user(7).issued_before(at(100)));
        let Some(RevocationChange::Revoked(entry)) = next(&mut changes) else {
            panic!("a revocation was made");
        };

        let query = RevocationQuery {
            user: Some("7"),
            issued_at: Some(at(100)),
            ..RevocationQuery::default()
        };
        assert!(entry.concerns(&query));
        assert!(entry.concerns(&RevocationQuery {
            issued_at: None,
            ..query
        }));
        assert!(!entry.concerns(&RevocationQuery {
            issued_at: Some(at(101)),
            ..query
        }));
        assert!(!entry.concerns(&RevocationQuery {
            user: Some("8"),
            ..query
        }));
        assert!(!entry.concerns(&RevocationQuery {
            user: None,
            session: Some("7"),
            token_id: Some("7"),
            ..query
        }));
    }

    #[test]
    fn changes_that_were_missed_become_a_sweep() {
        let notifier = RevocationNotifier::new();
        let mut changes = notifier.subscribe();
        for number in 0..=RevocationNotifier::BUFFER {
            notifier.revoked(&Revocation::token(number));
        }
        assert!(matches!(next(&mut changes), Some(RevocationChange::Sweep)));
        assert!(matches!(
            next(&mut changes),
            Some(RevocationChange::Revoked(_))
        ));
        drop(notifier);
        while let Some(change) = next(&mut changes) {
            assert!(matches!(change, RevocationChange::Revoked(_)));
        }
    }
}
