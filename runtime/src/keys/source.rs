//! Keys that the application chooses for each token.

use std::{pin::Pin, sync::Arc};

use http::request::Parts;

use super::KeySet;
use crate::{Algorithm, error::AuthError};

/// The token that a [`KeySource`] chooses keys for. **None of it is verified**: use it to choose a
/// key, never to decide anything else.
#[derive(Debug, Clone, Copy)]
pub struct KeyRequest<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) header: &'a str,
    /// `None` if a [`Verifier`](crate::Verifier) is called outside of a connection.
    pub(crate) handshake: Option<Handshake<'a>>,
}

/// The Socket.IO handshake, or the request to an HTTP route, that a token came with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Handshake<'a> {
    pub(crate) parts: &'a Parts,
    /// `None` for an HTTP route.
    pub(crate) namespace: Option<&'a str>,
}

impl<'a> KeyRequest<'a> {
    /// The `alg` of the token's header, which is one of the allowed algorithms.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` of the token's header, as the client wrote it. Never use it as a path, a URL or a
    /// part of a query.
    pub fn key_id(&self) -> Option<&'a str> {
        self.key_id
    }

    /// The whole header of the token, as JSON: for `typ`, or a member that the issuer adds. Never
    /// use a key that it carries or points to (`jwk`, `jku`, `x5c`, `x5u`).
    pub fn header(&self) -> &'a str {
        self.header
    }

    /// The HTTP request: the handshake, or the request to an HTTP route. `None` if the application calls a
    /// [`Verifier`](crate::Verifier) itself.
    pub fn parts(&self) -> Option<&'a Parts> {
        self.handshake.map(|handshake| handshake.parts)
    }

    /// The path of the namespace that the client asks for, without a query string. `None` for an
    /// HTTP route, and if the application calls a [`Verifier`](crate::Verifier) itself.
    pub fn namespace(&self) -> Option<&'a str> {
        self.handshake.and_then(|handshake| handshake.namespace)
    }
}

/// Chooses the keys for each token, so that one server can serve many tenants.
///
/// It works on **unverified data**: everything in the [`KeyRequest`] may be forged. It is safe
/// because the token must then verify with the keys that it returns. Return the keys of exactly one
/// tenant, found by the host name or the namespace, and check in the user lookup that the user
/// belongs to that tenant.
///
/// It is called for every connection: cache what costs time. The client gets its [`AuthError`]
/// unchanged; the usual one is [`AuthError::keys_unavailable`].
///
/// ```
/// use std::{collections::HashMap, sync::Arc};
/// use socketioxide_jwt_auth::{AuthError, KeyRequest, KeySet, KeySource};
///
/// /// One secret for each namespace.
/// struct Tenants(HashMap<String, Arc<KeySet>>);
///
/// impl KeySource for Tenants {
///     async fn keys(&self, request: KeyRequest<'_>) -> Result<Arc<KeySet>, AuthError> {
///         let tenant = request.namespace().and_then(|namespace| self.0.get(namespace));
///         tenant.cloned().ok_or_else(|| AuthError::denied("unknown tenant"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a source of keys",
    label = "implement `KeySource` for it",
    note = "`keys` takes a value that chooses the keys of each token; a fixed key belongs in `secret`, `public_key` or `jwks`"
)]
pub trait KeySource: Send + Sync + 'static {
    /// Returns the keys that may have signed the token.
    ///
    /// # Errors
    ///
    /// There are no such keys, or they are not available now.
    fn keys(
        &self,
        request: KeyRequest<'_>,
    ) -> impl Future<Output = Result<Arc<KeySet>, AuthError>> + Send;
}

type KeysFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<KeySet>, AuthError>> + Send + 'a>>;

/// A [`KeySource`] of any type, as a trait object.
pub(crate) trait DynamicKeySource: Send + Sync {
    fn keys<'a>(&'a self, request: KeyRequest<'a>) -> KeysFuture<'a>;
}

impl<S: KeySource> DynamicKeySource for S {
    fn keys<'a>(&'a self, request: KeyRequest<'a>) -> KeysFuture<'a> {
        Box::pin(KeySource::keys(self, request))
    }
}
