//! Where a token is found: in the auth payload, in headers, in the query string, in cookies.

mod authorization;
mod payload;

use std::{borrow::Cow, fmt};

use cookie::Cookie;
use http::{HeaderName, header, request::Parts};

use crate::error::{AuthError, Code, ConfigError};
pub(crate) use authorization::contains_jwt;
use payload::Entry;
pub(crate) use payload::{AuthPayload, MAX_TOKEN_BYTES};

/// A place where a client may put its token.
///
/// The sources of a middleware are asked in order, and the first one that is present decides: a bad token in it is
/// refused even if a later source holds a good one. An empty value counts as absent. `Bearer ` (in any case) before
/// the token is stripped in every source.
///
/// Everything else that stands in a source is a token, or is refused with `token_malformed`: a client that tried to
/// send one never becomes a guest. Names other than those of headers are compared with their case, and what stands
/// under another name is ignored.
///
/// ```
/// use socketioxide_jwt_auth::TokenSource;
///
/// // `io(url, { auth: { token } })`, then `Authorization: Bearer …`
/// let sources = [TokenSource::auth("token"), TokenSource::bearer()];
/// # drop(sources);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Auth(String),
    Bearer,
    Header(String),
    Query(String),
    Cookie(String),
}

impl TokenSource {
    /// A member of the `auth` payload of the Socket.IO handshake (clients 3 and later). A payload that is not an object
    /// is refused with `token_malformed`, unless it is `null` or an empty string, which count as absent.
    pub fn auth(key: impl Into<String>) -> Self {
        Self(Place::Auth(key.into()))
    }

    /// The `Authorization: Bearer …` header ([RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)).
    /// Another scheme, such as `Basic`, counts as absent, but is refused with `token_malformed` if something in it looks
    /// like a JWT: three segments separated by dots, the first of which is the beginning of a JSON object in base64url.
    pub fn bearer() -> Self {
        Self(Place::Bearer)
    }

    /// A request header. Browsers cannot set one on a WebSocket, but can on polling (`extraHeaders`).
    pub fn header(name: impl Into<String>) -> Self {
        Self(Place::Header(name.into()))
    }

    /// A parameter of the query string. Proxies and servers tend to log it: prefer [`TokenSource::auth`].
    pub fn query(name: impl Into<String>) -> Self {
        Self(Place::Query(name.into()))
    }

    /// A cookie. It needs `allowed_origins`, because browsers send cookies with cross-site WebSockets too.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie(name.into()))
    }

    pub(crate) fn is_cookie(&self) -> bool {
        matches!(self.0, Place::Cookie(_))
    }

    pub(crate) fn is_auth(&self) -> bool {
        matches!(self.0, Place::Auth(_))
    }

    /// Where the seed package and most clients put a token.
    pub(crate) fn defaults() -> Vec<Self> {
        vec![
            Self::auth("token"),
            Self::auth("auth_token"),
            Self::bearer(),
            Self::header("x-auth-token"),
            Self::query("auth_token"),
        ]
    }

    /// # Errors
    ///
    /// An empty name, or one that cannot be the name of a header.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Place::Header(name) if HeaderName::try_from(name).is_err() => {
                Err(ConfigError::invalid(format!("token: header({name:?}) is not a valid header name")))
            }
            Place::Auth(name) | Place::Header(name) | Place::Query(name) | Place::Cookie(name) if name.is_empty() => {
                Err(ConfigError::invalid("token: a source has an empty name; write the name that clients use"))
            }
            // The name of a cookie has the characters of a header's name (RFC 6265 §4.1.1).
            Place::Cookie(name) if HeaderName::try_from(name).is_err() => {
                Err(ConfigError::invalid(format!("token: cookie({name:?}) is not a valid cookie name")))
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    ///
    /// What is present, but is not a text, or is there twice.
    fn read(&self, parts: &Parts, payload: &AuthPayload) -> Result<Option<String>, AuthError> {
        let malformed = || AuthError::from(Code::TokenMalformed);
        match &self.0 {
            Place::Auth(key) => match payload.get(key).map_err(|payload::Unreadable| malformed())? {
                None => Ok(None),
                Some(Entry::Text(text)) => Ok(Some(text.clone())),
                Some(Entry::TooLong) => Err(Code::TokenTooLarge.into()),
                Some(Entry::NotText) => Err(malformed()),
            },
            Place::Bearer => match only(header_values(parts, header::AUTHORIZATION.as_str()))? {
                Some(value) if strip_bearer(&value).is_some() => Ok(Some(value.into_owned())),
                Some(value) if authorization::hides_token(&value) => Err(malformed()),
                _ => Ok(None),
            },
            Place::Header(name) => Ok(only(header_values(parts, name))?.map(Cow::into_owned)),
            Place::Query(name) => {
                let query = parts.uri.query().unwrap_or_default().as_bytes();
                only(form_urlencoded::parse(query).filter(|(key, _)| key == name))
                    .map(|pair| pair.map(|(_, value)| value.into_owned()))
            }
            Place::Cookie(name) => {
                let cookies = header_values(parts, header::COOKIE.as_str()).flat_map(Cookie::split_parse).flatten();
                only(cookies.filter(|cookie| cookie.name() == name))
                    .map(|cookie| cookie.map(|cookie| cookie.value().to_owned()))
            }
        }
    }
}

/// The token of the first source that is present, without `Bearer `; `None` if the client sent no token.
///
/// # Errors
///
/// `token_malformed` for a value that is not a text or is ambiguous, `token_too_large` for one that nobody would accept.
pub(crate) fn find(
    sources: &[TokenSource],
    parts: &Parts,
    payload: &AuthPayload,
) -> Result<Option<RawToken>, AuthError> {
    for source in sources {
        if let Some(token) = source.read(parts, payload)?.and_then(RawToken::from_text) {
            return Ok(Some(token));
        }
    }
    Ok(None)
}

/// Bytes that are not UTF-8 become U+FFFD, which no token holds: another cookie's value may be anything.
fn header_values<'a>(parts: &'a Parts, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    parts.headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// Two values under one name would let two parties read two different tokens from the same request.
fn only<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, AuthError> {
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(Code::TokenMalformed.into()),
    }
}

fn strip_bearer(text: &str) -> Option<&str> {
    const SCHEME: &str = "bearer";
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    scheme.eq_ignore_ascii_case(SCHEME).then(|| token.trim_start_matches(' '))
}

/// The encoded token, as the client sent it (without `Bearer `).
///
/// A parameter of a user lookup, for passing the token on to another service. Its [`Debug`](fmt::Debug) does not show
/// the token, so that it does not end up in a log.
///
/// ```
/// use socketioxide_jwt_auth::{RawToken, jwt_auth};
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
/// struct User { name: String, token_for_billing: String }
///
/// #[jwt_auth(secret_env = "JWT_SECRET")]
/// async fn authenticate(claims: Claims, token: RawToken) -> Option<User> {
///     Some(User { name: claims.sub, token_for_billing: token.into_string() })
/// }
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct RawToken(String);

impl RawToken {
    /// `None` for what counts as no token.
    pub(crate) fn from_text(text: String) -> Option<Self> {
        let token = strip_bearer(&text).map(str::to_owned).unwrap_or(text);
        (!token.is_empty()).then_some(Self(token))
    }

    /// The token: three segments of base64url.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token, by value.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for RawToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("RawToken(redacted)")
    }
}

#[cfg(test)]
mod tests;
