use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", issuer = 5)]
async fn number_for_text(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = "true")]
async fn text_for_bool(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", leeway = 60)]
async fn number_for_duration(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", max_token_bytes = "8k")]
async fn text_for_number(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", max_token_bytes = -1)]
async fn negative_number(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", required_claims = "exp")]
async fn text_for_list(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = ["JWT_SECRET", 2])]
async fn number_in_a_list(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", crate = "socketioxide_jwt_auth")]
async fn text_for_path(_: Claims) -> Option<User> {
    None
}

fn main() {}
