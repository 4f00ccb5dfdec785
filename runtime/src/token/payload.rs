//! The auth payload of a connection, and the payload of the authenticate event. Both may be any
//! JSON.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::json::{MemberName, skip_list, skip_object};

/// The limit of a string that is copied. No verifier accepts a longer token.
pub(crate) const MAX_TOKEN_BYTES: usize = 1024 * 1024;

/// The limit of members. The payload of a client that is not authenticated yet may be 64 MB.
const MAX_MEMBERS: usize = 64;

/// What of a payload may hold a token.
#[derive(Debug)]
pub(crate) enum AuthPayload {
    /// The members of the object. Empty if the payload is missing, `null` or an empty string.
    Members(Vec<(String, Entry)>),
    /// Another value, which may be meant as a token.
    NotAnObject(Entry),
}

#[derive(Debug)]
pub(crate) enum Entry {
    /// `null`, which JavaScript's `localStorage.getItem` returns if there is no token.
    Null,
    Text(String),
    TooLong,
    NotText,
}

/// Why a member cannot be taken.
#[derive(Debug)]
pub(crate) enum Unreadable {
    NotAnObject,
    /// Parsers differ in which of two equal names they take.
    Twice,
}

impl AuthPayload {
    pub(crate) fn get(&self, key: &str) -> Result<Option<&Entry>, Unreadable> {
        let Self::Members(members) = self else {
            return Err(Unreadable::NotAnObject);
        };
        let mut entries = members
            .iter()
            .filter(|(name, _)| name == key)
            .map(|(_, entry)| entry);
        match (entries.next(), entries.next()) {
            (entry, None) => Ok(entry),
            (_, Some(_)) => Err(Unreadable::Twice),
        }
    }
}

impl Entry {
    fn of_text(text: &str) -> Self {
        if text.len() > MAX_TOKEN_BYTES {
            Self::TooLong
        } else {
            Self::Text(text.to_owned())
        }
    }
}

impl Default for AuthPayload {
    fn default() -> Self {
        Self::Members(Vec::new())
    }
}

/// Implements the visitor's methods for values that are neither an object, a string nor `null`.
macro_rules! visit_others {
    ($result:expr, $depth:literal) => {
        fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<Self::Value, E> {
            Ok($result)
        }

        fn visit_seq<S: SeqAccess<'de>>(self, list: S) -> Result<Self::Value, S::Error> {
            skip_list(list, $depth)?;
            Ok($result)
        }
    };
}

impl<'de> Deserialize<'de> for AuthPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PayloadVisitor;

        impl<'de> Visitor<'de> for PayloadVisitor {
            type Value = AuthPayload;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an auth payload")
            }

            visit_others!(AuthPayload::NotAnObject(Entry::NotText), 1);

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(AuthPayload::default())
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(if text.is_empty() {
                    AuthPayload::default()
                } else {
                    AuthPayload::NotAnObject(Entry::of_text(text))
                })
            }

            fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Self::Value, M::Error> {
                let mut members = Vec::new();
                while let Some((MemberName(name), entry)) = object.next_entry()? {
                    if members.len() == MAX_MEMBERS {
                        return Err(Error::custom("too many members"));
                    }
                    members.push((name, entry));
                }
                Ok(AuthPayload::Members(members))
            }
        }

        deserializer.deserialize_any(PayloadVisitor)
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;

        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = Entry;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a member of an auth payload")
            }

            visit_others!(Entry::NotText, 2);

            fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
                Ok(Entry::Null)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Entry::of_text(text))
            }

            fn visit_map<M: MapAccess<'de>>(self, object: M) -> Result<Self::Value, M::Error> {
                skip_object(object, 2)?;
                Ok(Entry::NotText)
            }
        }

        deserializer.deserialize_any(EntryVisitor)
    }
}

/// The first argument of an event. An event without arguments has an empty one.
#[derive(Debug)]
pub(crate) struct FirstArgument(pub(crate) AuthPayload);

impl<'de> Deserialize<'de> for FirstArgument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ArgumentsVisitor;

        impl<'de> Visitor<'de> for ArgumentsVisitor {
            type Value = FirstArgument;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("the arguments of an event")
            }

            fn visit_seq<S: SeqAccess<'de>>(
                self,
                mut arguments: S,
            ) -> Result<Self::Value, S::Error> {
                let first = arguments.next_element()?.unwrap_or_default();
                while arguments.next_element::<IgnoredAny>()?.is_some() {}
                Ok(FirstArgument(first))
            }
        }

        // socketioxide passes all arguments of an event to a tuple, and the first one only to
        // other types, for which it fails if there is none.
        deserializer.deserialize_tuple(1, ArgumentsVisitor)
    }
}
