//! JSON that is checked and taken apart without being built: no recursion, and one limit for its depth.
//!
//! `serde_json` reads what must become a type. It cannot say where a value stands in the text without its feature
//! `raw_value`, and features are unified over a whole program: this crate must not switch that one on for others, and
//! must be right where others do.

mod reader;
mod skip;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use reader::{JsonError, ListReader, ObjectReader, string, strings};
pub(crate) use skip::{MemberName, skip_list, skip_object};

/// How deep objects and lists may be nested, the outermost one included.
///
/// What is read into types of the application is read recursively, so the limit keeps a stack of 256 KiB from
/// overflowing in a debug build. It is half of what `serde_json` allows.
pub(crate) const MAX_DEPTH: u32 = 64;

/// How the names begin under which `serde_json` passes numbers and raw JSON on to itself. Where its features
/// `arbitrary_precision` and `raw_value` are on, an object with such a name is read as what it is not: as a number, or
/// as another JSON text with a depth of its own.
const PRIVATE_PREFIX: &str = "$serde_json::private::";

/// A JSON string, borrowed where it has no escapes.
#[derive(serde::Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
