use serde::Deserialize;
use socketioxide_jwt_auth::jwt_auth;

#[derive(Deserialize)]
struct Claims {}

struct User;

#[jwt_auth(secret_env = "JWT_SECRET", token = [auth("token"), headers("x-token")])]
async fn unknown(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [header])]
async fn no_name(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [bearer("token")])]
async fn needless_name(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [bearer()])]
async fn needless_parentheses(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [header("x auth token")])]
async fn header_name(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [query("")])]
async fn empty_name(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [bearer, auth("token"), bearer])]
async fn twice(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [])]
async fn no_source(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = bearer)]
async fn no_list(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [authorization("JWT ")])]
async fn scheme_with_a_space(_: Claims) -> Option<User> {
    None
}

#[jwt_auth(secret_env = "JWT_SECRET", token = [bearer, authorization("BEARER")])]
async fn bearer_twice(_: Claims) -> Option<User> {
    None
}

fn main() {}
