//! Says why claims cannot be deserialized as the application's type, without showing a value.
//!
//! The errors of `serde_json` quote what they found, which may be personal. So the claims are
//! deserialized once more, from the same JSON, by a deserializer whose error keeps the path, the
//! kind of the value and what was expected, and nothing else.

mod deserializer;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashSet, fmt::Display};

use serde::de::{DeserializeOwned, Error, Expected, Unexpected};
use serde_json::Value;

use crate::log::{excerpt, excerpts};
use deserializer::{Json, MAX_DEPTH};

/// Returns what is wrong with a payload that could not be deserialized as a `C`.
pub(super) fn describe<C: DeserializeOwned>(payload: &str) -> String {
    match C::deserialize(Json::new(payload)) {
        Err(mismatch) => mismatch.describe(payload),
        Ok(_) => "the claims are not those that the application's type expects".to_owned(),
    }
}

/// An error without values.
#[derive(Debug)]
struct Mismatch {
    /// From the inside out.
    path: Vec<Step>,
    cause: Cause,
}

#[derive(Debug)]
enum Step {
    Name(String),
    /// A name in a map, which may be personal as well as a value.
    Hidden,
    Element(usize),
}

#[derive(Debug)]
enum Cause {
    /// A value of another type.
    Type(&'static str, String),
    /// A value of the right type, such as a number that is too large.
    Value(&'static str, String),
    Length(String),
    UnknownVariant(&'static [&'static str]),
    UnknownName(String),
    Missing(&'static str),
    Twice(&'static str),
    NoVariant,
    TooDeep,
    /// The application's own error.
    Refused,
    /// The type is deserialized in another way than from JSON values.
    Unsupported,
}

impl From<Cause> for Mismatch {
    fn from(cause: Cause) -> Self {
        Self {
            path: Vec::new(),
            cause,
        }
    }
}

impl Mismatch {
    fn at(mut self, step: Step) -> Self {
        self.path.push(step);
        self
    }

    fn describe(&self, payload: &str) -> String {
        let known = Known::of(payload);
        let expected = |text: &str| {
            if known.may_repeat_a_value(text) {
                "another one".to_owned()
            } else {
                excerpt(text).trim_matches('"').to_owned()
            }
        };
        let place = self.place();

        match &self.cause {
            Cause::Type(found, text) => {
                let expected = expected(text);
                format!("{place} is {found}, and the application's type expects {expected}")
            }
            Cause::Value(found, text) => {
                let expected = expected(text);
                format!(
                    "{place} is {found} that is not accepted: the application's type expects {expected}"
                )
            }
            Cause::Length(text) => {
                let expected = expected(text);
                format!("{place} has another length: the application's type expects {expected}")
            }
            Cause::UnknownVariant(variants) => format!(
                "{place} is none of the values that the application's type knows, which are {}",
                excerpts(variants)
            ),
            Cause::UnknownName(name) if known.claims.contains(name.as_str()) => format!(
                "the application's type does not know the claim {} (`deny_unknown_fields`)",
                excerpt(name)
            ),
            Cause::UnknownName(_) => format!(
                "{place} has a member that the application's type does not know (`deny_unknown_fields`)"
            ),
            Cause::Missing(name) if self.path.is_empty() => format!(
                "the application's type needs {}, which is not among the claims",
                excerpt(name)
            ),
            Cause::Missing(name) => format!(
                "{place} has no {}, which the application's type needs",
                excerpt(name)
            ),
            Cause::Twice(name) => format!("{place} has {} twice", excerpt(name)),
            Cause::NoVariant => {
                format!("{place} matches no variant of an enum in the application's type")
            }
            Cause::TooDeep => {
                format!("{place} is nested more than {MAX_DEPTH} deep, and not looked into further")
            }
            Cause::Refused => {
                format!("{place} is refused by the `Deserialize` of the application's type")
            }
            Cause::Unsupported => {
                "the claims are not those that the application's type expects".to_owned()
            }
        }
    }

    /// Names the place, as the subject of a sentence.
    fn place(&self) -> String {
        if self.path.is_empty() {
            return "the claims, or a value among them,".to_owned();
        }

        let mut path = String::new();
        for step in self.path.iter().rev() {
            let (separator, part) = match step {
                Step::Element(position) => ("", Cow::Owned(format!("[{position}]"))),
                Step::Name(name) => (".", Cow::Borrowed(name.as_str())),
                Step::Hidden => (".", Cow::Borrowed("*")),
            };
            if !path.is_empty() {
                path.push_str(separator);
            }
            path.push_str(&part);
        }
        format!("the claim {}", excerpt(&path))
    }
}

/// What a payload holds, to keep it out of texts of the application.
struct Known {
    claims: HashSet<String>,
    /// All values and nested names, in lower case.
    values: String,
    /// The words in them.
    words: HashSet<String>,
}

impl Known {
    fn of(payload: &str) -> Self {
        let mut claims = HashSet::new();
        let mut values = String::new();
        if let Ok(Value::Object(members)) = serde_json::from_str(payload) {
            for (name, value) in members {
                collect(&value, &mut values);
                claims.insert(name);
            }
        }

        let values = values.to_lowercase();
        let words = words(&values).map(str::to_owned).collect();
        Self {
            claims,
            values,
            words,
        }
    }

    /// Returns whether a text could have been made of a value: by `expecting`, or by the `expected`
    /// of `invalid_value`, which the application may write.
    fn may_repeat_a_value(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut words = words(&text).filter(|word| !VOCABULARY.contains(word));
        words.any(|word| {
            self.words.contains(word) || (word.len() >= 3 && self.values.contains(word))
        })
    }
}

/// The words in which `serde` and `serde_json` say what they expect.
const VOCABULARY: &[&str] = &[
    "a",
    "an",
    "any",
    "of",
    "or",
    "with",
    "and",
    "the",
    "value",
    "valid",
    "string",
    "borrowed",
    "character",
    "char",
    "boolean",
    "bool",
    "integer",
    "number",
    "float",
    "floating",
    "point",
    "nonzero",
    "sequence",
    "map",
    "list",
    "array",
    "tuple",
    "struct",
    "enum",
    "unit",
    "newtype",
    "variant",
    "identifier",
    "index",
    "field",
    "key",
    "option",
    "element",
    "elements",
    "size",
    "length",
    "bytes",
    "byte",
    "internally",
    "adjacently",
    "externally",
    "tagged",
    "untagged",
    "json",
    "fewer",
    "smaller",
    "one",
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
];

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
}

fn collect(value: &Value, values: &mut String) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => values.push_str(&number.to_string()),
        Value::String(string) => values.push_str(string),
        Value::Array(list) => list.iter().for_each(|element| collect(element, values)),
        Value::Object(members) => {
            for (name, value) in members {
                values.push_str(name);
                values.push('\n');
                collect(value, values);
            }
        }
    }
    values.push('\n');
}

fn kind(unexpected: &Unexpected<'_>) -> &'static str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "an integer",
        Unexpected::Float(_) => "a number with decimals",
        Unexpected::Char(_) | Unexpected::Str(_) | Unexpected::Bytes(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "a list",
        Unexpected::Map => "an object",
        _ => "a value",
    }
}

impl Error for Mismatch {
    fn custom<T: Display>(text: T) -> Self {
        const NO_VARIANT: &str = "data did not match any variant of untagged enum";
        if text.to_string().starts_with(NO_VARIANT) {
            Cause::NoVariant.into()
        } else {
            Cause::Refused.into()
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Cause::Type(kind(&found), expected.to_string()).into()
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Cause::Value(kind(&found), expected.to_string()).into()
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Cause::Length(expected.to_string()).into()
    }

    fn unknown_variant(_: &str, variants: &'static [&'static str]) -> Self {
        Cause::UnknownVariant(variants).into()
    }

    fn unknown_field(name: &str, _: &'static [&'static str]) -> Self {
        Cause::UnknownName(name.to_owned()).into()
    }

    fn missing_field(name: &'static str) -> Self {
        Cause::Missing(name).into()
    }

    fn duplicate_field(name: &'static str) -> Self {
        Cause::Twice(name).into()
    }
}

impl Display for Mismatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the claims are not those that the application's type expects")
    }
}

impl std::error::Error for Mismatch {}

/// Makes the step to a member. Only a claim, or a field that the type itself has, may be shown.
fn step(name: Cow<'_, str>, is_claim: bool, fields: Option<&[&str]>) -> Step {
    if is_claim || fields.is_some_and(|fields| fields.contains(&&*name)) {
        Step::Name(name.into_owned())
    } else {
        Step::Hidden
    }
}
