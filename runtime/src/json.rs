//! Checks JSON and splits it into values without building them: no recursion, and a limit of its
//! depth.
//!
//! `serde_json` deserializes into types. It cannot return a value as JSON without its feature
//! `raw_value`, and features are unified over a whole program: this crate must not switch that one
//! on for other crates, and must be correct if another crate does.

mod reader;
mod scanner;
mod skip;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use reader::{ListReader, ObjectReader, kind, string, strings};
pub(crate) use skip::{MemberName, skip_list, skip_object};

/// How deep objects and lists may be nested, the outermost one included.
///
/// Types of the application are deserialized recursively, so the limit keeps a stack of 256 KiB
/// from overflowing in a debug build. It is half of `serde_json`'s limit.
pub(crate) const MAX_DEPTH: u32 = 64;

/// The prefix of the names under which `serde_json` passes numbers and raw JSON to itself. If its
/// features `arbitrary_precision` and `raw_value` are on, an object with such a name is
/// deserialized as something else: as a number, or as other JSON with its own depth.
const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// Why JSON is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JsonError {
    /// It is not valid JSON, or not of the expected type.
    Malformed,
    /// It is nested more than [`MAX_DEPTH`] deep.
    TooDeep,
}

/// A JSON string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Unescaped<'a>(#[serde(borrow)] Cow<'a, str>);
