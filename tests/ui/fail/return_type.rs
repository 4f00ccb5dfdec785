use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn nothing(_: Claims) {}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn bare(_: Claims) -> User {
    User
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn unnamed(_: Claims) -> Option<impl Send> {
    Some(User)
}

type Found = Option<User>;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn alias(_: Claims) -> Found {
    None
}

fn main() {
    let _ = nothing::middleware();
}
