//! Tokens in places that are not among the sources, for the operator: the client and the server
//! probably use different names.

use std::{borrow::Cow, fmt};

use http::{header, request::Parts};

use super::{
    AuthPayload, Entry, FirstArgument, TokenSource, authorization::begins_object, cookies,
    header_values, listed,
};
use crate::log::excerpt;

/// The limit of values that are looked at in each part of a handshake. It is that of the members of
/// an auth payload.
const MAX_VALUES: usize = 64;

/// A longer value is not looked at: the payload of a client that is not authenticated may be 64 MB.
const MAX_BYTES: usize = 64 * 1024;

/// A longer name is not shown.
const MAX_NAME_BYTES: usize = 1024;

/// A place that is not among the sources, whose value looks like a token.
///
/// `Display` names it with what the client wrote, escaped and shortened, and never shows the value.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// The auth payload itself.
    Payload,
    /// A member of the auth payload.
    Member(String),
    /// A member of the argument of an event.
    EventMember(String),
    Header(String),
    Query(String),
    Cookie(String),
}

impl Elsewhere {
    /// Returns the sentence for the log.
    pub(crate) fn beside(&self, sources: &[TokenSource]) -> String {
        format!(
            "{self} looks like a token, and the sources are {}",
            listed(sources)
        )
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload => formatter.write_str("the auth payload itself"),
            Self::Member(name) => {
                write!(formatter, "the member {} of the auth payload", shown(name))
            }
            Self::EventMember(name) => {
                write!(formatter, "the member {} of the argument", shown(name))
            }
            Self::Header(name) => write!(formatter, "the header {}", shown(name)),
            Self::Query(name) => write!(formatter, "the query parameter {}", shown(name)),
            Self::Cookie(name) => write!(formatter, "the cookie {}", shown(name)),
        }
    }
}

/// Returns a name in quotes, unless it is too long to be searched for a token.
fn shown(name: &str) -> Cow<'static, str> {
    if name.len() > MAX_NAME_BYTES {
        return Cow::Borrowed("(a long name)");
    }
    Cow::Owned(excerpt(name))
}

/// Returns the first place of a handshake without a token whose value looks like one.
pub(crate) fn in_handshake(parts: &Parts, payload: &AuthPayload) -> Option<Elsewhere> {
    in_payload(payload, Elsewhere::Member)
        .or_else(|| in_headers(parts))
        .or_else(|| in_query(parts))
        .or_else(|| in_cookies(parts))
}

/// Returns the member of an event without a token whose value looks like one.
pub(crate) fn in_event(FirstArgument(argument): &FirstArgument) -> Option<Elsewhere> {
    in_payload(argument, Elsewhere::EventMember)
}

fn in_payload(payload: &AuthPayload, member: fn(String) -> Elsewhere) -> Option<Elsewhere> {
    let is_token = |entry: &Entry| matches!(entry, Entry::Text(text) if looks_like_token(text));
    match payload {
        AuthPayload::NotAnObject(entry) => is_token(entry).then_some(Elsewhere::Payload),
        AuthPayload::Members(members) => members
            .iter()
            .find(|(_, entry)| is_token(entry))
            .map(|(name, _)| member(name.clone())),
    }
}

fn in_headers(parts: &Parts) -> Option<Elsewhere> {
    let others = parts
        .headers
        .iter()
        .filter(|(name, _)| *name != header::COOKIE);
    others
        .take(MAX_VALUES)
        .find(|(_, value)| value.to_str().is_ok_and(looks_like_token))
        .map(|(name, _)| Elsewhere::Header(name.as_str().to_owned()))
}

fn in_query(parts: &Parts) -> Option<Elsewhere> {
    let query = parts.uri.query().unwrap_or_default().as_bytes();
    form_urlencoded::parse(query)
        .take(MAX_VALUES)
        .find(|(_, value)| looks_like_token(value))
        .map(|(name, _)| Elsewhere::Query(name.into_owned()))
}

fn in_cookies(parts: &Parts) -> Option<Elsewhere> {
    let headers: Vec<_> = header_values(parts, header::COOKIE.as_str()).collect();
    headers
        .iter()
        .flat_map(|header| cookies::pairs(header))
        .take(MAX_VALUES)
        .find(|(_, value)| looks_like_token(cookies::unwrapped(value)))
        .map(|(name, _)| Elsewhere::Cookie(name.to_owned()))
}

/// Whether one of the words of a value is three segments separated by dots, of which the first is
/// the beginning of a JSON object in base64url.
fn looks_like_token(value: &str) -> bool {
    let is_token_character =
        |character: char| character.is_ascii_alphanumeric() || "-_=.".contains(character);
    let is_token = |word: &str| {
        word.as_bytes().get(..8).is_some_and(begins_object)
            && word.bytes().filter(|byte| *byte == b'.').count() == 2
    };

    value.len() <= MAX_BYTES
        && value
            .split(|character| !is_token_character(character))
            .any(is_token)
}
