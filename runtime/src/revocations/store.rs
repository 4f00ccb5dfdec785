//! `RevocationStore`: what a store must be able to do.

use std::{error::Error, fmt, pin::Pin, sync::Arc};

use super::{Revocation, RevocationNotifier, RevocationQuery};

/// Whether a token was revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum RevocationStatus {
    /// Neither the token nor its session nor its user was revoked.
    NotRevoked,
    /// The token is refused with `token_revoked`.
    Revoked,
}

impl From<bool> for RevocationStatus {
    /// Converts whether a token is revoked.
    fn from(is_revoked: bool) -> Self {
        if is_revoked {
            Self::Revoked
        } else {
            Self::NotRevoked
        }
    }
}

/// Keeps revocations. [`Revocations`](crate::Revocations) keeps them in memory, `RedisRevocations`
/// (feature `redis`) in Redis, and applications can write their own, for instance on their database.
///
/// It is asked once for every token that is otherwise accepted, so it must be fast. An error, a
/// panic, and an answer later than `revocations_timeout` refuse the token with
/// `revocations_unavailable`.
///
/// A store needs only [`check`](Self::check). With a [`notifier`](Self::notifier) it also ends the
/// open sockets that a revocation concerns; without one they are asked about again when they renew
/// their token or are re-checked.
///
/// ```
/// use std::{collections::HashMap, sync::RwLock, time::SystemTime};
/// use socketioxide_jwt_auth::{
///     RevocationError, RevocationQuery, RevocationStatus, RevocationStore, Verifier,
/// };
///
/// /// When each user changed the password. A real one would ask a database.
/// struct PasswordChanges(RwLock<HashMap<String, SystemTime>>);
///
/// impl RevocationStore for PasswordChanges {
///     async fn check(&self, query: RevocationQuery<'_>) -> Result<RevocationStatus, RevocationError> {
///         let changes = self.0.read().map_err(|_| RevocationError::new("poisoned"))?;
///         let changed = query.user.and_then(|user| changes.get(user));
///         Ok(changed.is_some_and(|time| query.is_issued_before(*time)).into())
///     }
/// }
///
/// let verifier = Verifier::builder()
///     .secret("a secret of thirty-two bytes or more")
///     .revocations(PasswordChanges(RwLock::default()))
///     .build()?;
/// # drop(verifier);
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a store of revocations",
    label = "use `Revocations::in_memory()`, `RedisRevocations`, or implement `RevocationStore` for it"
)]
pub trait RevocationStore: Send + Sync + 'static {
    /// Returns whether a token was revoked: by its `jti`, its session or its user.
    ///
    /// # Errors
    ///
    /// It cannot be known now. The token is refused.
    fn check(
        &self,
        query: RevocationQuery<'_>,
    ) -> impl Future<Output = Result<RevocationStatus, RevocationError>> + Send;

    /// Returns the same for several tokens, in their order: it is asked about the open sockets when a
    /// message may have been lost. By default it calls [`check`](Self::check) for each.
    ///
    /// # Errors
    ///
    /// It cannot be known now. The sockets stay, and are asked about again.
    fn check_many(
        &self,
        queries: &[RevocationQuery<'_>],
    ) -> impl Future<Output = Result<Vec<RevocationStatus>, RevocationError>> + Send {
        async move {
            let mut statuses = Vec::with_capacity(queries.len());
            for query in queries {
                statuses.push(self.check(*query).await?);
            }
            Ok(statuses)
        }
    }

    /// Keeps a revocation. From its return on, every check finds it.
    ///
    /// By default it fails, for stores that get their revocations in another way.
    ///
    /// # Errors
    ///
    /// The revocation may not have been kept. Call it again.
    fn revoke(
        &self,
        revocation: Revocation,
    ) -> impl Future<Output = Result<(), RevocationError>> + Send {
        drop(revocation);
        async { Err(RevocationError::new("this store cannot revoke")) }
    }

    /// Returns what tells the middlewares of this process about revocations, so that they end open
    /// sockets. By default there is none.
    fn notifier(&self) -> Option<&RevocationNotifier> {
        None
    }
}

/// A store that the application keeps too, to revoke.
impl<S: RevocationStore> RevocationStore for Arc<S> {
    fn check(
        &self,
        query: RevocationQuery<'_>,
    ) -> impl Future<Output = Result<RevocationStatus, RevocationError>> + Send {
        S::check(self, query)
    }

    fn check_many(
        &self,
        queries: &[RevocationQuery<'_>],
    ) -> impl Future<Output = Result<Vec<RevocationStatus>, RevocationError>> + Send {
        S::check_many(self, queries)
    }

    fn revoke(
        &self,
        revocation: Revocation,
    ) -> impl Future<Output = Result<(), RevocationError>> + Send {
        S::revoke(self, revocation)
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        S::notifier(self)
    }
}

/// Why a store could not answer, or not keep a revocation.
///
/// It goes to the log, never to a client.
///
/// ```
/// use socketioxide_jwt_auth::RevocationError;
///
/// let error = RevocationError::new(std::io::Error::other("the disk is full"));
/// assert_eq!(error.to_string(), "the revocation store failed: the disk is full");
/// ```
pub struct RevocationError(Box<dyn Error + Send + Sync>);

impl RevocationError {
    /// Makes an error from its cause, which must not hold a password or a token.
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for RevocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the revocation store failed: {}", self.0)
    }
}

impl fmt::Debug for RevocationError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("RevocationError")
            .field(&self.0)
            .finish()
    }
}

impl Error for RevocationError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, RevocationError>> + Send + 'a>>;

/// A [`RevocationStore`] of any type, as a trait object.
pub(super) trait DynamicRevocationStore: Send + Sync {
    fn check<'a>(&'a self, query: RevocationQuery<'a>) -> Answer<'a, RevocationStatus>;

    fn check_many<'a>(
        &'a self,
        queries: &'a [RevocationQuery<'a>],
    ) -> Answer<'a, Vec<RevocationStatus>>;

    fn notifier(&self) -> Option<&RevocationNotifier>;
}

impl<S: RevocationStore> DynamicRevocationStore for S {
    fn check<'a>(&'a self, query: RevocationQuery<'a>) -> Answer<'a, RevocationStatus> {
        Box::pin(RevocationStore::check(self, query))
    }

    fn check_many<'a>(
        &'a self,
        queries: &'a [RevocationQuery<'a>],
    ) -> Answer<'a, Vec<RevocationStatus>> {
        Box::pin(RevocationStore::check_many(self, queries))
    }

    fn notifier(&self) -> Option<&RevocationNotifier> {
        RevocationStore::notifier(self)
    }
}
