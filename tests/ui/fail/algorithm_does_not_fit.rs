use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", algorithms = ["HS256", "RS256"])]
async fn asymmetric_for_a_secret(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(public_key_file = "public.pem", algorithm = "HS256")]
async fn symmetric_for_a_public_key(_: Claims) -> Option<User> {
    None
}

fn main() {}
