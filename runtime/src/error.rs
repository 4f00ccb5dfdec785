//! Why a connection, an event or a token is refused, and what the client should do.

mod code;
mod config;
mod custom;
mod find;
mod from_socketioxide;

use std::{borrow::Cow, error::Error, fmt};

use serde::{Serialize, Serializer, ser::SerializeMap};

pub use code::{Action, ErrorCode};
pub use config::{ConfigError, ConfigErrorKind};
pub use custom::CustomError;

/// Why a client is refused.
///
/// It has one side for the client and one for the operator:
///
/// | | client | `tracing` |
/// |---|---|---|
/// | [`code()`](Self::code) | yes | yes |
/// | [`message()`](Self::message), [`action()`](Self::action), [`data`](Self::data) | yes | no |
/// | [`detail()`](Self::detail): what exactly is wrong | never | yes |
/// | [`source()`](Error::source): the cause, such as a database error | never | yes, with its own sources |
///
/// A user lookup may return one, which the client gets unchanged:
///
/// ```
/// use socketioxide_jwt_auth::{AuthError, ErrorCode};
///
/// fn check(suspended: bool) -> Result<(), AuthError> {
///     if suspended {
///         return Err(AuthError::denied("Your account is suspended."));
///     }
///     Ok(())
/// }
///
/// let error = check(true).unwrap_err();
/// assert_eq!(error.code(), ErrorCode::Denied);
/// assert_eq!(error.message(), "Your account is suspended.");
/// ```
///
/// [`Display`](fmt::Display) is what socketioxide sends as the message of `connect_error`, the only
/// part of a refused connection that it sends: the code, or the application's message for
/// [`AuthError::denied`].
pub struct AuthError {
    code: ErrorCode,
    // Boxed, because most refusals have nothing more to say, and futures hold them by value.
    parts: Option<Box<Parts>>,
}

#[derive(Default)]
struct Parts {
    message: Option<Cow<'static, str>>,
    action: Option<Action>,
    data: Option<serde_json::Value>,
    detail: Option<Cow<'static, str>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AuthError {
    /// Makes a refusal with the application's message, which the client gets unchanged. Its code is
    /// `denied`, which tells the client not to try again; for anything else use
    /// [`custom`](Self::custom).
    ///
    /// ```
    /// use socketioxide_jwt_auth::AuthError;
    ///
    /// assert_eq!(AuthError::denied("user does not exist").to_string(), "user does not exist");
    /// ```
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::from(ErrorCode::Denied).with(|parts| parts.message = Some(message.into()))
    }

    /// Begins a refusal with a code and a message of the application. The client gets both
    /// unchanged; without [`action`](CustomError::action) it is told not to try again.
    ///
    /// Becomes an [`AuthError`] by [`action`](CustomError::action), by `?` or by `into()`.
    ///
    /// ```
    /// use serde_json::json;
    /// use socketioxide_jwt_auth::{Action, AuthError};
    ///
    /// let error = AuthError::custom("email_unverified", "Confirm your address first.")
    ///     .action(Action::Login)
    ///     .data(json!({ "sent_to": "a…@example.com" }));
    /// assert_eq!(error.code(), "email_unverified");
    /// ```
    pub fn custom(code: &'static str, message: impl Into<Cow<'static, str>>) -> CustomError {
        CustomError::new(code, message.into())
    }

    /// Makes an error for a failure of the application. The client gets `internal_error` only; the
    /// cause goes to [`source()`](Error::source) and to `tracing`.
    ///
    /// ```
    /// use socketioxide_jwt_auth::AuthError;
    ///
    /// let error = AuthError::internal("the pool of database connections is empty");
    /// assert_eq!(error.to_string(), "internal_error");
    /// ```
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::from(ErrorCode::InternalError).with_source(cause)
    }

    /// Makes an error for a [`KeySource`](crate::KeySource) that cannot get its keys now. The
    /// client gets `keys_unavailable`, and may try again; the cause goes to `tracing`.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{Action, AuthError};
    ///
    /// let error = AuthError::keys_unavailable("the key server does not answer");
    /// assert_eq!(error.action(), Action::Retry);
    /// ```
    pub fn keys_unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::from(ErrorCode::KeysUnavailable).with_source(cause)
    }

    /// Adds data for the client, which it gets as the member `data`.
    ///
    /// ```
    /// use serde_json::json;
    /// use socketioxide_jwt_auth::{AuthError, ErrorCode};
    ///
    /// let error = AuthError::from(ErrorCode::Forbidden).data(json!({ "needs": "moderator" }));
    /// assert_eq!(serde_json::to_value(&error)?["data"]["needs"], "moderator");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn data(self, data: impl Into<serde_json::Value>) -> Self {
        self.with(|parts| parts.data = Some(data.into()))
    }

    /// Adds what the operator should know, as [`detail()`](Self::detail) has it. It must not hold a
    /// token, a secret or a personal claim.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{AuthError, ErrorCode};
    ///
    /// let error = AuthError::from(ErrorCode::UserNotFound).with_detail("the replica is behind");
    /// assert_eq!(error.detail(), Some("the replica is behind"));
    /// ```
    pub fn with_detail(self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.with(|parts| parts.detail = Some(detail.into()))
    }

    /// Returns the stable name of the reason. Clients should compare this, not the message.
    ///
    /// ```
    /// use socketioxide_jwt_auth::{AuthError, ErrorCode};
    ///
    /// let error = AuthError::denied("no");
    /// assert_eq!(error.code(), ErrorCode::Denied);
    /// assert_eq!(error.code(), "denied");
    /// ```
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// Returns the sentence for the person in front of the client: that of the application, or the
    /// one of the [code](ErrorCode::message).
    ///
    /// ```
    /// use socketioxide_jwt_auth::{AuthError, ErrorCode};
    ///
    /// assert_eq!(AuthError::from(ErrorCode::LoginRequired).message(), "Log in first.");
    /// ```
    pub fn message(&self) -> &str {
        let own = self
            .parts
            .as_ref()
            .and_then(|parts| parts.message.as_deref());
        own.unwrap_or_else(|| self.code.message())
    }

    /// Returns what the client should do.
    pub fn action(&self) -> Action {
        let own = self.parts.as_ref().and_then(|parts| parts.action);
        own.unwrap_or_else(|| self.code.action())
    }

    /// Returns what the operator should know: which claim, header or setting is wrong, what was
    /// expected and what was found. It goes to `tracing` and never to a client.
    ///
    /// It holds no token, no secret, and no value of a claim other than `iss`, `aud`, `azp` and the
    /// header's `typ` and `alg`, which are escaped and shortened. `None` if the code says all.
    pub fn detail(&self) -> Option<&str> {
        self.parts
            .as_ref()
            .and_then(|parts| parts.detail.as_deref())
    }

    pub(crate) fn with_source(self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.with(|parts| parts.source = Some(source.into()))
    }

    fn with(mut self, change: impl FnOnce(&mut Parts)) -> Self {
        change(self.parts.get_or_insert_default());
        self
    }

    /// Returns a copy with what a client may see only.
    pub(crate) fn for_client(&self) -> Self {
        self.copy_with(|_| None)
    }

    /// Returns a copy with what a client may see, and the detail for the operator.
    pub(crate) fn without_source(&self) -> Self {
        self.copy_with(|parts| parts.detail.clone())
    }

    fn copy_with(&self, detail: impl FnOnce(&Parts) -> Option<Cow<'static, str>>) -> Self {
        let parts = self.parts.as_ref().map(|parts| {
            Box::new(Parts {
                message: parts.message.clone(),
                action: parts.action,
                data: parts.data.clone(),
                detail: detail(parts),
                source: None,
            })
        });

        Self {
            code: self.code,
            parts,
        }
    }
}

/// Converts an error of the application. An [`AuthError`] stays unchanged, also if it is only among
/// the [sources](Error::source) of the error, or inside of an `anyhow::Error` or of a variant with
/// thiserror's `#[error(transparent)]`. Any other error becomes an [`internal`](AuthError::internal)
/// one.
///
/// ```
/// use socketioxide_jwt_auth::AuthError;
///
/// let failure: Box<dyn std::error::Error + Send + Sync> = AuthError::denied("too long").into();
/// assert_eq!(AuthError::from(failure).code(), "denied");
/// ```
impl From<Box<dyn Error + Send + Sync>> for AuthError {
    fn from(failure: Box<dyn Error + Send + Sync>) -> Self {
        let failure = match failure.downcast::<Self>() {
            Ok(own) => return *own,
            Err(other) => other,
        };

        match find::find(&*failure) {
            Some(found) if found.has_cause => found.copy.with_source(failure),
            Some(found) => found.copy,
            None => Self::internal(failure),
        }
    }
}

impl From<ErrorCode> for AuthError {
    fn from(code: ErrorCode) -> Self {
        Self { code, parts: None }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        find::displayed(self);
        match self.code {
            ErrorCode::Denied => formatter.write_str(self.message()),
            code => code.fmt(formatter),
        }
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("AuthError");
        debug.field("code", &self.code.as_str());

        if let Some(parts) = &self.parts {
            let Parts {
                message,
                action,
                data,
                detail,
                source,
            } = &**parts;
            let mut field = |name, value: Option<&dyn fmt::Debug>| {
                if let Some(value) = value {
                    debug.field(name, value);
                }
            };
            field("message", message.as_ref().map(|value| value as _));
            field("action", action.as_ref().map(|value| value as _));
            field("data", data.as_ref().map(|value| value as _));
            field("detail", detail.as_ref().map(|value| value as _));
            field("source", source.as_ref().map(|value| value as _));
        }

        debug.finish()
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source = self.parts.as_ref()?.source.as_deref()?;
        Some(source)
    }
}

/// Serializes to `{"code", "message", "action"}` and, if there is some, `"data"`, as a client gets
/// it in an acknowledgement. HTTP routes can use it too.
impl Serialize for AuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_map(None)?;
        object.serialize_entry("code", &self.code)?;
        object.serialize_entry("message", self.message())?;
        object.serialize_entry("action", &self.action())?;
        if let Some(data) = self.parts.as_ref().and_then(|parts| parts.data.as_ref()) {
            object.serialize_entry("data", data)?;
        }
        object.end()
    }
}

#[cfg(test)]
mod tests;
