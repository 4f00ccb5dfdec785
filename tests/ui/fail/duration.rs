use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", leeway = "60")]
async fn no_unit(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", leeway = "2days")]
async fn too_long(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", lookup_timeout = "0s")]
async fn zero(_: Claims) -> Option<User> {
    None
}

fn main() {}
