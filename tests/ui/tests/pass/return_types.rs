//! Every return type that tells the user, also through an alias of the `Result` around it.

use std::{error::Error, io};

use serde::Deserialize;
use socketioxide_jwt_auth::{AuthError, LookupResult, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

mod sqlx {
    pub type Result<T> = std::result::Result<T, std::fmt::Error>;
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn option(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn result(_: Claims) -> Result<User, AuthError> {
    Err(AuthError::denied("account suspended"))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn result_of_option(_: Claims) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    Err("no database".into())
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn alias(_: Claims) -> io::Result<User> {
    Ok(User)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn alias_of_option(_: Claims) -> sqlx::Result<Option<User>> {
    Ok(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn lookup_result(_: Claims) -> LookupResult<User> {
    Ok(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn text_as_error(_: Claims) -> core::result::Result<User, String> {
    Ok(User)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
fn not_async(_: Claims) -> std::option::Option<&'static str> {
    None
}

#[test]
fn every_return_type_has_a_middleware() {
    assert!(option::middleware().is_err());
    assert!(result::middleware().is_err());
    assert!(result_of_option::middleware().is_err());
    assert!(alias::middleware().is_err());
    assert!(alias_of_option::middleware().is_err());
    assert!(lookup_result::middleware().is_err());
    assert!(text_as_error::middleware().is_err());
    assert!(not_async::middleware().is_err());
}
