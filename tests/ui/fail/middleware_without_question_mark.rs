use serde::Deserialize;
use socketioxide::{SocketIo, extract::SocketRef, handler::ConnectHandler};
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

async fn on_connect(_: SocketRef) {}

fn main() {
    let (_, io) = SocketIo::new_layer();
    io.ns("/", on_connect.with(authenticate::middleware()));
}
