use serde::Deserialize;
use socketioxide::{adapter::Adapter, extract::SocketRef, handler::ConnectMiddleware};
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims, _: SocketRef) -> Option<User> {
    None
}

fn works_with<A: Adapter, T>(_: impl ConnectMiddleware<A, T>) {}

fn works_with_every_adapter<A: Adapter>() {
    works_with::<A, _>(authenticate::middleware().unwrap());
}

fn main() {}
