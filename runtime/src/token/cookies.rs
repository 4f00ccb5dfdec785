//! Tokens in cookies.

use http::{header, request::Parts};

use super::{RawToken, header_values};

/// The error for two cookies of one name with different tokens: a proxy and this server might
/// choose different ones.
#[derive(Debug)]
pub(super) struct TwoTokens;

/// Returns the token in the cookies of this name, or `None` if there is none.
///
/// Browsers send one cookie several times if it was set for several paths or domains. Equal ones
/// count once, and those without a token do not count.
///
/// # Errors
///
/// Returns an error if two of the cookies hold different tokens.
pub(super) fn token(parts: &Parts, name: &str) -> Result<Option<RawToken>, TwoTokens> {
    let headers: Vec<_> = header_values(parts, header::COOKIE.as_str()).collect();
    let mut tokens = headers
        .iter()
        .flat_map(|header| pairs(header))
        .filter(|(own, _)| *own == name)
        .filter_map(|(_, value)| RawToken::from_text(unwrapped(value)));

    let first = tokens.next();
    if tokens.any(|token| Some(token) != first) {
        return Err(TwoTokens);
    }
    Ok(first)
}

/// Returns the names and values of the cookies in a header ([RFC 6265
/// §5.4](https://www.rfc-editor.org/rfc/rfc6265#section-5.4)).
///
/// A piece without `=` or without a name is not a cookie. The other cookies of its header count: any
/// page of the domain may have set it.
pub(super) fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header
        .split(';')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.trim(), value.trim()))
        .filter(|(name, _)| !name.is_empty())
}

/// Returns the value without quotes around it ([RFC 6265
/// §4.1.1](https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1)) and without the scheme `Bearer`
/// that a server has written with an escaped space.
///
/// Other escapes are left as they are, because a token needs none: a proxy that does not decode
/// them must not see another token than this server.
pub(super) fn unwrapped(value: &str) -> &str {
    let unquoted = value
        .strip_prefix('"')
        .and_then(|value| value.strip_suffix('"'))
        .unwrap_or(value);
    match unquoted.split_once("%20") {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(super::BEARER) => token,
        _ => unquoted,
    }
}
