//! Extractors made without a socket, for unit tests of handlers.

use std::{any::type_name, sync::Arc};

use crate::{
    AuthClaims, AuthError, AuthUser, ErrorCode, MaybeAuthUser, Policy,
    clock::Clock,
    session::{SessionState, UserSession, lifetime::Login},
};

/// For tests.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl<T> AuthUser<T> {
    /// Makes an extractor that holds this user, in a session that does not end.
    ///
    /// For a handler that takes `AuthUser<T, P>` with a policy there is
    /// [`for_test_with_policy`](AuthUser::for_test_with_policy).
    ///
    /// ```
    /// use socketioxide_jwt_auth::AuthUser;
    ///
    /// struct User { name: String }
    ///
    /// fn greeting(user: &AuthUser<User>) -> String {
    ///     format!("Welcome, {}.", user.name)
    /// }
    ///
    /// let ada = AuthUser::for_test(User { name: "Ada".to_owned() });
    /// assert_eq!(greeting(&ada), "Welcome, Ada.");
    /// ```
    pub fn for_test(user: T) -> Self {
        of_user(user)
    }
}

/// For tests.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl<T, P: Policy<T>> AuthUser<T, P> {
    /// Makes an extractor that holds this user, if the policy allows it, in a session that does not
    /// end.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{AuthUser, ErrorCode, Policy};
    ///
    /// #[derive(Debug)]
    /// struct User { admin: bool }
    ///
    /// struct Admin;
    ///
    /// impl Policy<User> for Admin {
    ///     fn allows(user: &User) -> bool {
    ///         user.admin
    ///     }
    /// }
    ///
    /// assert!(AuthUser::<_, Admin>::for_test_with_policy(User { admin: true }).is_ok());
    ///
    /// let refusal = AuthUser::<_, Admin>::for_test_with_policy(User { admin: false }).unwrap_err();
    /// assert_eq!(refusal.code(), ErrorCode::Forbidden);
    /// ```
    ///
    /// # Errors
    ///
    /// `forbidden`, as a handler would be told, if the policy does not allow the user.
    pub fn for_test_with_policy(user: T) -> Result<Self, AuthError> {
        if P::allows(&user) {
            Ok(of_user(user))
        } else {
            Err(AuthError::from(ErrorCode::Forbidden).with_detail(format!(
                "the policy `{}` does not allow the user",
                type_name::<P>()
            )))
        }
    }
}

/// For tests.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl<T> MaybeAuthUser<T> {
    /// Makes an extractor that holds this user, in a session that does not end. `MaybeAuthUser(None)`
    /// is a guest.
    ///
    /// ```
    /// use socketioxide_jwt_auth::MaybeAuthUser;
    ///
    /// fn greeting(user: &MaybeAuthUser<String>) -> String {
    ///     user.as_ref().map_or("Welcome.".to_owned(), |name| format!("Welcome, {}.", **name))
    /// }
    ///
    /// assert_eq!(greeting(&MaybeAuthUser::for_test("Ada".to_owned())), "Welcome, Ada.");
    /// assert_eq!(greeting(&MaybeAuthUser(None)), "Welcome.");
    /// ```
    pub fn for_test(user: T) -> Self {
        Self(Some(AuthUser::for_test(user)))
    }
}

/// For tests.
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
impl<C> AuthClaims<C> {
    /// Makes an extractor that holds these claims.
    ///
    /// ```
    /// use socketioxide_jwt_auth::AuthClaims;
    ///
    /// let claims = AuthClaims::for_test(serde_json::json!({ "sub": "1" }));
    /// assert_eq!(claims["sub"], "1");
    /// ```
    pub fn for_test(claims: C) -> Self {
        Self(Arc::new(claims))
    }
}

fn of_user<T, P: Policy<T>>(user: T) -> AuthUser<T, P> {
    let clock = Clock::system();
    let login = Login::begin(clock.now());
    AuthUser::new(Arc::new(UserSession::new(
        user,
        SessionState::of_token((), None, login, clock),
    )))
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[test]
    fn the_session_of_a_test_does_not_end() {
        let ada = AuthUser::for_test("Ada");
        assert!(ada.ended().now_or_never().is_none());
    }
}
