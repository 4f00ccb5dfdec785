use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

struct User {
    _visits: std::cell::Cell<u32>,
}

fn main() {}
