//! The generated code resolves its own names, whatever the prelude and the scope hold.

#![no_implicit_prelude]

mod names_of_the_prelude {
    // Nothing that the attribute writes may resolve to these.
    pub mod core {}
    pub mod std {}
    pub struct Option;
    pub struct Result;
    pub struct Some;
    pub struct Ok;
    pub trait Send {}
    pub trait Future {}
}

#[allow(unused_imports)]
use names_of_the_prelude::*;

#[derive(::serde::Deserialize)]
struct Claims {}

struct User;

#[::socketioxide_jwt_auth::jwt_auth(
    secret_env = ["JWT_SECRET", "OLD_JWT_SECRET"],
    guest = true,
    leeway = "5s",
    token = [bearer, auth("token")],
)]
async fn authenticate(
    _: Claims,
    _: ::socketioxide::extract::State<u8>,
    _: ::socketioxide_jwt_auth::RawToken,
) -> ::std::result::Result<::std::option::Option<User>, ::std::io::Error> {
    ::std::result::Result::Ok(::std::option::Option::None)
}

#[::socketioxide_jwt_auth::jwt_auth(secret = "a secret of thirty-two bytes or more", guest = true)]
async fn authenticate_guest(
    _: ::std::option::Option<Claims>,
    _: ::std::option::Option<::socketioxide_jwt_auth::RawToken>,
) -> ::std::option::Option<User> {
    ::std::option::Option::None
}

#[::core::prelude::v1::test]
fn the_generated_code_needs_no_prelude() {
    ::std::assert!(authenticate::middleware().is_err());
    ::std::assert!(authenticate_guest::middleware().is_ok());
}
