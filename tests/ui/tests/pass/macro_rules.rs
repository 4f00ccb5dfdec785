//! The attribute in the expansion of a `macro_rules!` macro.

use serde::Deserialize;
use socketioxide::extract::State;
use socketioxide_jwt_auth::{RawToken, jwt_auth};

#[derive(Deserialize)]
pub struct Claims {
    pub sub: String,
}

pub mod login {
    pub use socketioxide_jwt_auth::*;
}

macro_rules! lookup {
    ($visibility:vis $name:ident($claims:ty, $state:ty, $token:ty) -> $output:ty, $secret:expr, $guest:literal, $crate_path:path) => {
        #[jwt_auth(secret = $secret, guest = $guest, token = [auth($secret), bearer], crate = $crate_path)]
        $visibility async fn $name(claims: $claims, state: State<$state>, token: $token) -> $output {
            let _ = (claims.sub, state, token);
            None
        }
    };
}

lookup!(pub(crate) authenticate(Claims, u8, RawToken) -> Option<String>, "a secret of thirty-two bytes or more", true, crate::macro_rules::login);

macro_rules! own_names {
    ($name:ident) => {
        #[jwt_auth(crate = $crate::macro_rules::login, secret = "a secret of thirty-two bytes or more", leeway = "5s")]
        fn $name(claims: Claims) -> Option<String> {
            Some(claims.sub)
        }
    };
}

own_names!(request);

#[test]
fn a_function_of_a_macro_has_a_middleware() {
    assert!(authenticate::middleware().is_ok());
    assert!(request::middleware().is_ok());
}
