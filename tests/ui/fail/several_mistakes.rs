use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(
    secert_env = "JWT_SECRET",
    leeway = 60,
    guest,
    token = [aut("token"), bearer()],
    algorithm = "HS265"
    issuer = "",
    issuer = "https://auth.example.com",
)]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

fn main() {
    let _ = authenticate::middleware();
}
