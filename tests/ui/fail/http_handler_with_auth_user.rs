use axum_core::extract::FromRequestParts;
use socketioxide_jwt_auth::{AuthClaims, AuthUser, MaybeAuthUser};

struct Claims;

struct User;

// As `debug_handler` of axum does.
fn is_extractor<T: FromRequestParts<()>>() {}

fn main() {
    is_extractor::<AuthUser<User>>();
    is_extractor::<MaybeAuthUser<User>>();
    is_extractor::<AuthClaims<Claims>>();
}
