//! The forms in which a setting may be written, and environment variables.

#[macro_use]
mod declare;

use std::{
    env::{self, VarError},
    time::Duration,
};

use crate::error::{ConfigError, ConfigErrorKind};
pub(crate) use declare::{checked, declare_settings};

/// One string or a list of strings: what `issuer`, `secret_env`, `algorithms` and similar settings
/// take.
///
/// ```
/// use socketioxide_jwt_auth::Verifier;
///
/// let one = Verifier::builder().issuer("https://login.example.com");
/// let many = Verifier::builder().issuer(["https://login.example.com", "https://login.example.org"]);
/// # drop((one, many));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither a string nor a list of strings",
    label = "expected `\"one\"` or `[\"one\", \"two\"]`"
)]
pub trait OneOrMany {
    /// Returns the strings, in their order.
    fn into_strings(self) -> Vec<String>;
}

impl OneOrMany for &str {
    fn into_strings(self) -> Vec<String> {
        vec![self.to_owned()]
    }
}

impl OneOrMany for String {
    fn into_strings(self) -> Vec<String> {
        vec![self]
    }
}

impl OneOrMany for &String {
    fn into_strings(self) -> Vec<String> {
        vec![self.clone()]
    }
}

impl<S: AsRef<str>, const N: usize> OneOrMany for [S; N] {
    fn into_strings(self) -> Vec<String> {
        self.as_slice().into_strings()
    }
}

impl<S: AsRef<str>, const N: usize> OneOrMany for &[S; N] {
    fn into_strings(self) -> Vec<String> {
        self.as_slice().into_strings()
    }
}

impl<S: AsRef<str>> OneOrMany for Vec<S> {
    fn into_strings(self) -> Vec<String> {
        self.as_slice().into_strings()
    }
}

impl<S: AsRef<str>> OneOrMany for &[S] {
    fn into_strings(self) -> Vec<String> {
        self.iter()
            .map(|string| string.as_ref().to_owned())
            .collect()
    }
}

/// The strings of a setting, or the environment variable that holds them.
#[derive(Debug, Clone)]
pub(crate) enum StringList {
    Strings(Vec<String>),
    /// Separated by commas.
    Environment {
        setting: &'static str,
        variable: String,
    },
}

impl StringList {
    /// Returns the strings.
    ///
    /// # Errors
    ///
    /// The variable is not set, is empty, is not UTF-8, or has an empty value between its commas.
    pub(crate) fn load(self) -> Result<Vec<String>, ConfigError> {
        let (setting, variable) = match self {
            Self::Strings(strings) => return Ok(strings),
            Self::Environment { setting, variable } => (setting, variable),
        };

        let values = environment_variable(&variable)?;
        let values: Vec<_> = values
            .split(',')
            .map(|value| value.trim().to_owned())
            .collect();
        if values.iter().any(String::is_empty) {
            return Err(ConfigError::new(
                ConfigErrorKind::Environment,
                format!(
                    "{setting}: a value in the environment variable {variable} is empty; write it like \"one,two\", \
                     without a comma at the end"
                ),
            ));
        }
        Ok(values)
    }
}

/// A setting of type `T`, given as a value or in its written form (`Duration` or `"60s"`).
///
/// If a string cannot be parsed as a `T`, building the middleware returns a [`ConfigError`].
///
/// ```
/// use std::time::Duration;
/// use socketioxide_jwt_auth::Verifier;
///
/// let value = Verifier::builder().leeway(Duration::from_secs(30));
/// let written = Verifier::builder().leeway("30s");
/// # drop((value, written));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a setting of type `{T}`",
    label = "expected a `{T}` or its written form"
)]
pub trait Setting<T> {
    /// Returns the value. `name` is the setting's name, for the error.
    ///
    /// # Errors
    ///
    /// The written form cannot be parsed as a `T`.
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
            ConfigError::invalid(format!(
                "{name}: {self:?} is not a duration ({error}); write it like \"60s\" or \"5m\""
            ))
        })
    }
}

impl Setting<Duration> for String {
    fn into_value(self, name: &'static str) -> Result<Duration, ConfigError> {
        self.as_str().into_value(name)
    }
}

/// Implemented by no type. It explains at compile time why an option is not available.
#[cfg(not(feature = "jwks"))]
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "keys from a URL need the feature `jwks`",
    label = "this option needs the feature `jwks`",
    note = "add `jwks` to the features of socketioxide-jwt-auth in Cargo.toml"
)]
pub trait FeatureJwks {
    fn missing<T>(self) -> T;
}

/// Implements [`Setting`] for an enum and for its written form.
macro_rules! written_setting {
    ($type:ident { $($written:literal => $variant:ident,)* }) => {
        impl $crate::settings::Setting<Self> for $type {
            fn into_value(self, _: &'static str) -> Result<Self, $crate::error::ConfigError> {
                Ok(self)
            }
        }

        impl $crate::settings::Setting<$type> for &str {
            fn into_value(self, name: &'static str) -> Result<$type, $crate::error::ConfigError> {
                match self {
                    $($written => Ok($type::$variant),)*
                    other => Err($crate::error::ConfigError::invalid(format!(
                        concat!("{}: {:?} is unknown; use one of", $(" \"", $written, "\"",)*),
                        name, other,
                    ))),
                }
            }
        }
    };
}
pub(crate) use written_setting;

/// Returns the value of an environment variable that must be set.
///
/// # Errors
///
/// The variable is not set, is empty or is not UTF-8. The error never shows its value, which may be
/// a secret.
pub(crate) fn environment_variable(name: &str) -> Result<String, ConfigError> {
    let problem = match env::var(name) {
        Ok(value) if !value.trim().is_empty() => return Ok(value),
        Ok(_) => "is empty; give it a value",
        Err(VarError::NotPresent) => "is not set; set it before the server starts",
        Err(VarError::NotUnicode(_)) => {
            "is not valid UTF-8; write its value in ASCII, or encode the key and say so with secret_encoding = \"base64\""
        }
    };

    Err(ConfigError::new(
        ConfigErrorKind::Environment,
        format!("the environment variable {name} {problem}"),
    ))
}
