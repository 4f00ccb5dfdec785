//! Why a connection, an event or a token is refused, and what the client should do.

mod config;

use std::{borrow::Cow, error::Error, fmt};

use serde::{Serialize, Serializer, ser::SerializeStruct};

pub use config::{ConfigError, ConfigErrorKind};

/// What a client should do after a refusal. A client that follows it does not have to know every
/// code.
///
/// ```
/// use socketioxide_jwt_auth::{Action, AuthError};
///
/// assert_eq!(AuthError::denied("account suspended").action(), Action::None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Get a new token without asking the user, then try again.
    Renew,
    /// Ask the user to log in.
    Login,
    /// Try again later with the same token: the server could not decide.
    Retry,
    /// Do not try again: it cannot succeed.
    None,
}

/// Declares every code once: the variant, what goes over the wire, and what the client should do.
macro_rules! codes {
    ($($code:ident = $name:literal => $action:ident,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Code { $($code,)* }

        impl Code {
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$code => $name,)* }
            }

            fn action(self) -> Action {
                match self { $(Self::$code => Action::$action,)* }
            }
        }
    };
}

codes! {
    TokenMissing = "token_missing" => Login,
    TokenMalformed = "token_malformed" => Login,
    TokenTooLarge = "token_too_large" => Login,
    TokenSignatureInvalid = "token_signature_invalid" => Login,
    TokenAlgorithmNotAllowed = "token_algorithm_not_allowed" => Login,
    // The usual reason is a key that was rotated out; a new token is signed with the new key.
    TokenKeyUnknown = "token_key_unknown" => Renew,
    TokenExpired = "token_expired" => Renew,
    TokenNotYetValid = "token_not_yet_valid" => Retry,
    TokenIssuerInvalid = "token_issuer_invalid" => Login,
    TokenAudienceInvalid = "token_audience_invalid" => Login,
    TokenClaimMissing = "token_claim_missing" => Login,
    TokenClaimsInvalid = "token_claims_invalid" => Login,
    OriginNotAllowed = "origin_not_allowed" => None,
    UserNotFound = "user_not_found" => Login,
    Denied = "denied" => None,
    LoginRequired = "login_required" => Login,
    Forbidden = "forbidden" => None,
    SubjectMismatch = "subject_mismatch" => Login,
    SessionEnded = "session_ended" => Login,
    TooManyAttempts = "too_many_attempts" => Retry,
    KeysUnavailable = "keys_unavailable" => Retry,
    LookupTimeout = "lookup_timeout" => Retry,
    InternalError = "internal_error" => Retry,
}

/// Why a client is refused.
///
/// [`Display`](fmt::Display) is what the client gets: the [code](Self::code), or the application's
/// message for [`AuthError::denied`]. It never contains the cause (such as a database error), which
/// is in [`source()`](Error::source) and goes to `tracing` only.
///
/// A user lookup may return one, which the client gets unchanged:
///
/// ```
/// use socketioxide_jwt_auth::AuthError;
///
/// fn check(suspended: bool) -> Result<(), AuthError> {
///     if suspended {
///         return Err(AuthError::denied("account suspended"));
///     }
///     Ok(())
/// }
///
/// let error = check(true).unwrap_err();
/// assert_eq!(error.code(), "denied");
/// assert_eq!(error.to_string(), "account suspended");
/// ```
pub struct AuthError {
    code: Code,
    message: Option<Cow<'static, str>>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl AuthError {
    /// Makes a refusal with the application's message, which the client gets unchanged. Its code is
    /// `denied`.
    ///
    /// ```
    /// use socketioxide_jwt_auth::AuthError;
    ///
    /// assert_eq!(AuthError::denied("user does not exist").to_string(), "user does not exist");
    /// ```
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Code::Denied,
            message: Some(message.into()),
            source: None,
        }
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
        Self::with_cause(Code::InternalError, cause)
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
        Self::with_cause(Code::KeysUnavailable, cause)
    }

    fn with_cause(code: Code, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            code,
            message: None,
            source: Some(cause.into()),
        }
    }

    /// Returns the stable name of the reason, in `snake_case`. Clients should compare this, not the
    /// message.
    ///
    /// ```
    /// use socketioxide_jwt_auth::AuthError;
    ///
    /// assert_eq!(AuthError::denied("no").code(), "denied");
    /// ```
    pub fn code(&self) -> &'static str {
        self.code.as_str()
    }

    /// Returns what the client should do.
    pub fn action(&self) -> Action {
        self.code.action()
    }

    pub(crate) fn kind(&self) -> Code {
        self.code
    }

    /// Returns a copy without the cause.
    pub(crate) fn for_client(&self) -> Self {
        Self {
            code: self.code,
            message: self.message.clone(),
            source: None,
        }
    }
}

/// Converts an error of the application. An [`AuthError`] stays unchanged; any other error becomes
/// an [`internal`](AuthError::internal) one.
///
/// ```
/// use socketioxide_jwt_auth::AuthError;
///
/// let failure: Box<dyn std::error::Error + Send + Sync> = AuthError::denied("too long").into();
/// assert_eq!(AuthError::from(failure).code(), "denied");
/// ```
impl From<Box<dyn Error + Send + Sync>> for AuthError {
    fn from(failure: Box<dyn Error + Send + Sync>) -> Self {
        failure
            .downcast::<Self>()
            .map_or_else(Self::internal, |error| *error)
    }
}

impl From<Code> for AuthError {
    fn from(code: Code) -> Self {
        Self {
            code,
            message: None,
            source: None,
        }
    }
}

impl fmt::Display for AuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.message.as_deref().unwrap_or(self.code.as_str()))
    }
}

impl fmt::Debug for AuthError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("AuthError");
        debug.field("code", &self.code());
        if let Some(message) = &self.message {
            debug.field("message", message);
        }
        if let Some(source) = &self.source {
            debug.field("source", source);
        }
        debug.finish()
    }
}

impl Error for AuthError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Serializes to `{"code": …, "message": …}`, as a client gets it in an acknowledgement. HTTP
/// routes can use it too.
impl Serialize for AuthError {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("AuthError", 2)?;
        object.serialize_field("code", self.code())?;
        object.serialize_field("message", &Message(self))?;
        object.end()
    }
}

struct Message<'a>(&'a AuthError);

impl Serialize for Message<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self.0)
    }
}
