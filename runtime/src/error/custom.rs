//! Refusals with a code of the application.

use std::{borrow::Cow, error::Error, fmt};

use super::{Action, AuthError, ErrorCode};

/// A refusal with a code of the application, which [`AuthError::custom`] begins.
///
/// It becomes an [`AuthError`] by [`action`](Self::action), by `?` or by `into()`:
///
/// ```
/// use socketioxide_jwt_auth::{Action, AuthError};
///
/// fn check(verified: bool) -> Result<(), AuthError> {
///     if !verified {
///         Err(AuthError::custom("email_unverified", "Confirm your address first."))?;
///     }
///     Ok(())
/// }
///
/// let error = check(false).unwrap_err();
/// assert_eq!(error.code(), "email_unverified");
/// assert_eq!(error.action(), Action::None);
/// ```
#[derive(Debug)]
#[must_use = "return it, as an `AuthError`"]
pub struct CustomError(AuthError);

impl CustomError {
    pub(super) fn new(code: &'static str, message: Cow<'static, str>) -> Self {
        let error = AuthError::from(ErrorCode::Custom(code));
        Self(error.with(|parts| parts.message = Some(message)))
    }

    /// Sets what the client should do. Defaults to [`Action::None`].
    ///
    /// ```
    /// use socketioxide_jwt_auth::{Action, AuthError};
    ///
    /// let error = AuthError::custom("maintenance", "Back at noon.").action(Action::Retry);
    /// assert_eq!(error.action(), Action::Retry);
    /// ```
    pub fn action(self, action: Action) -> AuthError {
        self.0.with(|parts| parts.action = Some(action))
    }

    /// Adds data for the client, which it gets as the member `data`.
    ///
    /// ```
    /// use serde_json::json;
    /// use socketioxide_jwt_auth::AuthError;
    ///
    /// let error: AuthError = AuthError::custom("maintenance", "Back at noon.")
    ///     .data(json!({ "until": "12:00" }))
    ///     .into();
    /// assert_eq!(serde_json::to_value(&error)?["data"]["until"], "12:00");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn data(self, data: impl Into<serde_json::Value>) -> Self {
        Self(self.0.data(data))
    }
}

impl From<CustomError> for AuthError {
    fn from(error: CustomError) -> Self {
        error.0
    }
}

impl fmt::Display for CustomError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Its source is the [`AuthError`] that it becomes, so a lookup may return it inside of any error.
impl Error for CustomError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
