//! The crate through a re-export.

mod framework {
    pub mod login {
        pub use socketioxide_jwt_auth::*;
    }
}

use framework::login::{self, jwt_auth};

#[derive(serde::Deserialize)]
struct Claims {}

#[jwt_auth(crate = framework::login, secret = "a secret of thirty-two bytes or more")]
async fn from_here(_: Claims) -> Option<()> {
    None
}

#[jwt_auth(crate = crate::reexport::framework::login, secret = "a secret of thirty-two bytes or more")]
async fn from_the_root(_: Claims, _: login::RawToken) -> Option<()> {
    None
}

#[test]
fn the_crate_is_found_through_a_reexport() {
    assert!(from_here::middleware().is_ok());
    assert!(from_the_root::middleware().is_ok());
}
