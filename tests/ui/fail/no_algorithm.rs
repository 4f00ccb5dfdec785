use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(public_key_env = "JWT_PUBLIC_KEY")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

fn main() {}
