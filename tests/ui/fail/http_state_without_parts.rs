use axum_core::extract::{FromRef, FromRequestParts};
use serde::Deserialize;
use socketioxide::extract::State;
use socketioxide_jwt_auth::{JwtAuth, axum::HttpUser, jwt_auth};

#[derive(Deserialize)]
struct Claims {}

struct User;

#[derive(Clone)]
struct Db;

#[jwt_auth(secret_env = "JWT_SECRET")]
async fn authenticate(_: Claims, _: State<Db>) -> Option<User> {
    None
}

struct WithoutMiddleware(Db);

impl FromRef<WithoutMiddleware> for Db {
    fn from_ref(app: &WithoutMiddleware) -> Self {
        app.0.clone()
    }
}

struct WithoutDb(JwtAuth<authenticate>);

impl FromRef<WithoutDb> for JwtAuth<authenticate> {
    fn from_ref(app: &WithoutDb) -> Self {
        app.0.clone()
    }
}

// As `debug_handler` of axum does.
fn is_extractor<T: FromRequestParts<S>, S>() {}

fn main() {
    is_extractor::<HttpUser<authenticate>, WithoutMiddleware>();
    is_extractor::<HttpUser<authenticate>, WithoutDb>();
}
