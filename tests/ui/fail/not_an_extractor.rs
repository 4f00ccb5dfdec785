use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims, _: Database) -> Option<User> {
    None
}

struct Database;

fn main() {
    let _ = authenticate::middleware();
}
