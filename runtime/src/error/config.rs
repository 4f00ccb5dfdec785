//! A mistake in the configuration.

use std::{borrow::Cow, error::Error, fmt, sync::Arc};

use crate::guard;

/// A mistake in the configuration, found when the middleware or the verifier is built.
///
/// Its text names the setting (or the environment variable) and says how to repair it. It never
/// holds key material. If several settings are wrong, the text names all of them, and
/// [`kind`](Self::kind) and [`source`](Error::source) are those of the first.
///
/// Its [`Debug`] output is that text, too, with the causes: a server shows it if its `main` returns
/// the error.
///
/// ```
/// use socketioxide_jwt_auth::{ConfigErrorKind, Verifier};
///
/// let error = Verifier::builder().secret("too short").build().unwrap_err();
/// assert!(error.to_string().contains("72 bits"));
/// assert_eq!(error.kind(), ConfigErrorKind::Key);
/// ```
#[derive(Clone)]
pub struct ConfigError {
    kind: ConfigErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

/// The kind of a [`ConfigError`].
///
/// ```
/// use socketioxide_jwt_auth::{ConfigErrorKind, Verifier};
///
/// let error = Verifier::builder().build().unwrap_err();
/// assert_eq!(error.kind(), ConfigErrorKind::Missing);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConfigErrorKind {
    /// A required setting is missing, such as the source of keys.
    Missing,
    /// A value cannot be parsed, or is not allowed.
    Invalid,
    /// Two settings contradict each other, such as an algorithm and a key of another type.
    Contradiction,
    /// An environment variable is not set, is empty or is not valid UTF-8.
    Environment,
    /// A file cannot be read, or is not valid UTF-8.
    File,
    /// A key or a secret is malformed, too weak or must not be on this server.
    Key,
    /// The HTTP client that fetches JWK Sets cannot be built.
    HttpClient,
    /// Keys cannot be fetched from their URL, which only
    /// [`Verifier::warm_up`](crate::Verifier::warm_up) and
    /// [`JwtAuth::warm_up`](crate::JwtAuth::warm_up) report.
    RemoteKeys,
}

impl ConfigError {
    /// Returns what kind of mistake it is.
    pub fn kind(&self) -> ConfigErrorKind {
        self.kind
    }

    pub(crate) fn new(kind: ConfigErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    pub(crate) fn missing(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ConfigErrorKind::Missing, message)
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ConfigErrorKind::Invalid, message)
    }

    pub(crate) fn contradiction(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ConfigErrorKind::Contradiction, message)
    }

    pub(crate) fn key(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ConfigErrorKind::Key, message)
    }

    /// Keeps the cause. Its text must not hold key material.
    pub(crate) fn with_source(self, source: Arc<dyn Error + Send + Sync>) -> Self {
        Self {
            source: Some(source),
            ..self
        }
    }

    /// Says where the mistake is.
    pub(crate) fn within(self, place: impl fmt::Display) -> Self {
        Self {
            message: format!("{place}: {}", self.message).into(),
            ..self
        }
    }

    /// Returns one error that names all mistakes. Returns `None` if there are none.
    pub(crate) fn join(errors: impl IntoIterator<Item = Self>) -> Option<Self> {
        errors.into_iter().reduce(|first, next| Self {
            message: format!("{}; {}", first.message, next.message).into(),
            ..first
        })
    }

    /// Returns all values.
    ///
    /// # Errors
    ///
    /// All mistakes, if there is one.
    pub(crate) fn collect<T>(
        results: impl IntoIterator<Item = Result<T, Self>>,
    ) -> Result<Vec<T>, Self> {
        let (mut values, mut errors) = (Vec::new(), Vec::new());
        for result in results {
            match result {
                Ok(value) => values.push(value),
                Err(error) => errors.push(error),
            }
        }

        match Self::join(errors) {
            Some(error) => Err(error),
            None => Ok(values),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl fmt::Debug for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&guard::error_chain(self))
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    fn unreadable_file() -> ConfigError {
        ConfigError::new(ConfigErrorKind::File, "the file cannot be read")
            .with_source(Arc::new(io::Error::from(io::ErrorKind::NotFound)))
    }

    #[track_caller]
    fn assert_source_is_not_found(error: &ConfigError) {
        let source = error.source().expect("a source");
        let source = source.downcast_ref::<io::Error>().expect("an `io::Error`");
        assert_eq!(source.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_source_is_kept_with_the_kind_and_the_text() {
        let error = unreadable_file();
        assert_eq!(error.kind(), ConfigErrorKind::File);
        assert_eq!(error.to_string(), "the file cannot be read");
        assert_source_is_not_found(&error);
        assert_source_is_not_found(&error.clone());
        assert!(ConfigError::key("too short").source().is_none());
    }

    #[test]
    fn an_error_that_main_returns_is_shown_as_its_text_and_causes() {
        assert_eq!(
            format!("Error: {:?}", unreadable_file()),
            "Error: the file cannot be read: entity not found"
        );
        assert_eq!(format!("{:?}", ConfigError::key("too short")), "too short");
    }

    #[test]
    fn a_place_is_put_before_the_text_and_keeps_kind_and_source() {
        let error = unreadable_file().within("issuer 2");
        assert_eq!(error.kind(), ConfigErrorKind::File);
        assert_eq!(error.to_string(), "issuer 2: the file cannot be read");
        assert_source_is_not_found(&error);
    }

    #[test]
    fn joined_errors_have_every_text_in_order_and_the_kind_and_source_of_the_first() {
        let others = [
            ConfigError::key("too short"),
            ConfigError::missing("no key"),
        ];

        let first = [unreadable_file()].into_iter().chain(others.clone());
        let error = ConfigError::join(first).unwrap();
        assert_eq!(
            error.to_string(),
            "the file cannot be read; too short; no key"
        );
        assert_eq!(error.kind(), ConfigErrorKind::File);
        assert_source_is_not_found(&error);

        let last = others.into_iter().chain([unreadable_file()]);
        let error = ConfigError::join(last).unwrap();
        assert_eq!(
            error.to_string(),
            "too short; no key; the file cannot be read"
        );
        assert_eq!(error.kind(), ConfigErrorKind::Key);
        assert!(error.source().is_none());
    }

    #[test]
    fn no_errors_are_joined_to_none_and_one_to_itself() {
        assert!(ConfigError::join([]).is_none());

        let error = ConfigError::join([unreadable_file()]).unwrap();
        assert_eq!(error.to_string(), "the file cannot be read");
        assert_source_is_not_found(&error);
    }

    #[test]
    fn values_are_collected_only_if_none_is_a_mistake() {
        let values = ConfigError::collect([Ok(1), Ok(2)]).unwrap();
        assert_eq!(values, [1, 2]);

        let results = [
            Err(unreadable_file()),
            Ok(1),
            Err(ConfigError::key("too short")),
        ];
        let error = ConfigError::collect(results).unwrap_err();
        assert_eq!(error.to_string(), "the file cannot be read; too short");
        assert_source_is_not_found(&error);
    }
}
