use std::option::Option as Maybe;

use serde::Deserialize;
use socketioxide_jwt_auth::{AuthError, RawToken, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

type MaybeClaims = Option<Claims>;
type ReadClaims = Result<Claims, u8>;

// This function refuses guests, but would not be called for them.
#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn alias(claims: MaybeClaims) -> Result<User, AuthError> {
    claims.map(|_| User).ok_or_else(|| AuthError::denied("no guests"))
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn renamed(_: Maybe<Claims>) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn alias_in_option(_: Option<MaybeClaims>) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn option_of_option(_: Option<Option<Claims>>) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn boxed(_: Box<MaybeClaims>) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn result(_: ReadClaims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn with_token(_: MaybeClaims, _: RawToken) -> Option<User> {
    None
}

fn main() {}
