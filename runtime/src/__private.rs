//! Items for the code that `#[jwt_auth]` generates. They are not public API: they change with every
//! version, and each version of the macro crate works with exactly one version of this crate.

/// The items for one version of the macro crate, which the module's name tells.
#[socketioxide_jwt_auth_macros::named_after_version]
pub mod version {
    use std::{marker::PhantomData, sync::Arc};

    pub use core::{
        future::Future,
        marker::Send,
        option::Option::{self, None, Some},
        result::Result::{self, Ok},
    };

    pub use socketioxide::{
        adapter::{Adapter, LocalAdapter},
        handler::FromConnectParts,
    };

    pub use crate::{
        builder::JwtAuthBuilder,
        error::ConfigError,
        lookup::{
            FromLookupRequest, LookupContext, LookupOn, LookupRequest, LookupResult, UserLookup,
            outcome_of_option, outcome_of_result, outcome_of_result_option,
        },
        middleware::JwtAuth,
        token::TokenSource,
        users::IntoSessionKey,
    };

    /// Returns the key of a login, from what the closure of `session_key` returns.
    pub fn session_key<K: IntoSessionKey<M>, M>(key: K) -> Option<String> {
        key.into_session_key()
    }

    /// An empty list of strings.
    pub const EMPTY_LIST: [&str; 0] = [];

    /// Fails to compile for a parameter that is not an extractor, with the error at the parameter's
    /// type.
    pub const fn assert_extractor<T: FromConnectParts<A>, A: Adapter>() {}

    /// Tells whether `T` is an `Option` or a similar type, even behind an alias.
    ///
    /// `TypeCheck::<T>::IS_OPTION_LIKE` is the inherent constant for the types in the list below,
    /// because the compiler prefers it, and the constant of [`NotOptionLike`] for all others. This
    /// works for concrete types only: in code that is generic over `T` it is always `false`.
    #[derive(Debug)]
    pub struct TypeCheck<T: ?Sized>(PhantomData<T>);

    /// The constant for the types that are not in the list of [`TypeCheck`].
    pub trait NotOptionLike {
        const IS_OPTION_LIKE: bool = false;
    }

    impl<T: ?Sized> NotOptionLike for TypeCheck<T> {}

    macro_rules! option_like {
        ($($type:ty $(, $parameter:ident)*;)*) => {$(
            impl<$($parameter),*> TypeCheck<$type> {
                pub const IS_OPTION_LIKE: bool = true;
            }
        )*};
    }

    option_like! {
        bool;
        Option<T>, T;
        Box<Option<T>>, T;
        Arc<Option<T>>, T;
        Result<T, E>, T, E;
        Box<Result<T, E>>, T, E;
        Arc<Result<T, E>>, T, E;
    }

    /// Fails to compile if the user's type is option-like: a value that means "no user" would be
    /// logged in.
    #[track_caller]
    pub const fn assert_user(is_option_like: bool) {
        assert!(
            !is_option_like,
            "the user's type is an `Option`, a `Result` or a `bool`, so a value that means \"no \
             user\" would be logged in; write the return type as `Option<User>`, `Result<User, E>` \
             or `Result<Option<User>, E>`, with `Option` and `Result` written out, not as an alias"
        );
    }

    /// Fails to compile if the claims' type is option-like: the function would not be called for
    /// guests.
    #[track_caller]
    pub const fn assert_claims(is_option_like: bool) {
        assert!(
            !is_option_like,
            "the claims' type is an `Option` or a `Result`, so the function would not be called for \
             guests; write the first parameter's type as `Claims` or `Option<Claims>`, with `Option` \
             written out, not as an alias"
        );
    }

    /// Stands for the claims and the user of a function whose signature has a mistake.
    #[derive(Debug, serde::Deserialize)]
    pub struct UnknownType {}
}
