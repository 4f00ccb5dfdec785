//! Token sources: the auth payload, headers, the query string and cookies.

mod authorization;
mod payload;

use std::{borrow::Cow, fmt};

use cookie::Cookie;
use http::{HeaderName, header, request::Parts};

use crate::error::{AuthError, ConfigError, ErrorCode};
pub(crate) use authorization::contains_jwt;
use payload::Entry;
pub(crate) use payload::{AuthPayload, MAX_TOKEN_BYTES};

/// A place where a client may put its token.
///
/// A middleware looks at its sources in order and takes the first one that is present: a bad token
/// in it is refused even if a later source holds a good one. An empty value counts as absent.
/// `Bearer ` (in any case) before the token is stripped in every source.
///
/// Any other value that is not a token is refused with `token_malformed`, so a client that tried to
/// send a token never becomes a guest. Names are case-sensitive, except those of headers. Values
/// under other names are ignored.
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
    /// A member of the `auth` payload of the Socket.IO handshake (clients 3 and later). A payload
    /// that is `null` or an empty string counts as absent; any other payload that is not an object
    /// is refused with `token_malformed`.
    pub fn auth(key: impl Into<String>) -> Self {
        Self(Place::Auth(key.into()))
    }

    /// The `Authorization: Bearer …` header ([RFC 6750
    /// §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)). Another scheme, such as `Basic`,
    /// counts as absent. It is refused with `token_malformed` if it contains something like a JWT:
    /// three segments separated by dots, the first of which is the beginning of a JSON object in
    /// base64url.
    pub fn bearer() -> Self {
        Self(Place::Bearer)
    }

    /// A request header. Browsers can set it for polling (`extraHeaders`), but not for a WebSocket.
    pub fn header(name: impl Into<String>) -> Self {
        Self(Place::Header(name.into()))
    }

    /// A parameter of the query string. Prefer [`TokenSource::auth`], because proxies and servers
    /// often log queries.
    pub fn query(name: impl Into<String>) -> Self {
        Self(Place::Query(name.into()))
    }

    /// A cookie. Requires `allowed_origins`, because browsers send cookies with cross-site
    /// WebSockets too.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie(name.into()))
    }

    pub(crate) fn is_cookie(&self) -> bool {
        matches!(self.0, Place::Cookie(_))
    }

    pub(crate) fn is_auth(&self) -> bool {
        matches!(self.0, Place::Auth(_))
    }

    /// Returns the default sources: the places where most clients put a token.
    pub(crate) fn defaults() -> Vec<Self> {
        vec![
            Self::auth("token"),
            Self::auth("auth_token"),
            Self::bearer(),
            Self::header("x-auth-token"),
            Self::query("auth_token"),
        ]
    }

    /// Checks the name of the source.
    ///
    /// # Errors
    ///
    /// Returns an error for an empty name, and for an invalid name of a header or a cookie.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        match &self.0 {
            Place::Header(name) if HeaderName::try_from(name).is_err() => {
                Err(ConfigError::invalid(format!(
                    "token: header({name:?}) is not a valid header name"
                )))
            }
            Place::Auth(name) | Place::Header(name) | Place::Query(name) | Place::Cookie(name)
                if name.is_empty() =>
            {
                Err(ConfigError::invalid(
                    "token: a source has an empty name; write the name that clients use",
                ))
            }
            // Names of cookies and of headers consist of the same characters (RFC 6265 §4.1.1).
            Place::Cookie(name) if HeaderName::try_from(name).is_err() => {
                Err(ConfigError::invalid(format!(
                    "token: cookie({name:?}) is not a valid cookie name"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns the value of this source, or `None` if it is absent.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a string, is too long or occurs twice.
    fn read(&self, parts: &Parts, payload: &AuthPayload) -> Result<Option<String>, AuthError> {
        let malformed = || AuthError::from(ErrorCode::TokenMalformed);

        match &self.0 {
            Place::Auth(key) => match payload
                .get(key)
                .map_err(|payload::Unreadable| malformed())?
            {
                None => Ok(None),
                Some(Entry::Text(text)) => Ok(Some(text.clone())),
                Some(Entry::TooLong) => Err(ErrorCode::TokenTooLarge.into()),
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
                let cookies = header_values(parts, header::COOKIE.as_str())
                    .flat_map(Cookie::split_parse)
                    .flatten();
                only(cookies.filter(|cookie| cookie.name() == name))
                    .map(|cookie| cookie.map(|cookie| cookie.value().to_owned()))
            }
        }
    }
}

/// Returns the token of the first source that is present, without `Bearer `, or `None` if the
/// client sent no token.
///
/// # Errors
///
/// Returns `token_malformed` for a value that is not a string or occurs twice, and
/// `token_too_large` for one that is longer than any limit.
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

/// Returns the values of a header. Bytes that are not UTF-8 become U+FFFD, which is not valid in a
/// token: the values of other cookies in the header need not be UTF-8.
fn header_values<'a>(parts: &'a Parts, name: &str) -> impl Iterator<Item = Cow<'a, str>> {
    parts
        .headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// Returns the only value. Refuses two values under one name, because a proxy and this server might
/// choose different ones.
fn only<T>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, AuthError> {
    match (values.next(), values.next()) {
        (first, None) => Ok(first),
        (_, Some(_)) => Err(ErrorCode::TokenMalformed.into()),
    }
}

fn strip_bearer(text: &str) -> Option<&str> {
    const SCHEME: &str = "bearer";
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    scheme
        .eq_ignore_ascii_case(SCHEME)
        .then(|| token.trim_start_matches(' '))
}

/// The encoded token, as the client sent it (without `Bearer `).
///
/// It can be a parameter of a user lookup, to pass the token on to another service. Its
/// [`Debug`](fmt::Debug) output hides the token, so that it does not end up in a log.
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
    /// Strips `Bearer `. Returns `None` if nothing is left.
    pub(crate) fn from_text(text: String) -> Option<Self> {
        let token = strip_bearer(&text).map(str::to_owned).unwrap_or(text);
        (!token.is_empty()).then_some(Self(token))
    }

    /// Returns the token: three segments of base64url.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the token as a `String`.
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
