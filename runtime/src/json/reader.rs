//! Readers of an object's members and a list's elements, each as a slice of the JSON.

use std::borrow::Cow;

use super::{
    JsonError, MAX_DEPTH,
    scanner::{Scanner, unescape},
};

/// The members of an object, in order.
///
/// ```text
/// while let Some(name) = object.next_name()? {
///     let value = object.value()?;
/// }
/// ```
///
/// The JSON is checked step by step: only after `next_name` has returned `None` is all of it known
/// to be valid.
pub(crate) struct ObjectReader<'a> {
    scanner: Scanner<'a>,
    is_first: bool,
}

impl<'a> ObjectReader<'a> {
    /// # Errors
    ///
    /// The JSON does not begin with `{`.
    pub(crate) fn new(json: &'a str) -> Result<Self, JsonError> {
        Self::with_depth(json, MAX_DEPTH)
    }

    /// Reads an object whose members are not limited in depth. They are not for types that are read
    /// recursively.
    ///
    /// # Errors
    ///
    /// The JSON does not begin with `{`.
    pub(crate) fn of_any_depth(json: &'a str) -> Result<Self, JsonError> {
        Self::with_depth(json, u32::MAX)
    }

    fn with_depth(json: &'a str, max_depth: u32) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(json, max_depth);
        scanner.expect(b'{')?;
        Ok(Self {
            scanner,
            is_first: true,
        })
    }

    /// Returns the name of the next member, unescaped. Returns `None` at the end of the object,
    /// which must be the end of the JSON too.
    #[inline]
    pub(crate) fn next_name(&mut self) -> Result<Option<Cow<'a, str>>, JsonError> {
        if self.scanner.next_is_last(b'}', &mut self.is_first)? {
            return Ok(None);
        }
        let name = self.scanner.name()?;
        if !self.scanner.has_escapes {
            return Ok(Some(Cow::Borrowed(name)));
        }
        unescape(name).map(Some).ok_or(JsonError::Malformed)
    }

    /// Returns the value of the member whose name was returned last, as JSON.
    pub(crate) fn value(&mut self) -> Result<&'a str, JsonError> {
        self.scanner.value()
    }

    /// Returns whether a member that was passed so far, at any depth, has one of `serde_json`'s
    /// private names.
    pub(crate) fn has_private_name(&self) -> bool {
        self.scanner.has_private_name
    }
}

/// The elements of a list, in order.
pub(crate) struct ListReader<'a> {
    scanner: Scanner<'a>,
    is_first: bool,
}

impl<'a> ListReader<'a> {
    /// # Errors
    ///
    /// The JSON does not begin with `[`.
    pub(crate) fn new(json: &'a str) -> Result<Self, JsonError> {
        Self::with_depth(json, MAX_DEPTH)
    }

    /// Reads a list whose elements are not limited in depth. They are not for types that are read
    /// recursively.
    ///
    /// # Errors
    ///
    /// The JSON does not begin with `[`.
    pub(crate) fn of_any_depth(json: &'a str) -> Result<Self, JsonError> {
        Self::with_depth(json, u32::MAX)
    }

    fn with_depth(json: &'a str, max_depth: u32) -> Result<Self, JsonError> {
        let mut scanner = Scanner::new(json, max_depth);
        scanner.expect(b'[')?;
        Ok(Self {
            scanner,
            is_first: true,
        })
    }

    /// Returns the next element, as JSON. Returns `None` at the end of the list, which must be the
    /// end of the JSON too.
    pub(crate) fn next_element(&mut self) -> Result<Option<&'a str>, JsonError> {
        if self.scanner.next_is_last(b']', &mut self.is_first)? {
            return Ok(None);
        }
        self.scanner.value().map(Some)
    }
}

/// Returns what kind of value valid JSON is, with its article. It is for messages.
pub(crate) fn kind(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'n') => "null",
        Some(b't' | b'f') => "a boolean",
        Some(b'"') => "a string",
        Some(b'[') => "a list",
        Some(b'{') => "an object",
        _ => "a number",
    }
}

/// Returns the content of a JSON string. Returns `None` if the value is not a string, or has half
/// of a surrogate pair.
pub(crate) fn string(json: &str) -> Option<Cow<'_, str>> {
    unescape(json.strip_prefix('"')?.strip_suffix('"')?)
}

/// Returns the strings of a JSON list. Returns `None` if the value is not a list of strings.
pub(crate) fn strings(json: &str) -> Option<Vec<Cow<'_, str>>> {
    let mut list = ListReader::new(json).ok()?;
    let mut strings = Vec::new();

    while let Some(element) = list.next_element().ok()? {
        strings.push(string(element)?);
    }
    Some(strings)
}
