use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

type Result<T> = std::result::Result<Option<T>, std::io::Error>;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Result<User> {
    Ok(None)
}

fn main() {}
