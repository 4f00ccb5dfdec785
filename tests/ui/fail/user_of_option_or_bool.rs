use serde::Deserialize;
use socketioxide_jwt_auth::{AuthError, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn option_of_option(_: Claims) -> Option<Option<User>> {
    Some(None)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn result_of_option_of_option(_: Claims) -> Result<Option<Option<User>>, AuthError> {
    Ok(Some(None))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn option_of_result(_: Claims) -> Option<Result<User, AuthError>> {
    Some(Ok(User))
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn result_of_result(_: Claims) -> Result<Result<User, AuthError>, AuthError> {
    Ok(Ok(User))
}

// `Ok(false)` would log in a user of type `bool`.
#[jwt_auth(secret_env = "JWT_SECRET")]
async fn yes_or_no(_: Claims) -> Result<bool, AuthError> {
    Ok(false)
}

fn main() {}
