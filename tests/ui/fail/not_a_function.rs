use socketioxide_jwt_auth::jwt_auth;

#[jwt_auth(secret_env = "JWT_SECRET")]
struct Authenticate;

fn main() {
    let _ = Authenticate;
}
