use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Result<Option<User>, u8> {
    Ok(None)
}

fn main() {}
