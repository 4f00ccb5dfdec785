use socketioxide_jwt_auth::jwt_auth;

mod auth {
    #[derive(serde::Deserialize)]
    struct Claims {}

    pub struct User;

    #[allow(private_interfaces)]
    #[super::jwt_auth(secret_env = "JWT_SECRET")]
    pub async fn authenticate(_: Claims) -> Option<User> {
        None
    }
}

fn main() {
    let _ = auth::authenticate::middleware();
}
