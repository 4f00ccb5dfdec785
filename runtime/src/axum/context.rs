//! HTTP requests as something that a user lookup can be called for.

use std::{any::type_name, convert::Infallible, marker::PhantomData};

use axum_core::extract::FromRef;
use http::request::Parts;
use socketioxide::{
    SocketIo,
    adapter::Adapter,
    extract::{HttpExtension, MaybeHttpExtension, State},
};

use crate::{
    error::AuthError,
    lookup::{FromContext, LookupContext, LookupRequest},
};

/// The context of a user lookup that is called for HTTP requests to a router.
#[derive(Debug)]
pub struct Http<R>(PhantomData<fn() -> R>);

/// The routers whose state has the type `S`.
#[doc(hidden)]
#[derive(Debug)]
pub struct RouterState<S>(PhantomData<fn() -> S>);

/// Routers with any state. It answers whether a lookup can be called for HTTP requests at all, so
/// that the compiler can say so where [`HttpUser`](super::HttpUser) is written.
#[doc(hidden)]
#[derive(Debug)]
pub enum AnyRouter {}

/// The routers of an [`Http`] context. It is not for implementation by applications.
pub trait HttpRouter: 'static {
    /// The state of the router.
    type State: Sync;
}

impl<S: Sync + 'static> HttpRouter for RouterState<S> {
    type State = S;
}

impl HttpRouter for AnyRouter {
    type State = Infallible;
}

impl<R: HttpRouter> LookupContext for Http<R> {
    type Handle = R::State;
    type Kind = HttpRequests;
}

/// The kind of context of every [`Http`].
#[doc(hidden)]
#[derive(Debug)]
pub enum HttpRequests {}

/// A parameter of a user lookup that is called for HTTP requests, too.
///
/// Implemented for these extractors of socketioxide:
///
/// | extractor | value |
/// |---|---|
/// | `State<T>` | from the state of the router, by `T: FromRef<S>` |
/// | `SocketIo<A>` | from the state of the router, by `SocketIo<A>: FromRef<S>` |
/// | `HttpExtension<T>`, `MaybeHttpExtension<T>` | from the extensions of the request |
///
/// An extractor of the application can implement it beside
/// [`FromConnectParts`](socketioxide::handler::FromConnectParts):
///
/// ```
/// use http::request::Parts;
/// use socketioxide_jwt_auth::{AuthError, axum::{FromHttpRequest, HttpRouter}};
///
/// struct Language(String);
///
/// impl<R: HttpRouter> FromHttpRequest<R> for Language {
///     fn from_http_request(parts: &Parts, _: &R::State) -> Result<Self, AuthError> {
///         let language = parts.headers.get("accept-language").and_then(|value| value.to_str().ok());
///         Ok(Self(language.unwrap_or("en").to_owned()))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "the user lookup takes `{Self}`, which an HTTP request does not have",
    label = "the lookup of this type cannot be called for an HTTP request",
    note = "a lookup for sockets and HTTP requests takes claims, `RawToken`, `State`, `SocketIo`, `HttpExtension` and `MaybeHttpExtension`; a type of your own can implement `FromHttpRequest`"
)]
pub trait FromHttpRequest<R: HttpRouter>: Sized {
    /// Extracts the parameter from a request and the state of the router.
    ///
    /// # Errors
    ///
    /// Returns why there is no such value, which the client gets.
    fn from_http_request(parts: &Parts, state: &R::State) -> Result<Self, AuthError>;
}

impl<R: HttpRouter, T: FromHttpRequest<R>> FromContext<HttpRequests, Http<R>> for T {
    fn from_context(request: &LookupRequest<'_, Http<R>>) -> Result<Self, AuthError> {
        T::from_http_request(request.parts, request.handle)
    }
}

/// A part of a router's state.
#[doc(hidden)]
pub trait FromRouterState<R: HttpRouter>: Sized {
    fn from_router_state(state: &R::State) -> Self;
}

impl<S: Sync + 'static, T: FromRef<S>> FromRouterState<RouterState<S>> for T {
    fn from_router_state(state: &S) -> Self {
        T::from_ref(state)
    }
}

impl<T> FromRouterState<AnyRouter> for T {
    fn from_router_state(state: &Infallible) -> Self {
        match *state {}
    }
}

impl<R: HttpRouter, T: FromRouterState<R>> FromHttpRequest<R> for State<T> {
    fn from_http_request(_: &Parts, state: &R::State) -> Result<Self, AuthError> {
        Ok(Self(T::from_router_state(state)))
    }
}

impl<R: HttpRouter, A: Adapter> FromHttpRequest<R> for SocketIo<A>
where
    Self: FromRouterState<R>,
{
    fn from_http_request(_: &Parts, state: &R::State) -> Result<Self, AuthError> {
        Ok(Self::from_router_state(state))
    }
}

impl<R: HttpRouter, T: Clone + Send + Sync + 'static> FromHttpRequest<R> for HttpExtension<T> {
    fn from_http_request(parts: &Parts, _: &R::State) -> Result<Self, AuthError> {
        parts.extensions.get().cloned().map(Self).ok_or_else(|| {
            AuthError::internal(format!(
                "the request has no extension of the type {}",
                type_name::<T>()
            ))
        })
    }
}

impl<R: HttpRouter, T: Clone + Send + Sync + 'static> FromHttpRequest<R> for MaybeHttpExtension<T> {
    fn from_http_request(parts: &Parts, _: &R::State) -> Result<Self, AuthError> {
        Ok(Self(parts.extensions.get().cloned()))
    }
}
