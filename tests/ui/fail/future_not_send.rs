use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Option<User> {
    let count = std::rc::Rc::new(1);
    std::future::ready(()).await;
    (*count > 0).then_some(User)
}

fn main() {}
