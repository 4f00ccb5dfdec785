//! Aliases of types that are not an `Option` or a `Result`, and types that hold one.

#![deny(warnings)]

use std::{borrow::Cow, io, sync::Arc};

use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

type TheClaims = Claims;
type TheUser = User;
type Found<T> = Option<T>;

// What has the name of the generated code's constant, too.
trait Named {
    const IS_OPTION_LIKE: bool = true;
}

impl<T> Named for Vec<T> {}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn alias(_: Option<TheClaims>) -> io::Result<Option<TheUser>> {
    Ok(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn shared(_: Box<Claims>) -> Option<Arc<User>> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn borrowed(_: Claims) -> Option<Cow<'static, str>> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn reference(_: Claims) -> Option<&'static User> {
    None
}

// An `Option` may be inside of the user's type.
#[jwt_auth(secret_env = "JWT_SECRET")]
async fn tuple(_: Claims) -> Option<(User, Found<u8>)> {
    None
}

// For an application that needs a valid token, and no user.
#[jwt_auth(secret_env = "JWT_SECRET")]
async fn unit(_: Claims) -> io::Result<()> {
    Ok(())
}

#[test]
fn an_alias_of_the_claims_or_the_user_is_accepted() {
    const { assert!(<Vec<u8> as Named>::IS_OPTION_LIKE) };
    assert!(alias::middleware().is_err());
    assert!(shared::middleware().is_err());
    assert!(borrowed::middleware().is_err());
    assert!(reference::middleware().is_err());
    assert!(tuple::middleware().is_err());
    assert!(unit::middleware().is_err());
}
