//! The header of a token ([RFC 7515 §4](https://www.rfc-editor.org/rfc/rfc7515#section-4)).

use std::{borrow::Cow, collections::BTreeMap, mem};

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;
use serde_json::Value;

use super::{malformed, segments::decode_onto};
use crate::{
    Algorithm,
    error::{AuthError, ErrorCode},
    json::{self, JsonError, ObjectReader},
    log::excerpt,
};

/// The members of a header that are used. Keys that it carries or points to (`jwk`, `jku`, `x5c`,
/// `x5u`) never are.
#[derive(Debug, Clone)]
pub(super) struct Header {
    /// The whole header, decoded.
    pub(super) json: String,
    pub(super) algorithm: Algorithm,
    pub(super) key_id: Option<String>,
    /// The kind of the token (`typ`).
    pub(super) kind: Option<String>,
    /// Whether it is one that is not for logging in.
    pub(super) is_of_another_kind: bool,
}

impl Header {
    /// Decodes the segment of a token.
    ///
    /// # Errors
    ///
    /// `token_malformed`, or `token_algorithm_not_allowed` if `alg` is unknown or `none`.
    pub(super) fn decode(encoded: &str) -> Result<Self, AuthError> {
        let mut json = Vec::new();
        decode_onto(&mut json, "header", encoded)?;
        let json = String::from_utf8(json).map_err(|_| malformed("the header is not UTF-8"))?;

        let members = Members::parse(&json).map_err(malformed)?;
        let algorithm = members
            .algorithm
            .into_string()
            .ok_or_else(|| malformed("the header has no `alg`"))?;
        let algorithm =
            Algorithm::from_name(&algorithm).ok_or_else(|| unknown_algorithm(&algorithm))?;
        if !members.others.is_empty() && serde_json::from_str::<UnusedMembers>(&json).is_err() {
            return Err(malformed(
                "a member of the header that is not used, such as `jwk` or `x5c`, has a wrong type",
            ));
        }

        let key_id = members.key_id.into_string().map(Cow::into_owned);
        let kind = members.r#type.into_string().map(Cow::into_owned);
        Ok(Self {
            algorithm,
            key_id,
            is_of_another_kind: kind.as_deref().is_some_and(is_another_kind),
            kind,
            json,
        })
    }
}

fn unknown_algorithm(name: &str) -> AuthError {
    let detail = if name.eq_ignore_ascii_case("none") {
        "the token is not signed: its `alg` is \"none\"".to_owned()
    } else {
        format!("the token's `alg` is {}, which is unknown", excerpt(name))
    };
    AuthError::from(ErrorCode::TokenAlgorithmNotAllowed).with_detail(detail)
}

/// The kinds of JWT that an issuer signs with the same keys but that are not for logging in: of
/// OpenID Connect Back-Channel Logout 1.0, RFC 9449 (`DPoP`), RFC 8417 (security events) and RFC
/// 9701 (introspection).
const OTHER_KINDS: [&str; 4] = [
    "logout+jwt",
    "dpop+jwt",
    "secevent+jwt",
    "token-introspection+jwt",
];

/// Returns whether a `typ` is one of [`OTHER_KINDS`].
pub(super) fn is_another_kind(kind: &str) -> bool {
    let name = kind_name(kind);
    OTHER_KINDS
        .iter()
        .any(|other| name.eq_ignore_ascii_case(other))
}

/// Compares two `typ`s as media types: without regard to case, with or without `application/`
/// ([RFC 7515 §4.1.9](https://www.rfc-editor.org/rfc/rfc7515#section-4.1.9)), and without their
/// parameters.
pub(super) fn is_same_kind(one: &str, other: &str) -> bool {
    kind_name(one).eq_ignore_ascii_case(kind_name(other))
}

/// Returns a `typ` without `application/` and without parameters.
pub(super) fn kind_name(kind: &str) -> &str {
    const PREFIX: &str = "application/";
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.split_at_checked(PREFIX.len()) {
        Some((prefix, name)) if prefix.eq_ignore_ascii_case(PREFIX) => name.trim_start(),
        _ => kind,
    }
}

/// The members that are not used, for their types only. jsonwebtoken's own type of a header does not
/// know every [`Algorithm`].
#[derive(Deserialize)]
#[expect(dead_code, reason = "only whether it can be parsed counts")]
struct UnusedMembers {
    cty: Option<String>,
    jku: Option<String>,
    jwk: Option<Jwk>,
    x5u: Option<String>,
    x5c: Option<Vec<String>>,
    x5t: Option<String>,
    #[serde(rename = "x5t#S256")]
    x5t_s256: Option<String>,
    url: Option<String>,
    nonce: Option<String>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

#[derive(Default)]
struct Members<'a> {
    algorithm: Member<'a>,
    key_id: Member<'a>,
    r#type: Member<'a>,
    others: Vec<Cow<'a, str>>,
}

/// A member that must be a string. `null` counts as absent, as in jsonwebtoken, but a second value
/// is still an error.
#[derive(Default)]
enum Member<'a> {
    #[default]
    Absent,
    Null,
    String(Cow<'a, str>),
}

impl<'a> Member<'a> {
    fn into_string(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Absent | Self::Null => None,
            Self::String(string) => Some(string),
        }
    }
}

impl<'a> Members<'a> {
    /// # Errors
    ///
    /// Returns what is wrong with the header.
    fn parse(json: &'a str) -> Result<Self, String> {
        let mut members = Self::default();
        let mut object = ObjectReader::new(json).map_err(problem)?;
        while let Some(name) = object.next_name().map_err(problem)? {
            members.add(name, object.value().map_err(problem)?)?;
        }

        // Sorted once: to look for each name among the others takes seconds if the header has a
        // megabyte.
        members.others.sort_unstable();
        if !members.others.is_sorted_by(|one, next| one < next) {
            return Err("a member of the header is there twice".to_owned());
        }
        if object.has_private_name() {
            return Err(
                "a member of the header has a name that serde_json keeps for itself".to_owned(),
            );
        }
        Ok(members)
    }

    fn add(&mut self, name: Cow<'a, str>, value: &'a str) -> Result<(), String> {
        let known = match &*name {
            "alg" => &mut self.algorithm,
            "kid" => &mut self.key_id,
            "typ" => &mut self.r#type,
            // `crit` names extensions that must be understood (RFC 7515 §4.1.11), and none is.
            // `b64` (RFC 7797), `zip` and `enc` (RFC 7516) would change the meaning of the payload.
            "crit" | "b64" | "zip" | "enc" => {
                return Err(format!("the header has `{name}`, which is not supported"));
            }
            _ => {
                self.others.push(name);
                return Ok(());
            }
        };

        let member = match value {
            "null" => Member::Null,
            _ => Member::String(json::string(value).ok_or_else(|| {
                let kind = json::kind(value);
                format!("the header's `{name}` is {kind}, and must be a valid string")
            })?),
        };

        match mem::replace(known, member) {
            Member::Absent => Ok(()),
            Member::Null | Member::String(_) => {
                Err(format!("`{name}` is there twice in the header"))
            }
        }
    }
}

fn problem(error: JsonError) -> String {
    match error {
        JsonError::Malformed => "the header is not a JSON object".to_owned(),
        JsonError::TooDeep => format!("the header is nested more than {} deep", json::MAX_DEPTH),
    }
}
