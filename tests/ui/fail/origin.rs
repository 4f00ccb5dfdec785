use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", allowed_origins = ["https://App.example.com/"])]
async fn path(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", allowed_origins = ["*"])]
async fn any(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", allowed_origins = ["https://app.example.com", "https://app.example.com:84430"])]
async fn port(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", allowed_origins = "wss://app.example.com")]
async fn scheme_of_the_websocket(_: Claims) -> Option<User> {
    None
}

fn main() {}
