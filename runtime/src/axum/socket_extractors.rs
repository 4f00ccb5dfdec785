//! What the compiler says about an extractor of sockets in a handler of axum.

use std::convert::Infallible;

use axum_core::extract::FromRequestParts;
use http::request::Parts;

use crate::{
    extract::{AuthClaims, AuthUser, MaybeAuthUser},
    policy::Policy,
};

/// No type implements it: these extractors need a socket.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Extractor}` is an extractor of sockets, and this is a handler of HTTP requests",
    label = "this is for handlers of sockets",
    note = "write `HttpUser<authenticate>` for the user, `Option<HttpUser<authenticate>>` if it may be a guest, and `HttpClaims<authenticate>` for the claims, with the name of the user lookup"
)]
pub trait OfRequest<Extractor> {}

// Without a macro, because the compiler shows these lines.
impl<T, P: Policy<T>, S: Sync> FromRequestParts<S> for AuthUser<T, P>
where
    (): OfRequest<Self>,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        unreachable!("no type implements `OfRequest`")
    }
}

impl<T, S: Sync> FromRequestParts<S> for MaybeAuthUser<T>
where
    (): OfRequest<Self>,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        unreachable!("no type implements `OfRequest`")
    }
}

impl<C, S: Sync> FromRequestParts<S> for AuthClaims<C>
where
    (): OfRequest<Self>,
{
    type Rejection = Infallible;

    async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Self, Infallible> {
        unreachable!("no type implements `OfRequest`")
    }
}
