use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
unsafe fn dangerous(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
extern "C" fn foreign(_: Claims) -> Option<User> {
    None
}

fn main() {}
