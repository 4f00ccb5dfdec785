//! How a builder's settings are declared, and checked together.

/// Declares the raw values of settings, and the methods of the builders that give them. Several
/// methods may give the same value; a later call replaces an earlier one, unless the method says
/// `into` and changes the earlier value.
///
/// ```text
/// field: Type {
///     /// Documentation.
///     fn method(argument: ArgumentType) { the value of the field }
///
///     /// Documentation.
///     fn other(argument: ArgumentType) into value { a change of the `&mut Type` }
/// }
/// ```
///
/// Without `struct Name;` it declares methods only, for fields that are declared elsewhere.
macro_rules! declare_settings {
    (
        $(#[$attribute:meta])*
        struct $settings:ident;
        $(impl [$($generics:tt)*] $builder:ty { self.$path:ident })+
        => $table:tt
    ) => {
        $crate::settings::declare_settings! { @fields [$(#[$attribute])*] $settings $table }
        $($crate::settings::declare_settings! { @methods [$($generics)*] [$builder] $path $table })+
    };
    (
        $(impl [$($generics:tt)*] $builder:ty { self.$path:ident })+
        => $table:tt
    ) => {
        $($crate::settings::declare_settings! { @methods [$($generics)*] [$builder] $path $table })+
    };
    (@fields [$($attributes:tt)*] $settings:ident {
        $($(#[$attribute:meta])* $field:ident: $type:ty { $($methods:tt)* })*
    }) => {
        $($attributes)*
        pub(crate) struct $settings {
            $($(#[$attribute])* pub(crate) $field: Option<$type>,)*
        }

        impl $settings {
            /// Takes the settings that are not given from others.
            #[allow(dead_code, reason = "some settings have no others to fall back to")]
            pub(crate) fn or(self, others: Self) -> Self {
                Self {
                    $($(#[$attribute])* $field: self.$field.or(others.$field),)*
                }
            }
        }
    };
    (@methods [$($generics:tt)*] [$builder:ty] $path:ident {
        $($(#[$field_attribute:meta])* $field:ident: $type:ty {
            $(
                $(#[$attribute:meta])*
                fn $method:ident($($argument:ident: $argument_type:ty),+) $(into $earlier:ident)? {
                    $value:expr
                }
            )*
        })*
    }) => {
        impl<$($generics)*> $builder {
            $($(
                $(#[$attribute])*
                pub fn $method(mut self, $($argument: $argument_type),+) -> Self {
                    $crate::settings::declare_settings! {
                        @assign [self.$path.$field] [$($earlier)?] $value
                    }
                    self
                }
            )*)*
        }
    };
    (@assign [$field:expr] [] $value:expr) => { $field = Some($value); };
    (@assign [$field:expr] [$earlier:ident] $change:expr) => {
        let $earlier = $field.get_or_insert_default();
        $change;
    };
}
pub(crate) use declare_settings;

/// Makes a struct of values that are each a `Result`. If several are errors, the result is one
/// error that names all of them.
macro_rules! checked {
    ($type:ident { $($field:ident: $value:expr,)* }) => {{
        $(let $field: Result<_, $crate::error::ConfigError> = $value;)*
        let errors = [$($field.as_ref().err().cloned(),)*];
        match $crate::error::ConfigError::join(errors.into_iter().flatten()) {
            Some(error) => Err(error),
            None => Ok($type { $($field: $field?,)* }),
        }
    }};
}
pub(crate) use checked;
