use serde::Deserialize;
use socketioxide::extract::State;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn claims(_: &Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn state(_: Claims, _: State<&str>) -> Option<User> {
    None
}

fn main() {}
