use serde::Deserialize;
use socketioxide_jwt_auth::{Policy, axum::HttpUser, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

struct Moderator;

impl Policy<Moderator> for Moderator {
    fn allows(_: &Moderator) -> bool {
        true
    }
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

async fn route(_: HttpUser<authenticate, Moderator>) {}

fn main() {}
