use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secert_env = "JWT_SECRET")]
async fn near(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", iss = "https://auth.example.com")]
async fn alias(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", database = "users")]
async fn far(_: Claims) -> Option<User> {
    None
}

fn main() {}
