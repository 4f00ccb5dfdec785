use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

struct Server;

impl Server {
    #[jwt_auth(secret_env = "JWT_SECRET")]
    async fn authenticate(_: Claims) -> Option<User> {
        None
    }
}

fn main() {}
