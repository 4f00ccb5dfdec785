use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", allowed_origins = ["https://App.example.com/"])]
async fn not_as_sent(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", allowed_origins = ["*"])]
async fn any(_: Claims) -> Option<User> {
    None
}

fn main() {}
