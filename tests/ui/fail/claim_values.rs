use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", claim_values = ["access"])]
async fn not_a_call(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", claim_values(azp, token_use = "access"))]
async fn without_a_value(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(
    secret_env = "JWT_SECRET",
    claim_values(iss = "a", azp = [], azp = "", level = 1.5, role = ["admin", "admin"]),
)]
async fn several_mistakes(_: Claims) -> Option<User> {
    None
}

const REQUIRE: bool = true;

#[jwt_auth(secret_env = "JWT_SECRET", claim_values(email_verified = REQUIRE))]
async fn constant_of_another_type(_: Claims) -> Option<User> {
    None
}

fn main() {}
