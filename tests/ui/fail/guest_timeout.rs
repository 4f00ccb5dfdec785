use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", guest_timeout = "10s", authenticate_event = "authenticate")]
async fn no_guests(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true, guest_timeout = "10s")]
async fn no_way_to_log_in(_: Claims) -> Option<User> {
    None
}

fn main() {}
