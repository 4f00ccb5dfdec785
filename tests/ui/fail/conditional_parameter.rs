use serde::Deserialize;
use socketioxide_jwt_auth::{RawToken, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims, #[cfg(unix)] _: RawToken) -> Option<User> {
    None
}

fn main() {}
