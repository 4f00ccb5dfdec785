use std::{option::Option as Maybe, sync::Arc};

use serde::Deserialize;
use socketioxide_jwt_auth::{AuthError, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

type Found = Option<User>;
type Loaded = Result<User, AuthError>;

trait Directory {
    type Found;
}

impl Directory for User {
    type Found = Option<User>;
}

// `Ok(None)` would log in a user of type `Option<User>`.
#[jwt_auth(secret_env = "JWT_SECRET")]
async fn option(_: Claims) -> Result<Found, AuthError> {
    Ok(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn renamed(_: Claims) -> Result<Maybe<User>, AuthError> {
    Ok(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn associated(_: Claims) -> Result<<User as Directory>::Found, AuthError> {
    Ok(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn option_in_option(_: Claims) -> Option<Found> {
    Some(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn option_in_result_of_option(_: Claims) -> Result<Option<Found>, AuthError> {
    Ok(Some(None))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn result_in_option(_: Claims) -> Option<Loaded> {
    Some(Err(AuthError::denied("suspended")))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn result_in_result(_: Claims) -> Result<Loaded, AuthError> {
    Ok(Err(AuthError::denied("suspended")))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn boxed(_: Claims) -> Result<Box<Found>, AuthError> {
    Ok(Box::new(None))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn shared(_: Claims) -> Result<Arc<Option<User>>, AuthError> {
    Ok(Arc::new(None))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn shared_result(_: Claims) -> Option<Arc<Loaded>> {
    Some(Arc::new(Ok(User)))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn borrowed(_: Claims) -> Result<Maybe<&'static str>, AuthError> {
    Ok(None)
}

fn main() {}
