use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_file = "/run/secrets/jwt", allow_insecure_http = true)]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

fn main() {
    let _ = authenticate::middleware();
}
