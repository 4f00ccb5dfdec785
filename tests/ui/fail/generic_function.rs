use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn generic<C: for<'de> Deserialize<'de>>(_: C) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn with_impl_trait(_: Claims, _: impl Send) -> Option<User> {
    None
}

fn main() {
    let _ = generic::middleware();
}
