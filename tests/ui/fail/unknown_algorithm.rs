use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", algorithm = "hs256")]
async fn case(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", algorithm = "none")]
async fn unsigned(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(public_key_file = "public.pem", algorithms = ["RS256", "ES265", "rot13"])]
async fn in_a_list(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(public_key_file = "public.pem", algorithms = ["ES256K"])]
async fn unsupported(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", algorithm = "RS265")]
async fn of_another_family(_: Claims) -> Option<User> {
    None
}

fn main() {}
