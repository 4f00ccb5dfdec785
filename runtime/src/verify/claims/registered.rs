//! Parses the claims of a payload that are checked, independent of the application's type.

use std::{borrow::Cow, time::Duration};

use super::ClaimRules;
use crate::{
    error::ErrorCode,
    json::{self, JsonError, ObjectReader},
};

/// The claims that RFC 7519 defines.
#[derive(Debug, Default)]
pub(crate) struct Registered<'a> {
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) issued: Option<Duration>,
    pub(super) expires: Option<Duration>,
    /// `exp` plus leeway, set by `ClaimRules::check_payload`.
    pub(super) valid_until: Option<Duration>,
    /// `nbf` less leeway, set there too.
    pub(super) valid_from: Option<Duration>,
    pub(super) not_before: Option<Duration>,
    pub(crate) issuer: Option<Cow<'a, str>>,
    pub(super) audiences: Option<Vec<Cow<'a, str>>>,
    token_id: Option<Cow<'a, str>>,
}

/// A parsed payload.
pub(super) struct Payload<'a> {
    pub(super) registered: Registered<'a>,
    /// The values of the claims in [`ClaimRules::values`], as JSON.
    pub(super) values: Vec<Option<&'a str>>,
    /// A member at any depth has a name that `serde_json` keeps for itself.
    pub(super) has_private_name: bool,
}

/// The missing required claims are the bits of a `u64`.
pub(crate) const MAX_REQUIRED_CLAIMS: usize = 64;

/// The member of `events` that makes a token a logout token
/// ([OpenID Connect Back-Channel Logout 1.0 §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)).
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl<'a> Payload<'a> {
    /// # Errors
    ///
    /// `token_malformed` if the payload is not a JSON object, `token_claims_invalid` for a logout
    /// token, for a claim that is ambiguous, and for a registered claim that has a wrong type, then
    /// `token_claim_missing`.
    pub(super) fn parse(json: &'a str, rules: &ClaimRules) -> Result<Self, ErrorCode> {
        let mut collector = Collector::new(rules);
        let mut object = ObjectReader::new(json).map_err(|_| ErrorCode::TokenMalformed)?;

        while let Some(name) = object.next_name().map_err(|_| ErrorCode::TokenMalformed)? {
            let claim = Claim::from_name(&name);
            let value = object.value().map_err(|error| match (error, claim) {
                // No registered claim is nested, so this one has a wrong type before it is too
                // deep.
                (JsonError::TooDeep, Some(_)) => ErrorCode::TokenClaimsInvalid,
                _ => ErrorCode::TokenMalformed,
            })?;
            collector.note_presence(&name);
            collector.record_value(&name, value);
            if let Some(claim) = claim {
                collector.record(claim, value);
            }
        }

        collector.check()?;
        Ok(Self {
            registered: collector.registered,
            values: collector.values,
            has_private_name: object.has_private_name(),
        })
    }
}

struct Collector<'a, 'r> {
    rules: &'r ClaimRules,
    registered: Registered<'a>,
    values: Vec<Option<&'a str>>,
    /// A claim has a wrong type or is there twice, or the token is a logout token.
    invalid: bool,
    missing: u64,
}

impl<'a, 'r> Collector<'a, 'r> {
    fn new(rules: &'r ClaimRules) -> Self {
        let required = rules.required.iter().enumerate();
        Self {
            rules,
            registered: Registered::default(),
            values: vec![None; rules.values.len()],
            invalid: false,
            missing: required.fold(0, |bits, (position, _)| bits | bit(position)),
        }
    }

    fn check(&self) -> Result<(), ErrorCode> {
        if self.invalid {
            return Err(ErrorCode::TokenClaimsInvalid);
        }
        if self.missing != 0 {
            return Err(ErrorCode::TokenClaimMissing);
        }
        Ok(())
    }

    fn note_presence(&mut self, name: &str) {
        let mut required = self.rules.required.iter();
        if let Some(position) = required.position(|required| required == name) {
            self.missing &= !bit(position);
        }
    }

    fn record_value(&mut self, name: &str, json: &'a str) {
        let mut claims = self.rules.values.iter().zip(&mut self.values);
        if let Some((_, value)) = claims.find(|(claim, _)| claim.name == name) {
            self.invalid |= value.replace(json).is_some();
        }
    }

    fn record(&mut self, claim: Claim, json: &'a str) {
        let registered = &mut self.registered;
        let recorded = match claim {
            Claim::Issuer => set(&mut registered.issuer, json::string(json)),
            Claim::Subject => {
                let number = || parse_number(json).filter(|_| self.rules.numeric_subject);
                set(&mut registered.subject, json::string(json).or_else(number))
            }
            Claim::TokenId => set(&mut registered.token_id, json::string(json)),
            Claim::Audience => set(&mut registered.audiences, parse_audiences(json)),
            Claim::Expires => set(&mut registered.expires, parse_numeric_date(json)),
            Claim::NotBefore => set(&mut registered.not_before, parse_numeric_date(json)),
            Claim::Issued => set(&mut registered.issued, parse_numeric_date(json)),
            Claim::Events => (!has_logout_event(json)).then_some(()),
        };

        self.invalid |= recorded.is_none();
    }
}

fn bit(position: usize) -> u64 {
    1 << (position % MAX_REQUIRED_CLAIMS)
}

/// Returns `None` if the value has a wrong type, or the claim already has one.
fn set<T>(claim: &mut Option<T>, value: Option<T>) -> Option<()> {
    match claim.replace(value?) {
        None => Some(()),
        Some(_) => None,
    }
}

fn parse_audiences(json: &str) -> Option<Vec<Cow<'_, str>>> {
    json::string(json)
        .map(|audience| vec![audience])
        .or_else(|| json::strings(json))
}

/// Returns the digits of a subject that is a number. Only integers are exact, and only those that
/// `u64` holds are the same number to every parser that can represent them.
fn parse_number(json: &str) -> Option<Cow<'_, str>> {
    let is_integer = json.bytes().all(|digit| digit.is_ascii_digit());
    (is_integer && json.parse::<u64>().is_ok()).then_some(Cow::Borrowed(json))
}

/// Parses a `NumericDate` ([RFC 7519 §2](https://www.rfc-editor.org/rfc/rfc7519#section-2)):
/// seconds, with or without decimals.
fn parse_numeric_date(json: &str) -> Option<Duration> {
    // Rust accepts more than a JSON number, but `json` was checked to be JSON.
    if !json.starts_with(|first: char| first == '-' || first.is_ascii_digit()) {
        return None;
    }
    if let Ok(seconds) = json.parse() {
        return Some(Duration::from_secs(seconds));
    }
    Duration::try_from_secs_f64(json.parse().ok()?).ok()
}

/// Returns whether the `events` claim is that of a logout token. Applications use a claim of this
/// name for other purposes, so only this member counts.
fn has_logout_event(json: &str) -> bool {
    let Ok(mut events) = ObjectReader::new(json) else {
        return false;
    };

    while let Ok(Some(name)) = events.next_name() {
        if name == LOGOUT_EVENT {
            return true;
        }
        if events.value().is_err() {
            break;
        }
    }
    false
}

#[derive(Clone, Copy)]
enum Claim {
    Issuer,
    Subject,
    Audience,
    Expires,
    NotBefore,
    Issued,
    TokenId,
    Events,
}

impl Claim {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "iss" => Some(Self::Issuer),
            "sub" => Some(Self::Subject),
            "aud" => Some(Self::Audience),
            "exp" => Some(Self::Expires),
            "nbf" => Some(Self::NotBefore),
            "iat" => Some(Self::Issued),
            "jti" => Some(Self::TokenId),
            "events" => Some(Self::Events),
            _ => None,
        }
    }
}
