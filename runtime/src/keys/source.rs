//! Where keys come from: the trait for sources of the application, and the source of a verifier.

use std::{fmt, pin::Pin, sync::Arc};

use http::request::Parts;
use jsonwebtoken::Algorithm;

use super::KeySet;
#[cfg(feature = "jwks")]
use super::remote::{HttpFetch, RemoteKeys};
use crate::error::AuthError;

/// What a [`KeySource`] may look at. **None of it is verified**: it chooses a key, and must decide nothing else.
#[derive(Debug, Clone, Copy)]
pub struct KeyRequest<'a> {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) header: &'a str,
    pub(crate) parts: Option<&'a Parts>,
    pub(crate) namespace: Option<&'a str>,
}

impl<'a> KeyRequest<'a> {
    /// The `alg` of the token's header. It is one of the allowed ones.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The `kid` of the token's header, as the client wrote it. Never use it as a path, a URL or a part of a query.
    pub fn key_id(&self) -> Option<&'a str> {
        self.key_id
    }

    /// The whole header of the token, as JSON: for `typ`, or a member of the issuer's own. Follow no key that it carries
    /// or points to (`jwk`, `jku`, `x5c`, `x5u`).
    pub fn header(&self) -> &'a str {
        self.header
    }

    /// The HTTP request of the handshake; `None` if a [`Verifier`](crate::Verifier) was called on its own.
    pub fn parts(&self) -> Option<&'a Parts> {
        self.parts
    }

    /// The path of the namespace that the client asks for, without a query string; `None` if a [`Verifier`](crate::Verifier) was called on
    /// its own.
    pub fn namespace(&self) -> Option<&'a str> {
        self.namespace
    }
}

/// Chooses the keys for each token, so that one server can serve many tenants.
///
/// It works on **unverified data**: whatever it reads from the [`KeyRequest`] may be forged. What makes it safe is
/// that the token must then verify with the keys that it answers with. Let it answer with the keys of exactly one
/// tenant, found by something that the same tenant's users cannot choose for another one (the host name or the
/// namespace), and check in the user lookup that the user belongs to that tenant.
///
/// It is asked for every connection: cache what costs time. Its [`AuthError`] is passed on to the client as it is; the
/// usual one is [`AuthError::keys_unavailable`].
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
    message = "`{Self}` is no source of keys",
    label = "implement `KeySource` for it",
    note = "`keys` takes a value that chooses the keys of each token; a fixed key belongs in `secret`, `public_key` or `jwks`"
)]
pub trait KeySource: Send + Sync + 'static {
    /// The keys that may have signed the token.
    ///
    /// # Errors
    ///
    /// No such keys, or they cannot be had now.
    fn keys(&self, request: KeyRequest<'_>) -> impl Future<Output = Result<Arc<KeySet>, AuthError>> + Send;
}

type KeysFuture<'a> = Pin<Box<dyn Future<Output = Result<Arc<KeySet>, AuthError>> + Send + 'a>>;

/// A [`KeySource`] of any type.
pub(crate) trait DynamicKeySource: Send + Sync {
    fn keys<'a>(&'a self, request: KeyRequest<'a>) -> KeysFuture<'a>;
}

impl<S: KeySource> DynamicKeySource for S {
    fn keys<'a>(&'a self, request: KeyRequest<'a>) -> KeysFuture<'a> {
        Box::pin(KeySource::keys(self, request))
    }
}

/// The keys of a verifier.
#[derive(Clone)]
pub(crate) enum Keys {
    Fixed(Arc<KeySet>),
    #[cfg(feature = "jwks")]
    Remote(Arc<RemoteKeys<HttpFetch>>),
    Source(Arc<dyn DynamicKeySource>),
}

impl Keys {
    /// Runs `verify` with the keys that may have signed a token, once more with newer ones of a remote issuer if it fails.
    ///
    /// # Errors
    ///
    /// Those of the source, and of `verify`.
    pub(crate) async fn verify_with(
        &self,
        request: KeyRequest<'_>,
        verify: impl Fn(&KeySet) -> Result<(), AuthError>,
    ) -> Result<(), AuthError> {
        match self {
            Self::Fixed(keys) => verify(keys),
            #[cfg(feature = "jwks")]
            Self::Remote(keys) => keys.verify_with(verify).await,
            Self::Source(source) => verify(&*source.keys(request).await?),
        }
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(keys) => formatter.debug_tuple("Fixed").field(keys).finish(),
            #[cfg(feature = "jwks")]
            Self::Remote(_) => formatter.write_str("Remote(..)"),
            Self::Source(_) => formatter.write_str("Source(..)"),
        }
    }
}
