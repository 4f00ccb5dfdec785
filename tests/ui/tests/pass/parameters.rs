//! Every kind of parameter, on servers with any adapter or with one.

use std::sync::Arc;

use serde::Deserialize;
use socketioxide::{
    SocketIo,
    adapter::{Adapter, LocalAdapter},
    extract::{HttpExtension, SocketRef, State},
    handler::{ConnectHandler, ConnectMiddleware},
};
use socketioxide_jwt_auth::{MaybeAuthUser, RawToken, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

// The names of the generated code's own parameters and locals are free for use.
#[derive(Clone)]
struct A;
struct User;

#[jwt_auth(secret = "a secret of thirty-two bytes or more")]
async fn any_adapter(
    mut _claims: Claims,
    State(_a): State<A>,
    HttpExtension(_shared): HttpExtension<Arc<A>>,
    _: RawToken,
    _: RawToken,
) -> Option<User> {
    None
}

#[jwt_auth(secret = "a secret of thirty-two bytes or more", guest = true)]
async fn for_guests_too(_: Option<Claims>, _: Option<RawToken>) -> Option<User> {
    None
}

#[jwt_auth(secret = "a secret of thirty-two bytes or more")]
async fn local_adapter(_: Claims, _: SocketRef, _: SocketIo) -> Option<User> {
    None
}

#[jwt_auth(secret = "a secret of thirty-two bytes or more")]
async fn named_adapter(_: Claims, _: SocketRef<LocalAdapter>) -> Option<User> {
    None
}

#[jwt_auth(secret = "a secret of thirty-two bytes or more")]
async fn request(_: Claims, State(token): State<&'static str>) -> Option<&'static str> {
    Some(token)
}

#[jwt_auth(secret = "a secret of thirty-two bytes or more")]
fn claims(claims: Claims) -> Option<Claims> {
    Some(claims)
}

async fn on_connect(_: SocketRef, _: MaybeAuthUser<User>) {}

fn works_with<A: Adapter, T>(_: impl ConnectMiddleware<A, T>) {}

fn works_with_every_adapter<A: Adapter>() {
    works_with::<A, _>(any_adapter::middleware().unwrap());
    works_with::<A, _>(for_guests_too::middleware().unwrap());
}

#[test]
fn parameters_are_extracted_with_their_adapter() {
    works_with_every_adapter::<LocalAdapter>();
    works_with::<LocalAdapter, _>(named_adapter::middleware().unwrap());
    works_with::<LocalAdapter, _>(request::middleware().unwrap());
    works_with::<LocalAdapter, _>(claims::middleware().unwrap());
    let (_, io) = SocketIo::new_layer();
    io.ns("/", on_connect.with(local_adapter::middleware().unwrap()));
}
