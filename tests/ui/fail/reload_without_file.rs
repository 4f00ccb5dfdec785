use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", reload_keys = "30s")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

fn main() {
    let _ = authenticate::middleware();
}
