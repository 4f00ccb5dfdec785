//! The keys of users and sessions: what `session_key` may return, and whether any middleware of the
//! process has such a key.

use std::{
    fmt::Display,
    sync::atomic::{AtomicBool, Ordering},
};

use crate::{authenticate::Authenticator, lookup::UserLookup};

static HAS_USER_KEY: AtomicBool = AtomicBool::new(false);
static HAS_SESSION_KEY: AtomicBool = AtomicBool::new(false);

/// What the function of [`session_key`](crate::JwtAuthBuilder::session_key) may return: a value
/// that can be displayed, or an `Option` of one.
///
/// `M` tells the implementations apart and is inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session key",
    label = "a `session_key` returns a value that is `Display`, or an `Option` of one"
)]
pub trait IntoSessionKey<M> {
    /// Returns the key, or `None` if there is none.
    fn into_session_key(self) -> Option<String>;
}

/// Marks the implementation for values that can be displayed.
#[derive(Debug)]
#[doc(hidden)]
pub struct ViaDisplay(());

/// Marks the implementation for `Option`.
#[derive(Debug)]
#[doc(hidden)]
pub struct ViaOption(());

/// Marks the implementation for a reference to an `Option`.
#[derive(Debug)]
#[doc(hidden)]
pub struct ViaOptionRef(());

impl<T: Display> IntoSessionKey<ViaDisplay> for T {
    fn into_session_key(self) -> Option<String> {
        Some(self.to_string())
    }
}

impl<T: Display> IntoSessionKey<ViaOption> for Option<T> {
    fn into_session_key(self) -> Option<String> {
        self.map(|key| key.to_string())
    }
}

impl<T: Display> IntoSessionKey<ViaOptionRef> for &Option<T> {
    fn into_session_key(self) -> Option<String> {
        self.as_ref().map(ToString::to_string)
    }
}

/// Notes which keys a middleware has.
pub(crate) fn note_keys<L: UserLookup>(authenticator: &Authenticator<L>) {
    if authenticator.user_key.is_some() {
        HAS_USER_KEY.store(true, Ordering::Relaxed);
    }
    if authenticator.session_key.is_some() {
        HAS_SESSION_KEY.store(true, Ordering::Relaxed);
    }
}

/// Warns if a function that finds sockets by their user's key finds none, because no middleware of
/// this process has a `user_key`.
pub(super) fn warn_without_user_key(function: &str) {
    if !HAS_USER_KEY.load(Ordering::Relaxed) {
        tracing::warn!(
            "{function} finds no sockets: no jwt_auth middleware of this process has a `user_key`; \
             add `user_key = |user: &User| user.id` to the attribute"
        );
    }
}

/// Warns if a function that finds sockets by their session key finds none, because no middleware
/// of this process has a `session_key`.
pub(super) fn warn_without_session_key(function: &str) {
    if !HAS_SESSION_KEY.load(Ordering::Relaxed) {
        tracing::warn!(
            "{function} finds no sockets: no jwt_auth middleware of this process has a `session_key`; \
             add `session_key = |claims: &Claims| claims.sid.clone()` to the attribute"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::IntoSessionKey;

    fn key<M>(key: impl IntoSessionKey<M>) -> Option<String> {
        key.into_session_key()
    }

    #[test]
    fn a_session_key_is_anything_that_can_be_displayed_or_an_option_of_it() {
        assert_eq!(key("a").as_deref(), Some("a"));
        let owned = "a".to_owned();
        assert_eq!(key(&owned).as_deref(), Some("a"));
        assert_eq!(key(5_u64).as_deref(), Some("5"));
        assert_eq!(key(Some("a".to_owned())).as_deref(), Some("a"));
        assert_eq!(key(&Some(5)).as_deref(), Some("5"));
        assert_eq!(key(None::<String>), None);
        assert_eq!(key(&None::<String>), None);
    }
}
