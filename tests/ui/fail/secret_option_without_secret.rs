use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(public_key_env = "JWT_PUBLIC_KEY", algorithm = "ES256", secret_encoding = "base64")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

fn main() {
    let _ = authenticate::middleware();
}
