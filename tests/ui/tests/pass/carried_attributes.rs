//! What is generated raises no lint of the user's, and comes and goes with the function.
#![deny(
    warnings,
    clippy::pedantic,
    missing_copy_implementations,
    missing_debug_implementations,
    missing_docs,
    nonstandard_style,
    rust_2018_idioms,
    single_use_lifetimes,
    unreachable_pub,
    unused,
    unused_qualifications
)]

/// Logging in.
pub mod login {
    use serde::Deserialize;
    use socketioxide_jwt_auth::jwt_auth;

    /// What a token says.
    #[derive(Debug, Deserialize)]
    pub struct Claims {
        sub: String,
    }

    /// Who is connected.
    #[derive(Debug)]
    pub struct User {
        /// What others see.
        pub name: String,
    }

    /// Finds a user.
    #[jwt_auth(secret_env = "JWT_SECRET")]
    pub async fn authenticate(claims: Claims) -> Option<User> {
        std::future::ready(()).await;
        Some(User { name: claims.sub })
    }

    /// Finds a user as it was done in the past.
    #[jwt_auth(secret_env = "JWT_SECRET")]
    #[deprecated = "use `authenticate`"]
    #[must_use]
    pub fn authenticate_as_before(claims: Claims) -> Option<User> {
        Some(User { name: claims.sub })
    }

    /// Is not there, and neither is anything that belongs to it.
    #[jwt_auth(secret_env = "JWT_SECRET")]
    #[cfg(any())]
    pub fn on_no_platform(claims: Unknown) -> Option<Unknown> {
        Some(claims)
    }

    #[jwt_auth(secret_env = "JWT_SECRET")]
    #[cfg_attr(
        all(),
        doc = "Is documented, and so is its companion.",
        allow(clippy::unnecessary_wraps)
    )]
    pub(crate) fn with_conditional_attributes(claims: Claims) -> Option<String> {
        Some(claims.sub)
    }

    // Its middleware is not used.
    #[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
    #[allow(clippy::unused_async)]
    async fn unused(claims: Option<Claims>) -> Result<User, std::io::Error> {
        match claims {
            Some(claims) => Ok(User { name: claims.sub }),
            None => Err(std::io::ErrorKind::NotFound.into()),
        }
    }
}

/// Deprecation is carried, so that this needs an `allow`.
#[allow(deprecated)]
fn is_configured() -> bool {
    login::authenticate_as_before::middleware().is_ok()
}

#[test]
fn attributes_are_carried_without_a_lint() {
    assert!(login::authenticate::middleware().is_err());
    assert!(login::with_conditional_attributes::middleware().is_err());
    assert!(!is_configured());
}
