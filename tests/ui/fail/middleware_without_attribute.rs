use serde::Deserialize;
use socketioxide_jwt_auth::JwtAuthBuilder;

#[derive(Deserialize)]
struct Claims {}

struct User;

async fn authenticate(_: Claims) -> Option<User> {
    None
}

struct Authenticate;

fn main() {
    let _ = JwtAuthBuilder::new(Authenticate);
}
