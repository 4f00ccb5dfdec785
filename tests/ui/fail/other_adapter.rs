use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

use socketioxide::{SocketIo, adapter::Adapter, extract::SocketRef, handler::ConnectHandler};

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims, _: SocketRef) -> Option<User> {
    None
}

async fn on_connect<A: Adapter>(_: SocketRef<A>) {}

fn register<A: Adapter>(io: &SocketIo<A>) {
    io.ns("/", on_connect.with(authenticate::middleware().unwrap()));
}

fn main() {}
