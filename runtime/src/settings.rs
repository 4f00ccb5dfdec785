//! The forms in which a setting may be written, and environment variables.

use std::time::Duration;

use crate::error::ConfigError;

/// One text or a list of texts: what `issuer`, `secret_env`, `algorithms` and their like take.
///
/// ```
/// use socketioxide_jwt_auth::Verifier;
///
/// let one = Verifier::builder().issuer("https://login.example.com");
/// let many = Verifier::builder().issuer(["https://login.example.com", "https://login.example.org"]);
/// # drop((one, many));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a text nor a list of texts",
    label = "expected `\"one\"` or `[\"one\", \"two\"]`"
)]
pub trait OneOrMany {
    /// The texts, in their order.
    fn into_texts(self) -> Vec<String>;
}

impl OneOrMany for &str {
    fn into_texts(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl OneOrMany for String {
    fn into_texts(self) -> Vec<String> {
        vec![self]
    }
}

impl OneOrMany for &String {
    fn into_texts(self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl<S: AsRef<str>, const N: usize> OneOrMany for [S; N] {
    fn into_texts(self) -> Vec<String> {
        self.as_slice().into_texts()
    }
}

impl<S: AsRef<str>, const N: usize> OneOrMany for &[S; N] {
    fn into_texts(self) -> Vec<String> {
        self.as_slice().into_texts()
    }
}

impl<S: AsRef<str>> OneOrMany for Vec<S> {
    fn into_texts(self) -> Vec<String> {
        self.as_slice().into_texts()
    }
}

impl<S: AsRef<str>> OneOrMany for &[S] {
    fn into_texts(self) -> Vec<String> {
        self.iter().map(|text| text.as_ref().to_owned()).collect()
    }
}

/// A setting of type `T`, given as a value or in its written form (`Duration` or `"60s"`).
///
/// A text that does not read as a `T` is a [`ConfigError`] when the middleware is built.
///
/// ```
/// use std::time::Duration;
/// use socketioxide_jwt_auth::Verifier;
///
/// let value = Verifier::builder().leeway(Duration::from_secs(30));
/// let text = Verifier::builder().leeway("30s");
/// # drop((value, text));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a setting of type `{T}`",
    label = "expected a `{T}` or its written form"
)]
pub trait Setting<T> {
    /// The value, or what is wrong with its written form.
    ///
    /// # Errors
    ///
    /// A text that does not read as a `T`.
    fn into_value(self, name: &'static str) -> Result<T, ConfigError>;
}

impl Setting<Self> for Duration {
    fn into_value(self, _: &'static str) -> Result<Self, ConfigError> {
        Ok(self)
    }
}

impl Setting<Duration> for &str {
    fn into_value(self, name: &'static str) -> Result<Duration, ConfigError> {
        humantime::parse_duration(self).map_err(|error| {
            ConfigError::new(format!("{name}: {self:?} is not a duration ({error}); write it like \"60s\" or \"5m\""))
        })
    }
}

impl Setting<Duration> for String {
    fn into_value(self, name: &'static str) -> Result<Duration, ConfigError> {
        self.as_str().into_value(name)
    }
}

/// Implemented by nothing: it explains at compile time why an option is not there.
#[cfg(not(feature = "jwks"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "keys from a URL need the feature `jwks`",
    label = "this option needs the feature `jwks`",
    note = "add `jwks` to the features of socketioxide-jwt-auth in Cargo.toml"
)]
pub trait FeatureJwks {
    fn missing(self) -> ConfigError;
}

/// Makes an enum readable from its written form, and declares both forms as a [`Setting`].
macro_rules! written_setting {
    ($type:ident { $($text:literal => $variant:ident,)* }) => {
        impl $crate::settings::Setting<Self> for $type {
            fn into_value(self, _: &'static str) -> Result<Self, $crate::error::ConfigError> {
                Ok(self)
            }
        }

        impl $crate::settings::Setting<$type> for &str {
            fn into_value(self, name: &'static str) -> Result<$type, $crate::error::ConfigError> {
                match self {
                    $($text => Ok($type::$variant),)*
                    other => Err($crate::error::ConfigError::new(format!(
                        concat!("{}: {:?} is unknown; use one of", $(" \"", $text, "\"",)*),
                        name, other,
                    ))),
                }
            }
        }
    };
}
pub(crate) use written_setting;

/// Reads an environment variable that must be set.
pub(crate) fn read_environment(variable: &str) -> Result<String, ConfigError> {
    let text = match std::env::var(variable) {
        Ok(text) => text,
        Err(std::env::VarError::NotPresent) => {
            return Err(ConfigError::new(format!(
                "the environment variable {variable} is not set; set it before the server starts"
            )));
        }
        Err(std::env::VarError::NotUnicode(_)) => {
            return Err(ConfigError::new(format!(
                "the environment variable {variable} is not valid UTF-8; write its value in ASCII, or encode the key \
                 and say so with secret_encoding = \"base64\""
            )));
        }
    };
    if text.trim().is_empty() {
        return Err(ConfigError::new(format!("the environment variable {variable} is empty; give it a value")));
    }
    Ok(text)
}
