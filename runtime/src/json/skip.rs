//! Skips values of a client's payload, in any format that a parser of Socket.IO has. Their names
//! and their depth are checked, because the application may deserialize the same payload.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Unexpected, Visitor},
};

use super::{MAX_DEPTH, PRIVATE_PREFIX};

/// The private name under which `serde_json` passes on a number, if its `arbitrary_precision` is
/// on.
const NUMBER: &str = "$serde_json::private::Number";

/// A member's name, which is not one of `serde_json`'s private names.
pub(crate) struct MemberName(pub(crate) String);

impl<'de> Deserialize<'de> for MemberName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        if name.starts_with(PRIVATE_PREFIX) {
            Err(D::Error::custom("a private name"))
        } else {
            Ok(Self(name))
        }
    }
}

/// Skips the members of an object that is nested this deep.
pub(crate) fn skip_object<'de, M: MapAccess<'de>>(
    mut object: M,
    depth: u32,
) -> Result<(), M::Error> {
    let Some(first) = object.next_key::<String>()? else {
        return Ok(());
    };

    if first == NUMBER {
        return object.next_value::<OwnNumber>().map(drop);
    }
    if first.starts_with(PRIVATE_PREFIX) {
        return Err(M::Error::custom("a private name"));
    }

    object.next_value_seed(Skipped { depth })?;
    while object.next_key::<MemberName>()?.is_some() {
        object.next_value_seed(Skipped { depth })?;
    }
    Ok(())
}

/// Skips the elements of a list that is nested this deep.
pub(crate) fn skip_list<'de, S: SeqAccess<'de>>(mut list: S, depth: u32) -> Result<(), S::Error> {
    while list.next_element_seed(Skipped { depth })?.is_some() {}
    Ok(())
}

/// The value under [`NUMBER`] that `serde_json` makes: a `String`. One that a client wrote is a
/// `str`.
struct OwnNumber;

impl<'de> Deserialize<'de> for OwnNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OwnNumberVisitor;

        impl Visitor<'_> for OwnNumberVisitor {
            type Value = OwnNumber;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of serde_json's own")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Err(E::invalid_type(Unexpected::Str(text), &self))
            }

            fn visit_string<E: Error>(self, _: String) -> Result<Self::Value, E> {
                Ok(OwnNumber)
            }
        }

        deserializer.deserialize_any(OwnNumberVisitor)
    }
}

/// A value in an object or a list of this depth.
struct Skipped {
    depth: u32,
}

impl Skipped {
    fn deeper<E: Error>(&self) -> Result<u32, E> {
        if self.depth >= MAX_DEPTH {
            Err(E::custom("nested too deep"))
        } else {
            Ok(self.depth + 1)
        }
    }
}

impl<'de> DeserializeSeed<'de> for Skipped {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bytes<E: Error>(self, _: &[u8]) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        IgnoredAny::deserialize(deserializer).map(drop)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, list: S) -> Result<(), S::Error> {
        skip_list(list, self.deeper()?)
    }

    fn visit_map<M: MapAccess<'de>>(self, object: M) -> Result<(), M::Error> {
        skip_object(object, self.deeper()?)
    }
}
