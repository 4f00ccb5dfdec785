//! The user lookup: how the application finds the user of a token.

use std::{error::Error, fmt, sync::Arc};

use http::request::Parts;
use serde::de::DeserializeOwned;
use socketioxide::{
    adapter::Adapter,
    handler::{FromConnectParts, Value},
    socket::Socket,
};

use crate::{error::AuthError, token::RawToken};

/// The types of a user lookup: the claims that it takes and the user that it returns. `#[jwt_auth]`
/// implements it; see [`LookupOn`] for an implementation by hand.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a user lookup",
    label = "put `#[jwt_auth(...)]` on a function of this name, or implement `UserLookup` and `LookupOn`"
)]
pub trait UserLookup: Send + Sync + 'static {
    /// The type that the claims of a token are deserialized into.
    type Claims: DeserializeOwned + Send + Sync + 'static;
    /// The type of the users, which handlers get as [`AuthUser`](crate::AuthUser). It need not be
    /// `Clone`.
    type User: Send + Sync + 'static;
    /// Whether the lookup is called for a guest too, with `None` for the claims.
    const CALLED_FOR_GUESTS: bool = false;
}

/// The result of a lookup: the user, `None` if there is no such user, or the reason why the client
/// is refused.
pub type LookupResult<T> = Result<Option<T>, AuthError>;

/// Finds users for connections to a server with the adapter `C`, or for HTTP requests: see
/// [`LookupContext`]. `#[jwt_auth]` implements it for the annotated function.
///
/// An implementation by hand can carry data:
///
/// ```
/// use std::collections::HashMap;
/// use socketioxide_jwt_auth::{JwtAuth, JwtAuthBuilder, LookupContext, LookupOn, LookupRequest, LookupResult, UserLookup};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// struct Names(HashMap<String, &'static str>);
///
/// impl UserLookup for Names {
///     type Claims = Claims;
///     type User = &'static str;
/// }
///
/// impl<C: LookupContext> LookupOn<C> for Names {
///     async fn look_up(&self, claims: Option<Claims>, _: LookupRequest<'_, C>) -> LookupResult<&'static str> {
///         Ok(claims.and_then(|claims| self.0.get(&claims.sub).copied()))
///     }
/// }
///
/// let names = Names(HashMap::from([("1".to_owned(), "Ada")]));
/// let middleware: JwtAuth<Names> =
///     JwtAuthBuilder::new(names).secret("a secret of thirty-two bytes or more").build()?;
/// # Ok::<(), socketioxide_jwt_auth::ConfigError>(())
/// ```
///
/// One that needs the socket is implemented for adapters only: `impl<A: Adapter> LookupOn<A>`. It
/// does not serve HTTP requests.
#[diagnostic::on_unimplemented(
    message = "the user lookup `{Self}` does not work with the adapter `{C}`",
    label = "one of its parameters is made for another adapter",
    note = "a `SocketRef` without a type argument is one of the local adapter only"
)]
pub trait LookupOn<C: LookupContext>: UserLookup {
    /// Finds the user of a verified token.
    ///
    /// `claims` is `None` only for a guest, and only if [`UserLookup::CALLED_FOR_GUESTS`].
    fn look_up<'a>(
        &'a self,
        claims: Option<Self::Claims>,
        request: LookupRequest<'a, C>,
    ) -> impl Future<Output = LookupResult<Self::User>> + Send + 'a;
}

/// What a lookup is called for: connections to a server with this adapter, or HTTP requests (with
/// the feature `axum`).
///
/// Every adapter implements it. It is not for implementation by applications.
pub trait LookupContext: 'static {
    /// What extractors take their values from: the socket, or the state of the router.
    #[doc(hidden)]
    type Handle: Sync;
    /// Leaves the compiler one implementation of [`FromContext`] to look at, so that it names what is
    /// missing there.
    #[doc(hidden)]
    type Kind;
}

impl<A: Adapter> LookupContext for A {
    type Handle = Arc<Socket<A>>;
    type Kind = Connections;
}

/// The kind of context of every adapter.
#[doc(hidden)]
#[derive(Debug)]
pub enum Connections {}

/// The connection or the HTTP request that a lookup is called for.
pub struct LookupRequest<'a, C: LookupContext> {
    pub(crate) handle: &'a C::Handle,
    pub(crate) parts: &'a Parts,
    /// The auth payload of a connection.
    pub(crate) payload: &'a Option<Value>,
    pub(crate) token: Option<&'a RawToken>,
}

impl<'a, C: LookupContext> LookupRequest<'a, C> {
    /// Returns the HTTP request: the handshake of the connection, or the request to the route.
    pub fn parts(&self) -> &'a Parts {
        self.parts
    }

    /// Returns the encoded token, or `None` for a guest.
    pub fn token(&self) -> Option<&'a RawToken> {
        self.token
    }

    /// Runs a connect extractor of socketioxide: `State`, `HttpExtension`, `SocketRef`, …
    ///
    /// # Errors
    ///
    /// Returns an error if the extractor fails. The client gets `internal_error`; the reason goes
    /// to `tracing`.
    pub fn extract<T: FromLookupRequest<C>>(&self) -> Result<T, AuthError> {
        T::from_lookup_request(self)
    }
}

impl<'a, A: Adapter> LookupRequest<'a, A> {
    /// Returns the request of a client that connects with this auth payload.
    pub(crate) fn of_socket(socket: &'a Arc<Socket<A>>, payload: &'a Option<Value>) -> Self {
        Self {
            handle: socket,
            parts: socket.req_parts(),
            payload,
            token: None,
        }
    }

    /// Returns the socket. Before the connection is accepted the socket is in no namespace, so it
    /// cannot send anything.
    pub fn socket(&self) -> &'a Arc<Socket<A>> {
        self.handle
    }
}

/// Leaves out the request and the token, which are secret.
impl<C: LookupContext> fmt::Debug for LookupRequest<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LookupRequest")
            .finish_non_exhaustive()
    }
}

/// A parameter of a user lookup. Every connect extractor of socketioxide is one for connections; for
/// HTTP requests see `axum::FromHttpRequest`. It is not for implementation by applications.
pub trait FromLookupRequest<C: LookupContext>: Sized {
    /// Extracts the parameter.
    ///
    /// # Errors
    ///
    /// Returns why there is no such value. Any error but an [`AuthError`] is `internal_error` to the
    /// client.
    fn from_lookup_request(request: &LookupRequest<'_, C>) -> Result<Self, AuthError>;
}

impl<C: LookupContext, T: FromContext<C::Kind, C>> FromLookupRequest<C> for T {
    fn from_lookup_request(request: &LookupRequest<'_, C>) -> Result<Self, AuthError> {
        T::from_context(request)
    }
}

/// A parameter of a user lookup, in contexts of one kind.
#[doc(hidden)]
pub trait FromContext<K, C: LookupContext>: Sized {
    fn from_context(request: &LookupRequest<'_, C>) -> Result<Self, AuthError>;
}

impl<A: Adapter, T: FromConnectParts<A>> FromContext<Connections, A> for T {
    fn from_context(request: &LookupRequest<'_, A>) -> Result<Self, AuthError> {
        T::from_connect_parts(request.handle, request.payload).map_err(|error| {
            let error: Box<dyn Error + Send> = Box::new(error);
            match error.downcast::<AuthError>() {
                Ok(own) => *own,
                // The error of an extractor need not be `Sync`, so only its message can be kept.
                Err(other) => AuthError::internal(other.to_string()),
            }
        })
    }
}

/// Converts the return value of a function that returns `Option<T>`.
///
/// # Errors
///
/// Never returns an error.
pub fn outcome_of_option<T>(user: Option<T>) -> LookupResult<T> {
    Ok(user)
}

/// Converts the return value of a function that returns `Result<T, E>`.
///
/// # Errors
///
/// Returns the error of the function.
pub fn outcome_of_result<T, E: Into<Box<dyn Error + Send + Sync>>>(
    user: Result<T, E>,
) -> LookupResult<T> {
    outcome_of_result_option(user.map(Some))
}

/// Converts the return value of a function that returns `Result<Option<T>, E>`.
///
/// # Errors
///
/// Returns the error of the function.
pub fn outcome_of_result_option<T, E: Into<Box<dyn Error + Send + Sync>>>(
    user: Result<Option<T>, E>,
) -> LookupResult<T> {
    user.map_err(|error| AuthError::from(error.into()))
}
