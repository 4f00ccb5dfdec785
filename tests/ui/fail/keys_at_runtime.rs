use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", keys_at_runtime)]
async fn with_a_key_source(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(keys_at_runtime = false)]
async fn with_a_value(_: Claims) -> Option<User> {
    None
}

fn main() {}
