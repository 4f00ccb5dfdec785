//! Token sources: the auth payload, headers, the query string and cookies.

mod authorization;
mod cookies;
mod elsewhere;
mod payload;

use std::{
    borrow::Cow,
    fmt::{self, Display},
};

use http::{HeaderName, header, request::Parts};

use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    origin::Page,
};
pub(crate) use authorization::contains_jwt;
pub(crate) use elsewhere::{Elsewhere, in_event, in_handshake};
pub(crate) use payload::{AuthPayload, FirstArgument, MAX_TOKEN_BYTES};
use payload::{Entry, Unreadable};

/// A place where a client may put its token.
///
/// A middleware looks at its sources in order and takes the first one that is present: a bad token
/// in it is refused even if a later source holds a good one. `Bearer ` (in any case) before the
/// token is stripped in every source.
///
/// A source counts as absent if its value is empty, `null`, or one of the strings `"null"` and
/// `"undefined"`: JavaScript makes them of a token that is not there, as in
/// `"Bearer " + localStorage.getItem("token")`, so they are what a browser sends that is logged
/// out. Any other value that is not a token is refused with `token_malformed`, so a client that
/// tried to send a token never becomes a guest.
///
/// Names are case-sensitive, except those of headers. Values under other names are ignored; if one
/// of them looks like a token, and the client has no other, the log says where it is.
///
/// `Display` shows a source as it is written in the attribute.
///
/// ```
/// use socketioxide_jwt_auth::TokenSource;
///
/// // `io(url, { auth: { token } })`, then `Authorization: Bearer …`
/// let sources = [TokenSource::auth("token"), TokenSource::bearer()];
/// assert_eq!(sources[0].to_string(), "auth(\"token\")");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenSource(Place);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Auth(String),
    /// The scheme of an `Authorization` header.
    Authorization(String),
    Header(String),
    Query(String),
    Cookie(String),
}

/// The scheme of [RFC 6750 §2.1](https://www.rfc-editor.org/rfc/rfc6750#section-2.1).
const BEARER: &str = "Bearer";

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
        Self::authorization(BEARER)
    }

    /// The `Authorization` header with this scheme, such as `JWT` for `Authorization: JWT …`. The
    /// case of the scheme does not matter ([RFC 9110
    /// §11.1](https://www.rfc-editor.org/rfc/rfc9110#section-11.1)).
    ///
    /// `authorization("Bearer")` is [`bearer`](Self::bearer), and every scheme follows its rules.
    /// For several schemes, name several sources.
    ///
    /// ```
    /// use socketioxide_jwt_auth::TokenSource;
    ///
    /// let sources = [TokenSource::authorization("JWT"), TokenSource::bearer()];
    /// assert_eq!(TokenSource::authorization("bearer"), sources[1]);
    /// ```
    pub fn authorization(scheme: impl Into<String>) -> Self {
        let scheme = scheme.into();
        Self(Place::Authorization(
            if scheme.eq_ignore_ascii_case(BEARER) {
                BEARER.to_owned()
            } else {
                scheme
            },
        ))
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
    ///
    /// Quotes around the value are not part of it, and `Bearer%20` before the token is stripped
    /// too. Two cookies of this name count once if they hold the same token, and empty ones do not
    /// count; with two tokens the client is refused with `token_malformed`.
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Place::Cookie(name.into()))
    }

    pub(crate) fn is_cookie(&self) -> bool {
        matches!(self.0, Place::Cookie(_))
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
    /// Returns an error for an empty name, and for an invalid name of a header, a scheme or a
    /// cookie.
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
            // Names of cookies, of schemes and of headers consist of the same characters (RFC 6265
            // §4.1.1, RFC 9110 §11.1).
            Place::Cookie(name) if HeaderName::try_from(name).is_err() => {
                Err(ConfigError::invalid(format!(
                    "token: cookie({name:?}) is not a valid cookie name"
                )))
            }
            Place::Authorization(scheme) if HeaderName::try_from(scheme).is_err() => {
                Err(ConfigError::invalid(format!(
                    "token: authorization({scheme:?}) is not a valid scheme; write what stands before the space, like \
                     authorization(\"JWT\")"
                )))
            }
            _ => Ok(()),
        }
    }

    /// Returns the token of this source, or `None` if it is absent.
    ///
    /// # Errors
    ///
    /// Returns an error if the value is not a string, is too long or occurs twice.
    fn read(
        &self,
        all: &[Self],
        parts: &Parts,
        payload: &AuthPayload,
    ) -> Result<Option<RawToken>, AuthError> {
        match &self.0 {
            Place::Auth(key) => self.read_member(key, payload),
            Place::Authorization(scheme) => self.read_authorization(scheme, all, parts),
            Place::Header(name) => {
                let value = self.only(header_values(parts, name))?;
                Ok(value.and_then(|value| RawToken::from_text(&value)))
            }
            Place::Query(name) => {
                let query = parts.uri.query().unwrap_or_default().as_bytes();
                let values = form_urlencoded::parse(query).filter(|(key, _)| key == name);
                let value = self.only(values)?;
                Ok(value.and_then(|(_, value)| RawToken::from_text(&value)))
            }
            Place::Cookie(name) => cookies::token(parts, name)
                .map_err(|cookies::TwoTokens| self.malformed("occurs twice, with two values")),
        }
    }

    fn read_member(&self, key: &str, payload: &AuthPayload) -> Result<Option<RawToken>, AuthError> {
        match payload.get(key) {
            Ok(None) => Ok(None),
            Ok(Some(entry)) => read_entry(entry, self),
            Err(Unreadable::Twice) => Err(self.malformed("occurs twice")),
            Err(Unreadable::NotAnObject) => {
                Err(malformed("the auth payload is neither an object nor null"))
            }
        }
    }

    fn read_authorization(
        &self,
        scheme: &str,
        all: &[Self],
        parts: &Parts,
    ) -> Result<Option<RawToken>, AuthError> {
        let values = header_values(parts, header::AUTHORIZATION.as_str());
        let Some(value) = self.only(values)? else {
            return Ok(None);
        };
        if let Some(token) = strip_scheme(&value, scheme) {
            return Ok(RawToken::from_bare(token));
        }

        let is_of_another_source = all.iter().any(|source| {
            matches!(&source.0, Place::Authorization(other) if strip_scheme(&value, other).is_some())
        });
        if !is_of_another_source && authorization::hides_token(&value, scheme) {
            return Err(malformed(format!(
                "the Authorization header seems to hold a token, but is not \"{scheme} \" and a token"
            )));
        }
        Ok(None)
    }

    /// Returns the only value. Refuses two values under one name, because a proxy and this server
    /// might choose different ones.
    fn only<T>(&self, mut values: impl Iterator<Item = T>) -> Result<Option<T>, AuthError> {
        match (values.next(), values.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(self.malformed("occurs twice")),
        }
    }

    fn malformed(&self, what: &str) -> AuthError {
        malformed(format!("{self} {what}"))
    }
}

impl Display for TokenSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Auth(name) => write!(formatter, "auth({name:?})"),
            Place::Authorization(scheme) if scheme == BEARER => formatter.write_str("bearer"),
            Place::Authorization(scheme) => write!(formatter, "authorization({scheme:?})"),
            Place::Header(name) => write!(formatter, "header({name:?})"),
            Place::Query(name) => write!(formatter, "query({name:?})"),
            Place::Cookie(name) => write!(formatter, "cookie({name:?})"),
        }
    }
}

/// Returns the sources as a list for the log.
pub(crate) fn listed(sources: &[TokenSource]) -> String {
    let sources: Vec<_> = sources.iter().map(TokenSource::to_string).collect();
    sources.join(", ")
}

/// A token, and where it comes from.
#[derive(Debug)]
pub(crate) struct FoundToken<'a> {
    token: RawToken,
    source: &'a TokenSource,
}

impl FoundToken<'_> {
    /// Returns the token, if the client may use it. A browser adds cookies to the requests of every
    /// page, so a cookie counts only if the page is known to be an allowed one.
    ///
    /// # Errors
    ///
    /// Returns `origin_not_allowed` for a cookie of an unknown page.
    pub(crate) fn sent_by(self, page: Page) -> Result<RawToken, AuthError> {
        if self.source.is_cookie() && page != Page::Allowed {
            return Err(AuthError::from(ErrorCode::OriginNotAllowed)
                .with_detail("no Origin header, and the token came from a cookie"));
        }
        Ok(self.token)
    }
}

/// Returns the token of the first source that is present, without `Bearer `, or `None` if the
/// client sent no token.
///
/// # Errors
///
/// Returns `token_malformed` for a value that is not a string or occurs twice, and
/// `token_too_large` for one that is longer than any limit.
pub(crate) fn find<'a>(
    sources: &'a [TokenSource],
    parts: &Parts,
    payload: &AuthPayload,
) -> Result<Option<FoundToken<'a>>, AuthError> {
    for source in sources {
        if let Some(token) = source.read(sources, parts, payload)? {
            return Ok(Some(FoundToken { token, source }));
        }
    }
    Ok(None)
}

/// Returns the sources of the authenticate event: the member `token`, and the members in which an
/// auth payload may hold the token.
pub(crate) fn sources_of_event(sources: &[TokenSource]) -> Vec<TokenSource> {
    let token = TokenSource::auth("token");
    let others = sources
        .iter()
        .filter(|source| matches!(source.0, Place::Auth(_)) && **source != token);
    std::iter::once(token.clone())
        .chain(others.cloned())
        .collect()
}

/// Returns the token of an authenticate event: its argument if that is a string, else the member of
/// the first source that is present. Returns `None` if there is no token.
///
/// It reads nothing but the argument, so a cookie of the handshake cannot renew a session.
///
/// # Errors
///
/// As [`find`].
pub(crate) fn find_in_event(
    sources: &[TokenSource],
    FirstArgument(argument): &FirstArgument,
) -> Result<Option<RawToken>, AuthError> {
    match argument {
        AuthPayload::NotAnObject(Entry::NotText) => {
            return Err(malformed(
                "the argument of the event is neither an object nor a string",
            ));
        }
        AuthPayload::NotAnObject(entry) => return read_entry(entry, "the argument of the event"),
        AuthPayload::Members(_) => {}
    }

    for source in sources {
        if let Place::Auth(key) = &source.0
            && let Some(token) = source.read_member(key, argument)?
        {
            return Ok(Some(token));
        }
    }
    Ok(None)
}

fn read_entry(entry: &Entry, place: impl Display) -> Result<Option<RawToken>, AuthError> {
    match entry {
        Entry::Null => Ok(None),
        Entry::Text(text) => Ok(RawToken::from_text(text)),
        Entry::TooLong => Err(
            AuthError::from(ErrorCode::TokenTooLarge).with_detail(format!(
                "{place} has more than {MAX_TOKEN_BYTES} bytes, which max_token_bytes cannot allow"
            )),
        ),
        Entry::NotText => Err(malformed(format!("{place} is not a string"))),
    }
}

/// Returns the refusal of a client that sent no token.
pub(crate) fn missing(sources: &[TokenSource], elsewhere: Option<Elsewhere>) -> AuthError {
    let looked_at = format!("no token in {}", listed(sources));
    let detail = match elsewhere {
        Some(place) => format!("{looked_at}; {place} looks like one"),
        None => looked_at,
    };
    AuthError::from(ErrorCode::TokenMissing).with_detail(detail)
}

/// Returns the refusal of an HTTP request without a token, which has no auth payload.
#[cfg(feature = "axum")]
pub(crate) fn missing_in_request(
    sources: &[TokenSource],
    elsewhere: Option<Elsewhere>,
) -> AuthError {
    let is_possible = |source: &&TokenSource| !matches!(source.0, Place::Auth(_));
    let possible: Vec<_> = sources.iter().filter(is_possible).cloned().collect();
    if possible.is_empty() {
        return AuthError::from(ErrorCode::TokenMissing).with_detail(
            "`token` lists members of the auth payload only, which an HTTP request does not have: add `bearer`",
        );
    }
    missing(&possible, elsewhere)
}

/// Returns the refusal of a client whose payload cannot be parsed.
pub(crate) fn unreadable(payload: &str) -> AuthError {
    malformed(format!(
        "{payload} cannot be parsed: it is not JSON, is nested too deep or has too many members"
    ))
}

fn malformed(detail: impl Into<Cow<'static, str>>) -> AuthError {
    AuthError::from(ErrorCode::TokenMalformed).with_detail(detail)
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

/// Returns what follows a scheme and spaces.
fn strip_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, token) = text.split_at_checked(scheme.len())?;
    let has_scheme =
        found.eq_ignore_ascii_case(scheme) && (token.is_empty() || token.starts_with(' '));
    has_scheme.then(|| token.trim_start_matches(' '))
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
    /// Strips `Bearer `. Returns `None` if no token is left.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        Self::from_bare(strip_scheme(text, BEARER).unwrap_or(text))
    }

    /// Returns `None` for what JavaScript makes of a token that is not there: `"Bearer " + null`.
    fn from_bare(token: &str) -> Option<Self> {
        let is_absent = matches!(token, "" | "null" | "undefined");
        (!is_absent).then(|| Self(token.to_owned()))
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
