//! The extractor of the user of an HTTP request.

use std::{any::type_name, fmt, marker::PhantomData, ops::Deref, sync::Arc, time::SystemTime};

use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use http::request::Parts;
use serde::{Serialize, Serializer};

use super::{
    authenticate::{self, FoundUser},
    context::{AnyRouter, Http, RouterState},
};
use crate::{
    error::{AuthError, ErrorCode},
    guard,
    lookup::LookupOn,
    middleware::JwtAuth,
    policy::Policy,
};

/// The user of an HTTP request, for handlers of axum: the user lookup `L` finds it as it finds the
/// user of a connection.
///
/// It derefs to the user, and its clones share it. With a [`Policy`], `HttpUser<authenticate,
/// Moderator>`, a user that the policy does not allow is refused with `forbidden`.
/// `Option<HttpUser<authenticate>>` is `None` for a request without a token, whether or not the
/// middleware admits guests; a request with a bad token is still refused.
///
/// The state of the router has the middleware (`JwtAuth<authenticate>: FromRef<S>`), and what the
/// lookup takes as `State`. A lookup can serve requests if each of its parameters implements
/// [`FromHttpRequest`](super::FromHttpRequest): one that takes a `SocketRef` cannot.
///
/// ```
/// use axum::{Router, routing::get};
/// use socketioxide_jwt_auth::{AuthError, ConfigError, Policy, axum::HttpUser, jwt_auth};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String, admin: bool }
/// struct User { name: String, admin: bool }
///
/// struct Admin;
///
/// impl Policy<User> for Admin {
///     fn allows(user: &User) -> bool {
///         user.admin
///     }
/// }
///
/// #[jwt_auth(secret_env = "JWT_SECRET")]
/// async fn authenticate(claims: Claims) -> Option<User> {
///     Some(User { name: claims.sub, admin: claims.admin })
/// }
///
/// async fn home(user: Option<HttpUser<authenticate>>) -> String {
///     let name = user.as_ref().map_or("guest", |user| &user.name);
///     format!("Hello, {name}!")
/// }
///
/// async fn report(_: HttpUser<authenticate, Admin>) -> Result<String, AuthError> {
///     Err(AuthError::denied("There is no report yet."))
/// }
///
/// fn routes() -> Result<Router, ConfigError> {
///     let auth = authenticate::middleware()?;
///     Ok(Router::new().route("/", get(home)).route("/report", get(report)).with_state(auth))
/// }
/// ```
///
/// # What is checked
///
/// Each request is checked as a connection is, in the same order: the origin, the token of the first
/// source that is present, its signature, its claims, the lookup (within `lookup_timeout`), then the
/// store of `revocations` with the key of the user. A panic of the lookup refuses the request with
/// `internal_error`. The refusal, an [`AuthError`], becomes the response.
///
/// - **Sources.** Sources in the auth payload do not exist: `token = [auth("token"), bearer]` is for
///   sockets and routes. A token in the query counts only if `token` lists a query parameter, as the
///   default does.
/// - **Cookies.** A token in a cookie counts only for a page in `allowed_origins`, or if
///   `Sec-Fetch-Site` says `same-origin`: browsers leave the `Origin` of a same-origin GET out. A link
///   from another site is refused with `origin_not_allowed`.
/// - **Guests.** A request without a token is refused with `token_missing`, or with `login_required`
///   if the middleware admits guests; `Option` is for both. If the lookup returns a user for a guest,
///   that is the user.
/// - **Logouts.** `disconnect_user` and its like end sockets. Only `revocations` also refuse requests
///   with tokens that are still valid.
/// - **Limits.** The limit of refusals counts attempts of a connection, not requests: put a layer with
///   a rate limit before routes that need one.
///
/// Several extractors of one request share the user: the lookup runs once, and the store is asked once
/// after it. If [`HttpClaims`](super::HttpClaims) comes first, it has asked before the lookup, too.
pub struct HttpUser<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User> = ()> {
    user: Arc<L::User>,
    expires_at: Option<SystemTime>,
    policy: PhantomData<fn() -> P>,
}

impl<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User>> HttpUser<L, P> {
    fn allowed(found: FoundUser<L>) -> Result<Self, AuthError> {
        if !guard::call("the policy", || P::allows(&found.user))? {
            return Err(AuthError::from(ErrorCode::Forbidden).with_detail(format!(
                "the policy `{}` does not allow the user",
                type_name::<P>()
            )));
        }

        Ok(Self {
            user: found.user,
            expires_at: found.expires_at,
            policy: PhantomData,
        })
    }

    /// Returns the shared user, to keep it longer than the handler runs.
    pub fn into_arc(self) -> Arc<L::User> {
        self.user
    }

    /// Returns when the token expires (its `exp`, without leeway), or `None` if it does not expire.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }
}

impl<L, P, S> FromRequestParts<S> for HttpUser<L, P>
where
    L: LookupOn<Http<AnyRouter>> + LookupOn<Http<RouterState<S>>>,
    P: Policy<L::User>,
    S: Send + Sync + 'static,
    JwtAuth<L>: FromRef<S>,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, AuthError> {
        let found = authenticate::user::<L, S>(parts, state).await;
        found
            .and_then(authenticate::Sender::required)
            .and_then(Self::allowed)
            .map_err(|error| authenticate::refused(parts, error))
    }
}

impl<L, P, S> OptionalFromRequestParts<S> for HttpUser<L, P>
where
    L: LookupOn<Http<AnyRouter>> + LookupOn<Http<RouterState<S>>>,
    P: Policy<L::User>,
    S: Send + Sync + 'static,
    JwtAuth<L>: FromRef<S>,
{
    type Rejection = AuthError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, AuthError> {
        let found = authenticate::user::<L, S>(parts, state).await;
        found
            .and_then(|sender| sender.optional().map(Self::allowed).transpose())
            .map_err(|error| authenticate::refused(parts, error))
    }
}

impl<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User>> Clone for HttpUser<L, P> {
    fn clone(&self) -> Self {
        Self {
            user: Arc::clone(&self.user),
            expires_at: self.expires_at,
            policy: PhantomData,
        }
    }
}

impl<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User>> Deref for HttpUser<L, P> {
    type Target = L::User;

    fn deref(&self) -> &L::User {
        &self.user
    }
}

impl<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User>> AsRef<L::User> for HttpUser<L, P> {
    fn as_ref(&self) -> &L::User {
        self
    }
}

/// Serializes the user.
impl<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User>> Serialize for HttpUser<L, P>
where
    L::User: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.user.serialize(serializer)
    }
}

impl<L: LookupOn<Http<AnyRouter>>, P: Policy<L::User>> fmt::Debug for HttpUser<L, P>
where
    L::User: fmt::Debug,
{
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("HttpUser").field(&self.user).finish()
    }
}
