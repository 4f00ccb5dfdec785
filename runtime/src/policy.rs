//! Which users may do something.

/// Decides for a type of users who may do something, such as sending one event.
///
/// A handler takes [`AuthUser<T, P>`](crate::AuthUser) and is called for those whom `P` allows; all others are told
/// `forbidden`.
///
/// ```
/// use socketioxide_jwt_auth::{AuthUser, Policy};
///
/// struct User { moderator: bool }
///
/// struct Moderator;
///
/// impl Policy<User> for Moderator {
///     fn allows(user: &User) -> bool {
///         user.moderator
///     }
/// }
///
/// async fn delete_message(user: AuthUser<User, Moderator>) {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no policy for users of type `{T}`",
    label = "write `impl Policy<{T}> for {Self}`",
    note = "a policy is a type that says in `allows(user: &{T}) -> bool` who may"
)]
pub trait Policy<T> {
    /// Whether this user may.
    fn allows(user: &T) -> bool;
}

/// No policy: every user that is logged in may.
impl<T> Policy<T> for () {
    fn allows(_: &T) -> bool {
        true
    }
}
