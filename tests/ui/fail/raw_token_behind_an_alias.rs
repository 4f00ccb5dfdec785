use serde::Deserialize;
use socketioxide_jwt_auth::{RawToken, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

type MaybeToken = Option<RawToken>;

#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn authenticate(_: Option<Claims>, _: MaybeToken) -> Option<User> {
    None
}

fn main() {}
