use serde::Deserialize;
use socketioxide::extract::SocketRef;
use socketioxide_jwt_auth::{axum::HttpUser, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims, _: SocketRef) -> Option<User> {
    None
}

async fn route(_: HttpUser<authenticate>) {}

fn main() {}
