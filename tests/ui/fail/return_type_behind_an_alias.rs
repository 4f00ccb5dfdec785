use serde::Deserialize;
use socketioxide_jwt_auth::{AuthError, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

type Found = Option<User>;
type Checked = Result<User, AuthError>;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn found(_: Claims) -> Found {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn checked(_: Claims) -> Checked {
    Ok(User)
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn user_only(_: Claims) -> User {
    User
}

fn main() {}
