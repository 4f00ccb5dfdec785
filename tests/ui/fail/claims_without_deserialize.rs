use socketioxide_jwt_auth::jwt_auth;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims) -> Option<User> {
    None
}

struct Claims;

struct User;

fn main() {
    let _ = authenticate::middleware();
}
