//! The extractor of the claims of an HTTP request.

use std::{fmt, ops::Deref, sync::Arc};

use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;

use super::authenticate;
use crate::{error::AuthError, lookup::UserLookup, middleware::JwtAuth};

/// The verified claims of an HTTP request, for handlers of axum. The user lookup `L` is not called;
/// it names the middleware and the type of the claims.
///
/// It checks all else that [`HttpUser`](super::HttpUser) checks. The store of `revocations` is asked
/// with the `sub` claim as the key of the user, because `user_key` needs the user. Use `HttpUser` if
/// users can be blocked or deleted before their token expires.
///
/// `Option<HttpClaims<authenticate>>` is `None` for a request without a token; a request with a bad
/// token is still refused.
///
/// ```
/// use socketioxide_jwt_auth::{axum::HttpClaims, jwt_auth};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// #[jwt_auth(secret_env = "JWT_SECRET")]
/// async fn authenticate(claims: Claims) -> Option<String> {
///     Some(claims.sub)
/// }
///
/// async fn who_am_i(claims: HttpClaims<authenticate>) -> String {
///     claims.sub.clone()
/// }
/// ```
pub struct HttpClaims<L: UserLookup>(pub Arc<L::Claims>);

impl<L, S> FromRequestParts<S> for HttpClaims<L>
where
    L: UserLookup,
    S: Send + Sync,
    JwtAuth<L>: FromRef<S>,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let claims = authenticate::claims::<L, S>(parts, state).await;
        claims
            .and_then(authenticate::Sender::required)
            .map(Self)
            .map_err(|error| authenticate::refused(parts, error))
    }
}

impl<L, S> OptionalFromRequestParts<S> for HttpClaims<L>
where
    L: UserLookup,
    S: Send + Sync,
    JwtAuth<L>: FromRef<S>,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        let claims = authenticate::claims::<L, S>(parts, state).await;
        claims
            .map(|sender| sender.optional().map(Self))
            .map_err(|error| authenticate::refused(parts, error))
    }
}

impl<L: UserLookup> Clone for HttpClaims<L> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<L: UserLookup> Deref for HttpClaims<L> {
    type Target = L::Claims;

    fn deref(&self) -> &L::Claims {
        &self.0
    }
}

impl<L: UserLookup> fmt::Debug for HttpClaims<L>
where
    L::Claims: fmt::Debug,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HttpClaims").field(&self.0).finish()
    }
}
