use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "")]
async fn nothing(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET=abc")]
async fn assignment(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", secret_encoding = "base46")]
async fn encoding(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", authenticate_event = "disconnect")]
async fn reserved_event(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", audience = [])]
async fn empty_list(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", audience = ["chat", "chat"])]
async fn twice(_: Claims) -> Option<User> {
    None
}

fn main() {}
