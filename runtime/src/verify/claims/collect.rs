//! Collects the registered claims while the application's own type is being read, so that the payload is parsed once.

use std::{borrow::Cow, fmt, time::Duration};

use serde::{
    Deserializer,
    de::{DeserializeOwned, DeserializeSeed, Error, MapAccess, Visitor, value::CowStrDeserializer},
    forward_to_deserialize_any,
};
use serde_json::{Number, error::Category, value::RawValue};

use super::super::Text;
use crate::error::Code;

/// The claims that the standard gives a meaning to.
#[derive(Debug, Default)]
pub(crate) struct Registered<'a> {
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) issued: Option<Duration>,
    pub(super) expires: Option<Duration>,
    pub(super) not_before: Option<Duration>,
    pub(crate) issuer: Option<Cow<'a, str>>,
    pub(super) audiences: Option<Vec<Cow<'a, str>>>,
    token_id: Option<Cow<'a, str>>,
}

pub(super) struct Collector<'a, 'r> {
    registered: Registered<'a>,
    /// A registered claim was of a wrong type, or there twice.
    invalid: bool,
    required: &'r [String],
    missing: u64,
}

/// The required claims are counted in the bits of a number.
pub(crate) const MAX_REQUIRED_CLAIMS: usize = 64;

impl<'a, 'r> Collector<'a, 'r> {
    pub(super) fn new(required: &'r [String]) -> Self {
        let missing = required.iter().enumerate().fold(0, |bits, (position, _)| bits | bit(position));
        Self { registered: Registered::default(), invalid: false, required, missing }
    }

    /// # Errors
    ///
    /// `token_malformed` if the payload is no JSON object, `token_claims_invalid` if it is no `C`.
    pub(super) fn read<C: DeserializeOwned>(&mut self, payload: &'a str) -> Result<C, Code> {
        if !payload.trim_start().starts_with('{') {
            return Err(Code::TokenMalformed);
        }
        let mut json = serde_json::Deserializer::from_str(payload);
        let claims = C::deserialize(CollectingDeserializer { inner: &mut json, collector: self });
        let claims = claims.and_then(|claims| json.end().map(|()| claims));
        claims.map_err(|error| match error.classify() {
            Category::Data => Code::TokenClaimsInvalid,
            Category::Io | Category::Syntax | Category::Eof => Code::TokenMalformed,
        })
    }

    /// # Errors
    ///
    /// `token_claims_invalid` for an ambiguous or ill-typed registered claim, `token_claim_missing` for a missing one.
    pub(super) fn finish(self) -> Result<Registered<'a>, Code> {
        if self.invalid {
            return Err(Code::TokenClaimsInvalid);
        }
        if self.missing != 0 {
            return Err(Code::TokenClaimMissing);
        }
        Ok(self.registered)
    }

    fn note_presence(&mut self, name: &str) {
        if let Some(position) = self.required.iter().position(|required| required == name) {
            self.missing &= !bit(position);
        }
    }

    fn record(&mut self, claim: RegisteredClaim, json: &'a str) {
        let registered = &mut self.registered;
        let recorded = match claim {
            RegisteredClaim::Issuer => set(&mut registered.issuer, read_text(json)),
            RegisteredClaim::Subject => set(&mut registered.subject, read_text(json)),
            RegisteredClaim::TokenId => set(&mut registered.token_id, read_text(json)),
            RegisteredClaim::Audience => set(&mut registered.audiences, read_texts(json)),
            RegisteredClaim::Expires => set(&mut registered.expires, read_numeric_date(json)),
            RegisteredClaim::NotBefore => set(&mut registered.not_before, read_numeric_date(json)),
            RegisteredClaim::Issued => set(&mut registered.issued, read_numeric_date(json)),
        };
        self.invalid |= recorded.is_none();
    }
}

fn bit(position: usize) -> u64 {
    1 << (position % MAX_REQUIRED_CLAIMS)
}

/// `None` for an ill-typed value, and for the second one of a claim.
fn set<T>(claim: &mut Option<T>, value: Option<T>) -> Option<()> {
    match claim.replace(value?) {
        None => Some(()),
        Some(_) => None,
    }
}

fn read_text(json: &str) -> Option<Cow<'_, str>> {
    match json.strip_prefix('"').and_then(|json| json.strip_suffix('"')) {
        // The parser has read over it already, so that without escapes it is what stands between the quotes.
        Some(text) if !text.contains('\\') => Some(Cow::Borrowed(text)),
        _ => serde_json::from_str(json).ok().map(|Text(text)| text),
    }
}

fn read_texts(json: &str) -> Option<Vec<Cow<'_, str>>> {
    if json.starts_with('[') {
        let texts: Vec<Text<'_>> = serde_json::from_str(json).ok()?;
        return Some(texts.into_iter().map(|Text(text)| text).collect());
    }
    read_text(json).map(|text| vec![text])
}

/// A `NumericDate` ([RFC 7519 §2](https://www.rfc-editor.org/rfc/rfc7519#section-2)): seconds, with or without
/// decimals.
fn read_numeric_date(json: &str) -> Option<Duration> {
    // Nearly all are plain integers, which need no second parser.
    if let Ok(seconds) = json.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let number: Number = serde_json::from_str(json).ok()?;
    Duration::try_from_secs_f64(number.as_f64()?).ok()
}

#[derive(Clone, Copy)]
enum RegisteredClaim {
    Issuer,
    Subject,
    Audience,
    Expires,
    NotBefore,
    Issued,
    TokenId,
}

impl RegisteredClaim {
    fn named(name: &str) -> Option<Self> {
        match name {
            "iss" => Some(Self::Issuer),
            "sub" => Some(Self::Subject),
            "aud" => Some(Self::Audience),
            "exp" => Some(Self::Expires),
            "nbf" => Some(Self::NotBefore),
            "iat" => Some(Self::Issued),
            "jti" => Some(Self::TokenId),
            _ => None,
        }
    }
}

/// Passes an object on to the application's type, and shows each member to the collector.
struct CollectingDeserializer<'c, 'a, 'r, D> {
    inner: D,
    collector: &'c mut Collector<'a, 'r>,
}

impl<'a, D: Deserializer<'a>> Deserializer<'a> for CollectingDeserializer<'_, 'a, '_, D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.inner.deserialize_map(CollectingVisitor { inner: visitor, collector: self.collector })
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(self, _: &'static str, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        <W: Visitor<'a>>
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

struct CollectingVisitor<'c, 'a, 'r, V> {
    inner: V,
    collector: &'c mut Collector<'a, 'r>,
}

impl<'a, V: Visitor<'a>> Visitor<'a> for CollectingVisitor<'_, 'a, '_, V> {
    type Value = V::Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(formatter)
    }

    fn visit_map<M: MapAccess<'a>>(self, object: M) -> Result<Self::Value, M::Error> {
        self.inner.visit_map(CollectingMap { inner: object, collector: self.collector, claim: None })
    }
}

struct CollectingMap<'c, 'a, 'r, M> {
    inner: M,
    collector: &'c mut Collector<'a, 'r>,
    claim: Option<RegisteredClaim>,
}

impl<'a, M: MapAccess<'a>> MapAccess<'a> for CollectingMap<'_, 'a, '_, M> {
    type Error = M::Error;

    fn next_key_seed<K: DeserializeSeed<'a>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        let Some(Text(name)) = self.inner.next_key()? else { return Ok(None) };
        self.collector.note_presence(&name);
        self.claim = RegisteredClaim::named(&name);
        seed.deserialize(CowStrDeserializer::new(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'a>>(&mut self, seed: V) -> Result<V::Value, Self::Error> {
        let Some(claim) = self.claim.take() else { return self.inner.next_value_seed(seed) };
        // Read twice from its raw text, so that the application's type sees exactly what it would see without us.
        let json: &'a RawValue = self.inner.next_value()?;
        self.collector.record(claim, json.get());
        seed.deserialize(&mut serde_json::Deserializer::from_str(json.get())).map_err(Self::Error::custom)
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}
