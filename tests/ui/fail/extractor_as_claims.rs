use serde::Deserialize;
use socketioxide::extract::{SocketRef, State};
use socketioxide_jwt_auth::{RawToken, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

#[derive(Clone)]
struct Database;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn state_first(State(_): State<Database>, _: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn socket_first(_: SocketRef, _: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn token_first(_: RawToken) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn optional(_: Option<socketioxide::extract::State<Database>>) -> Option<User> {
    None
}

fn main() {
    let _ = state_first::middleware();
}
