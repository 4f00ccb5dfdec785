use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

const ISSUER: u8 = 5;
const GUEST: &str = "yes";

#[jwt_auth(secret_env = "JWT_SECRET", issuer = ISSUER, guest = GUEST, leeway = "60s")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

fn main() {}
