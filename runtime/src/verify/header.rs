//! The header of a token ([RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4)).

use std::{borrow::Cow, fmt, mem, str::FromStr};

use jsonwebtoken::Algorithm;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
};

use super::Text;
use crate::error::{AuthError, Code};

/// What is used of a header. Keys that it carries or points to (`jwk`, `jku`, `x5c`, `x5u`) are never followed.
pub(super) struct Header<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    /// # Errors
    ///
    /// `token_malformed`, or `token_algorithm_not_allowed` for an `alg` that does not exist (or is `none`).
    pub(super) fn read(json: &'a str) -> Result<Self, AuthError> {
        let members: Members<'a> = serde_json::from_str(json).map_err(|_| Code::TokenMalformed)?;
        let algorithm = members.algorithm.text().ok_or(Code::TokenMalformed)?;
        let algorithm = Algorithm::from_str(&algorithm).map_err(|_| Code::TokenAlgorithmNotAllowed)?;
        // jsonwebtoken knows the types of the members that are not used here; a wrong one is no header of ours.
        if !members.others.is_empty() && serde_json::from_str::<jsonwebtoken::Header>(json).is_err() {
            return Err(Code::TokenMalformed.into());
        }
        Ok(Self { algorithm, key_id: members.key_id.text() })
    }
}

#[derive(Default)]
struct Members<'a> {
    algorithm: Member<'a>,
    key_id: Member<'a>,
    r#type: Member<'a>,
    others: Vec<Cow<'a, str>>,
}

/// A member that must be a text. `null` counts as absent, as jsonwebtoken reads it, but not where another one follows.
#[derive(Default)]
enum Member<'a> {
    #[default]
    Absent,
    Null,
    Text(Cow<'a, str>),
}

impl<'a> Member<'a> {
    fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Text(text) => Some(text),
        }
    }
}

impl<'a> Members<'a> {
    fn add<M: MapAccess<'a>>(&mut self, name: Cow<'a, str>, object: &mut M) -> Result<(), M::Error> {
        let known = match &*name {
            "alg" => &mut self.algorithm,
            "kid" => &mut self.key_id,
            "typ" => &mut self.r#type,
            // No extension is understood here, so one that must be (RFC 7515 §4.1.11) refuses the token. `b64`
            // (RFC 7797), `zip` and `enc` (RFC 7516) would change what the payload means.
            "crit" | "b64" | "zip" | "enc" => return Err(M::Error::custom("an extension of the header")),
            _ => {
                self.others.push(name);
                return object.next_value::<IgnoredAny>().map(drop);
            }
        };
        let text: Option<Text<'a>> = object.next_value()?;
        match mem::replace(known, text.map_or(Member::Null, |Text(text)| Member::Text(text))) {
            Member::Absent => Ok(()),
            Member::Null | Member::Text(_) => Err(M::Error::custom("a member is there twice")),
        }
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a JOSE header")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut object: M) -> Result<Self::Value, M::Error> {
                let mut members = Members::default();
                while let Some(Text(name)) = object.next_key()? {
                    members.add(name, &mut object)?;
                }
                // Once for all: to look for each name among the others takes seconds with a header of a megabyte.
                members.others.sort_unstable();
                if members.others.is_sorted_by(|one, next| one < next) {
                    Ok(members)
                } else {
                    Err(M::Error::custom("a member is there twice"))
                }
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}
