//! The codes of refusals, and what clients should do about them.

use std::fmt;

use serde::{Serialize, Serializer};

/// What a client should do after a refusal. A client that follows it does not have to know every
/// code.
///
/// On the wire it is in lower case: `renew`, `login`, `retry`, `reconnect` or `none`.
///
/// ```
/// use socketioxide_jwt_auth::{Action, AuthError};
///
/// assert_eq!(AuthError::denied("account suspended").action(), Action::None);
/// assert_eq!(Action::Renew.to_string(), "renew");
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
    /// Disconnect and connect again with the same token: the open socket belongs to another user.
    Reconnect,
    /// Do not try again: it cannot succeed.
    None,
}

impl Action {
    /// Returns the name that goes over the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Renew => "renew",
            Self::Login => "login",
            Self::Retry => "retry",
            Self::Reconnect => "reconnect",
            Self::None => "none",
        }
    }
}

/// Declares every code once: the variant, what goes over the wire, what the client should do, and
/// the sentence for the person in front of it.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal => $action:ident, $message:literal;)*) => {
        /// The stable name of the reason of a refusal.
        ///
        /// It is what clients and metrics compare. `Display`, `Serialize` and the comparison with a
        /// string use the name in `snake_case`, as it goes over the wire.
        ///
        /// | code | meaning | action | log |
        /// |---|---|---|---|
        /// | `token_missing` | there is no token, and guests are not admitted | `login` | INFO |
        /// | `token_malformed` | the token is not a signed JWT | `login` | INFO, detail at DEBUG |
        /// | `token_too_large` | the token is longer than `max_token_bytes` | `login` | INFO |
        /// | `token_signature_invalid` | no key made the signature | `login` | INFO |
        /// | `token_algorithm_not_allowed` | `alg` is not in `algorithms`, or not one of the key | `login` | INFO |
        /// | `token_key_unknown` | no key has the `kid` | `renew` | INFO |
        /// | `token_expired` | `exp` plus leeway has passed | `renew` | INFO, detail at DEBUG |
        /// | `token_not_yet_valid` | `nbf` less leeway has not come | `retry` | INFO |
        /// | `token_issuer_invalid` | `iss` is not an accepted issuer | `login` | INFO |
        /// | `token_audience_invalid` | `aud` does not name this server | `login` | INFO |
        /// | `token_claim_missing` | a required claim is missing | `login` | INFO |
        /// | `token_claims_invalid` | a claim has a wrong type or value | `login` | INFO |
        /// | `origin_not_allowed` | the page is not in `allowed_origins` | `none` | INFO |
        /// | `user_not_found` | the lookup returned `None` | `login` | INFO, detail at DEBUG |
        /// | `denied` | the application refuses | `none` | INFO, detail at DEBUG |
        /// | `login_required` | a guest may not do this | `login` | INFO, detail at DEBUG |
        /// | `forbidden` | a policy does not allow the user | `none` | INFO, detail at DEBUG |
        /// | `subject_mismatch` | the new token is of another user | `reconnect` | INFO, detail at DEBUG |
        /// | `session_ended` | the user was logged out | `login` | INFO, detail at DEBUG |
        /// | `token_revoked` | the token, its session or its user was revoked | `login` | INFO, detail at DEBUG |
        /// | `too_many_attempts` | past the limits of a connection | `retry` | DEBUG |
        /// | `keys_unavailable` | the keys cannot be fetched | `retry` | ERROR |
        /// | `revocations_unavailable` | the revocation store does not answer | `retry` | ERROR |
        /// | `lookup_timeout` | the lookup took longer than `lookup_timeout` | `retry` | INFO |
        /// | `internal_error` | the application failed | `retry` | ERROR |
        ///
        /// The last column is the level at which a refused connection, login or renewal is logged;
        /// ERROR has the cause, and the other levels have [`AuthError::detail`](crate::AuthError::detail).
        /// An event that a handler refuses is logged at DEBUG, and a session that ends at INFO.
        ///
        /// ```
        /// use socketioxide_jwt_auth::{Action, AuthError, ErrorCode};
        ///
        /// let error = AuthError::from(ErrorCode::Forbidden);
        /// assert_eq!(error.code(), ErrorCode::Forbidden);
        /// assert_eq!(error.code(), "forbidden");
        /// assert_eq!(ErrorCode::TokenExpired.action(), Action::Renew);
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $($(#[$doc])* $code,)*
            /// A code of the application: [`AuthError::custom`](crate::AuthError::custom).
            Custom(&'static str),
        }

        impl ErrorCode {
            /// Every code but those of the application, for tables and tests.
            pub const ALL: &[Self] = &[$(Self::$code,)*];

            /// Returns the name that goes over the wire.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)*
                    Self::Custom(name) => name,
                }
            }

            /// Returns what a client should do. For a code of the application it is
            /// [`Action::None`]; [`AuthError::action`](crate::AuthError::action) knows better.
            pub fn action(self) -> Action {
                match self {
                    $(Self::$code => Action::$action,)*
                    Self::Custom(_) => Action::None,
                }
            }

            /// Returns the sentence for the person in front of the client.
            pub fn message(self) -> &'static str {
                match self {
                    $(Self::$code => $message,)*
                    Self::Custom(_) => "Access denied.",
                }
            }
        }
    };
}

codes! {
    /// No source holds a token, and guests are not admitted.
    TokenMissing = "token_missing" => Login, "Log in first.";
    /// What was sent as a token is not a signed JWT, or there are two where one must be.
    TokenMalformed = "token_malformed" => Login, "Log in again.";
    /// The token is longer than `max_token_bytes`.
    TokenTooLarge = "token_too_large" => Login, "Log in again.";
    /// None of the keys made the signature.
    TokenSignatureInvalid = "token_signature_invalid" => Login, "Log in again.";
    /// The token is signed with an algorithm that `algorithms` does not list, or that the key
    /// named by `kid` is not for.
    TokenAlgorithmNotAllowed = "token_algorithm_not_allowed" => Login, "Log in again.";
    /// No key has the `kid` of the token. The usual reason is a key that was rotated out: a new
    /// token is signed with the new one.
    TokenKeyUnknown = "token_key_unknown" => Renew, "Your login must be renewed.";
    /// The time `exp` plus leeway has come.
    TokenExpired = "token_expired" => Renew, "Your login has expired.";
    /// The time `nbf` less leeway has not come.
    TokenNotYetValid = "token_not_yet_valid" => Retry, "Your login is not valid yet.";
    /// `iss` is none of the accepted issuers.
    TokenIssuerInvalid = "token_issuer_invalid" => Login, "Log in again.";
    /// `aud` does not name this server, or the server has no configured audience.
    TokenAudienceInvalid = "token_audience_invalid" => Login, "Log in again.";
    /// A required claim is missing.
    TokenClaimMissing = "token_claim_missing" => Login, "Log in again.";
    /// A claim has a wrong type or value, or the token is of another kind than an access token.
    TokenClaimsInvalid = "token_claims_invalid" => Login, "Log in again.";
    /// The `Origin` of the handshake is not in `allowed_origins`.
    OriginNotAllowed = "origin_not_allowed" => None, "This site may not connect.";
    /// The user lookup returned `None`.
    UserNotFound = "user_not_found" => Login, "Log in again.";
    /// The application refuses with [`AuthError::denied`](crate::AuthError::denied).
    Denied = "denied" => None, "Access denied.";
    /// A guest may not do this, or has not logged in within `guest_timeout`.
    LoginRequired = "login_required" => Login, "Log in first.";
    /// A policy does not allow this user.
    Forbidden = "forbidden" => None, "You may not do this.";
    /// The new token is of another user than the session.
    SubjectMismatch = "subject_mismatch" => Reconnect, "Reconnect to change the user.";
    /// The user was logged out.
    SessionEnded = "session_ended" => Login, "Your session has ended. Log in again.";
    /// The token, its session or its user was [revoked](crate::Revocation).
    TokenRevoked = "token_revoked" => Login, "Log in again.";
    /// The connection has made too many attempts, or a newer renewal has replaced this one.
    TooManyAttempts = "too_many_attempts" => Retry, "Too many attempts. Try again later.";
    /// The keys cannot be fetched.
    KeysUnavailable = "keys_unavailable" => Retry, "Logging in is not possible right now. Try again later.";
    /// The [revocation store](crate::RevocationStore) does not answer, so it is not known whether
    /// the token was revoked.
    RevocationsUnavailable = "revocations_unavailable" => Retry, "Logging in is not possible right now. Try again later.";
    /// The user lookup took longer than `lookup_timeout`.
    LookupTimeout = "lookup_timeout" => Retry, "The server is busy. Try again later.";
    /// The application failed. The cause is in `tracing`.
    InternalError = "internal_error" => Retry, "Something went wrong. Try again later.";
}

impl ErrorCode {
    /// Returns whether the usual reason of this refusal is that the settings of issuer, client and
    /// server do not fit together, so that the operator must see its detail.
    pub(crate) fn may_be_configuration(self) -> bool {
        matches!(
            self,
            Self::TokenMissing
                | Self::TokenTooLarge
                | Self::TokenSignatureInvalid
                | Self::TokenAlgorithmNotAllowed
                | Self::TokenKeyUnknown
                | Self::TokenNotYetValid
                | Self::TokenIssuerInvalid
                | Self::TokenAudienceInvalid
                | Self::TokenClaimMissing
                | Self::TokenClaimsInvalid
                | Self::OriginNotAllowed
                | Self::LookupTimeout
                | Self::InternalError
        )
    }
}

impl fmt::Display for Action {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl AsRef<str> for ErrorCode {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq<str> for ErrorCode {
    fn eq(&self, name: &str) -> bool {
        self.as_str() == name
    }
}

impl PartialEq<&str> for ErrorCode {
    fn eq(&self, name: &&str) -> bool {
        self.as_str() == *name
    }
}

impl PartialEq<String> for ErrorCode {
    fn eq(&self, name: &String) -> bool {
        self.as_str() == name
    }
}

impl PartialEq<ErrorCode> for str {
    fn eq(&self, code: &ErrorCode) -> bool {
        code == self
    }
}

impl PartialEq<ErrorCode> for &str {
    fn eq(&self, code: &ErrorCode) -> bool {
        code == self
    }
}

impl PartialEq<ErrorCode> for String {
    fn eq(&self, code: &ErrorCode) -> bool {
        code == self
    }
}
