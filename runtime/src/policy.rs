//! Policies: types that decide which users may call a handler.

use std::{fmt, marker::PhantomData};

/// Decides which users of type `T` may do something, such as sending one event.
///
/// A handler that takes [`AuthUser<T, P>`](crate::AuthUser) is called only for users that `P`
/// allows; events of other users are refused with `forbidden`. Policies compose: see [`All`],
/// [`AnyOf`] and [`Not`].
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
    message = "`{Self}` is not a policy for users of type `{T}`",
    label = "write `impl Policy<{T}> for {Self}`",
    note = "a policy is a type whose `allows(user: &{T}) -> bool` decides which users are allowed"
)]
pub trait Policy<T> {
    /// Returns whether this user is allowed.
    fn allows(user: &T) -> bool;
}

/// Allows every user that is logged in.
impl<T> Policy<T> for () {
    fn allows(_: &T) -> bool {
        true
    }
}

/// Allows the users that every one of up to eight policies allows: `All<(A, B)>`. The policies are
/// called in the order of the tuple.
///
/// ```
/// use socketioxide_jwt_auth::{All, AuthUser, Policy};
///
/// struct User { verified: bool, moderator: bool }
///
/// struct Verified;
///
/// impl Policy<User> for Verified {
///     fn allows(user: &User) -> bool {
///         user.verified
///     }
/// }
///
/// struct Moderator;
///
/// impl Policy<User> for Moderator {
///     fn allows(user: &User) -> bool {
///         user.moderator
///     }
/// }
///
/// async fn delete_message(user: AuthUser<User, All<(Verified, Moderator)>>) {}
///
/// assert!(!All::<(Verified, Moderator)>::allows(&User { verified: true, moderator: false }));
/// ```
pub struct All<P>(PhantomData<fn() -> P>);

/// Allows the users that at least one of up to eight policies allows: `AnyOf<(A, B)>`. The policies
/// are called in the order of the tuple.
///
/// ```
/// use socketioxide_jwt_auth::{AnyOf, AuthUser, Policy};
///
/// struct User { author: bool, moderator: bool }
///
/// struct Author;
///
/// impl Policy<User> for Author {
///     fn allows(user: &User) -> bool {
///         user.author
///     }
/// }
///
/// struct Moderator;
///
/// impl Policy<User> for Moderator {
///     fn allows(user: &User) -> bool {
///         user.moderator
///     }
/// }
///
/// type Editor = AnyOf<(Author, Moderator)>;
///
/// async fn edit_message(user: AuthUser<User, Editor>) {}
///
/// assert!(Editor::allows(&User { author: false, moderator: true }));
/// ```
pub struct AnyOf<P>(PhantomData<fn() -> P>);

/// Allows the users that the policy does not allow. Guests are still refused, because they are not
/// users.
///
/// ```
/// use socketioxide_jwt_auth::{AuthUser, Not, Policy};
///
/// struct User { muted: bool }
///
/// struct Muted;
///
/// impl Policy<User> for Muted {
///     fn allows(user: &User) -> bool {
///         user.muted
///     }
/// }
///
/// async fn post(user: AuthUser<User, Not<Muted>>) {}
///
/// assert!(!Not::<Muted>::allows(&User { muted: true }));
/// ```
pub struct Not<P>(PhantomData<fn() -> P>);

impl<T, P: Policy<T>> Policy<T> for Not<P> {
    fn allows(user: &T) -> bool {
        !P::allows(user)
    }
}

macro_rules! compose {
    ($($policy:ident)+) => {
        impl<T, $($policy: Policy<T>),+> Policy<T> for All<($($policy,)+)> {
            fn allows(user: &T) -> bool {
                $($policy::allows(user))&&+
            }
        }

        impl<T, $($policy: Policy<T>),+> Policy<T> for AnyOf<($($policy,)+)> {
            fn allows(user: &T) -> bool {
                $($policy::allows(user))||+
            }
        }
    };
}

compose!(P1);
compose!(P1 P2);
compose!(P1 P2 P3);
compose!(P1 P2 P3 P4);
compose!(P1 P2 P3 P4 P5);
compose!(P1 P2 P3 P4 P5 P6);
compose!(P1 P2 P3 P4 P5 P6 P7);
compose!(P1 P2 P3 P4 P5 P6 P7 P8);

/// Implements `Debug` without a bound on `P`, which a derived implementation would have.
macro_rules! debug_by_name {
    ($($policy:ident)+) => {
        $(
            impl<P> fmt::Debug for $policy<P> {
                fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                    formatter.write_str(stringify!($policy))
                }
            }
        )+
    };
}

debug_by_name!(All AnyOf Not);

#[cfg(test)]
mod tests {
    use super::{All, AnyOf, Not, Policy};

    /// Allows the numbers in which this bit is set.
    struct Bit<const N: u8>;

    impl<const N: u8> Policy<u8> for Bit<N> {
        fn allows(number: &u8) -> bool {
            number & (1 << N) != 0
        }
    }

    type Eight = (
        Bit<0>,
        Bit<1>,
        Bit<2>,
        Bit<3>,
        Bit<4>,
        Bit<5>,
        Bit<6>,
        Bit<7>,
    );

    #[test]
    fn all_asks_for_every_one() {
        assert!((0..=u8::MAX).all(|number| All::<Eight>::allows(&number) == (number == u8::MAX)));
    }

    #[test]
    fn any_of_asks_for_one() {
        assert!((0..=u8::MAX).all(|number| AnyOf::<Eight>::allows(&number) == (number != 0)));
    }

    #[test]
    fn combinations_can_be_nested() {
        type OneAndNotTwo = All<(AnyOf<(Bit<0>,)>, Not<Bit<1>>, ())>;
        let allowed: Vec<u8> = (0..4).filter(OneAndNotTwo::allows).collect();
        assert_eq!(allowed, [1]);
    }
}
