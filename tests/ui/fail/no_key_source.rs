use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth]
async fn bare(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(guest = true)]
async fn other_options_only(_: Claims) -> Option<User> {
    None
}

fn main() {}
