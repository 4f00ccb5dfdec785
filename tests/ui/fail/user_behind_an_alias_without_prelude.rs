#![no_implicit_prelude]

#[derive(::serde::Deserialize)]
struct Claims {}

type Found = ::std::option::Option<&'static str>;
type MaybeClaims = ::std::option::Option<Claims>;

#[::socketioxide_jwt_auth::jwt_auth(secret_env = "JWT_SECRET")]
async fn user(_: Claims) -> ::std::result::Result<Found, ::std::io::Error> {
    ::std::result::Result::Ok(::std::option::Option::None)
}

#[::socketioxide_jwt_auth::jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn claims(_: MaybeClaims) -> ::std::option::Option<u8> {
    ::std::option::Option::None
}

fn main() {}
