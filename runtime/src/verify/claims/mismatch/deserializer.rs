//! Deserializes from JSON that is known to be valid, as `serde_json` does, but with an error that
//! holds no values.

use std::borrow::Cow;

use serde::{
    Deserializer,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor,
        value::{MapAccessDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{Cause, Mismatch, Step, step};
use crate::json::{self, JsonError, ListReader, ObjectReader};

/// The name of the type that takes a value as the JSON that it is, if `serde_json`'s feature
/// `raw_value` is on.
const RAW_VALUE: &str = "$serde_json::private::RawValue";

/// How deep values are looked into. With `serde_json` a type of the application may go on to
/// [`json::MAX_DEPTH`] on a small stack, and this deserializer needs more of it.
pub(super) const MAX_DEPTH: u32 = 16;

/// A value.
#[derive(Clone, Copy)]
pub(super) struct Json<'de> {
    json: &'de str,
    /// How many objects and lists are around it. The payload itself has 0, and its members are the
    /// claims.
    depth: u32,
}

impl<'de> Json<'de> {
    pub(super) fn new(payload: &'de str) -> Self {
        Self {
            json: payload.trim_ascii(),
            depth: 0,
        }
    }

    fn visit<V: Visitor<'de>>(
        self,
        visitor: V,
        fields: Option<&'static [&'static str]>,
    ) -> Result<V::Value, Mismatch> {
        self.check_depth()?;
        match self.json.as_bytes().first() {
            Some(b'n') => visitor.visit_unit(),
            Some(b't') => visitor.visit_bool(true),
            Some(b'f') => visitor.visit_bool(false),
            Some(b'"') => match self.string()? {
                Cow::Borrowed(string) => visitor.visit_borrowed_str(string),
                Cow::Owned(string) => visitor.visit_string(string),
            },
            Some(b'[') => {
                let mut elements = Elements {
                    list: ListReader::of_any_depth(self.json).map_err(unsupported)?,
                    position: 0,
                    is_at_end: false,
                    depth: self.depth + 1,
                };
                let value = visitor.visit_seq(&mut elements)?;
                match elements.next()? {
                    None => Ok(value),
                    Some(_) => Err(Cause::Length("fewer elements".to_owned()).into()),
                }
            }
            Some(b'{') => visitor.visit_map(self.members(fields)?),
            _ => self.visit_number(visitor),
        }
    }

    fn check_depth(self) -> Result<(), Mismatch> {
        if self.depth >= MAX_DEPTH && self.json.starts_with(['{', '[']) {
            return Err(Cause::TooDeep.into());
        }
        Ok(())
    }

    fn visit_number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if let Ok(number) = self.json.parse() {
            return visitor.visit_u64(number);
        }
        if let Ok(number) = self.json.parse() {
            return visitor.visit_i64(number);
        }
        match self.json.parse::<f64>() {
            Ok(number) if number.is_finite() => visitor.visit_f64(number),
            _ => Err(Cause::Value("a number", "a smaller one".to_owned()).into()),
        }
    }

    fn string(self) -> Result<Cow<'de, str>, Mismatch> {
        json::string(self.json).ok_or_else(|| Cause::Unsupported.into())
    }

    fn has_one_member(self) -> Result<bool, Mismatch> {
        let mut object = ObjectReader::of_any_depth(self.json).map_err(unsupported)?;
        if object.next_name().map_err(unsupported)?.is_none() {
            return Ok(false);
        }
        object.value().map_err(unsupported)?;
        Ok(object.next_name().map_err(unsupported)?.is_none())
    }

    fn members(self, fields: Option<&'static [&'static str]>) -> Result<Members<'de>, Mismatch> {
        Ok(Members {
            object: ObjectReader::of_any_depth(self.json).map_err(unsupported)?,
            name: Cow::Borrowed(""),
            depth: self.depth + 1,
            fields,
        })
    }
}

fn unsupported(_: JsonError) -> Mismatch {
    Cause::Unsupported.into()
}

impl<'de> Deserializer<'de> for Json<'de> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.visit(visitor, None)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.json == "null" {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        if name == RAW_VALUE {
            return Err(Cause::Unsupported.into());
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.visit(visitor, Some(fields))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.check_depth()?;
        match self.json.as_bytes().first() {
            Some(b'"') => {
                let variant = self.string()?;
                let variant: StrDeserializer<'_, Mismatch> = (&*variant).into_deserializer();
                visitor.visit_enum(variant)
            }
            Some(b'{') => {
                if !self.has_one_member()? {
                    let expected = "an object with one element".to_owned();
                    return Err(Cause::Value("an object", expected).into());
                }
                MapAccessDeserializer::new(self.members(Some(variants))?)
                    .deserialize_enum(name, variants, visitor)
            }
            _ => {
                let kind = json::kind(self.json);
                Err(Cause::Type(kind, "a string or an object".to_owned()).into())
            }
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.json.starts_with('"') {
            visitor.visit_bytes(self.string()?.as_bytes())
        } else {
            self.deserialize_any(visitor)
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.json.parse() {
            Ok(number) => visitor.visit_i128(number),
            Err(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.json.parse() {
            Ok(number) => visitor.visit_u128(number),
            Err(_) => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string unit unit_struct seq tuple
        tuple_struct map identifier
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }
}

struct Elements<'de> {
    list: ListReader<'de>,
    position: usize,
    is_at_end: bool,
    /// That of the elements.
    depth: u32,
}

impl<'de> Elements<'de> {
    fn next(&mut self) -> Result<Option<&'de str>, Mismatch> {
        if self.is_at_end {
            return Ok(None);
        }
        let element = self.list.next_element().map_err(unsupported)?;
        self.is_at_end = element.is_none();
        Ok(element)
    }
}

impl<'de> SeqAccess<'de> for &mut Elements<'de> {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Mismatch> {
        let Some(element) = self.next()? else {
            return Ok(None);
        };

        let position = self.position;
        self.position += 1;
        let value = seed.deserialize(Json {
            json: element,
            depth: self.depth,
        });
        value
            .map(Some)
            .map_err(|error| error.at(Step::Element(position)))
    }
}

struct Members<'de> {
    object: ObjectReader<'de>,
    /// The name of the member whose value is next.
    name: Cow<'de, str>,
    /// That of the values.
    depth: u32,
    /// The names that the type itself has.
    fields: Option<&'static [&'static str]>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Mismatch;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Mismatch> {
        let Some(name) = self.object.next_name().map_err(unsupported)? else {
            return Ok(None);
        };
        self.name = name;
        seed.deserialize(Name(&self.name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Mismatch> {
        let value = Json {
            json: self.object.value().map_err(unsupported)?,
            depth: self.depth,
        };
        seed.deserialize(value).map_err(|error| {
            let is_claim = self.depth == 1;
            error.at(step(self.name.clone(), is_claim, self.fields))
        })
    }
}

/// The name of a member, which may be deserialized as a number or as a boolean.
struct Name<'a>(&'a str);

/// Implements the methods for names that are written like another type.
macro_rules! written {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(Mismatch::invalid_type(Unexpected::Str(""), &visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Name<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_str(self.0)
    }

    written! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_i128 visit_i128
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_u128 visit_u128
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        let variant: StrDeserializer<'_, Mismatch> = self.0.into_deserializer();
        visitor.visit_enum(variant)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
