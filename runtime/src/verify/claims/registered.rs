//! Parses the claims of a payload that are checked, independent of the application's type.

use std::{borrow::Cow, time::Duration};

use super::{super::malformed, ClaimRules};
use crate::{
    error::{AuthError, ErrorCode},
    json::{self, JsonError, ObjectReader},
    log::{excerpt, excerpts},
};

/// The claims that RFC 7519 defines.
#[derive(Debug, Default)]
pub(crate) struct Registered<'a> {
    pub(crate) subject: Option<Cow<'a, str>>,
    pub(crate) issued: Option<Duration>,
    pub(super) expires: Option<Duration>,
    pub(super) not_before: Option<Duration>,
    /// That of the rules, for `expires` and `not_before`.
    pub(super) leeway: Duration,
    pub(crate) issuer: Option<Cow<'a, str>>,
    pub(super) audiences: Option<Vec<Cow<'a, str>>>,
    pub(crate) token_id: Option<Cow<'a, str>>,
    /// The `sid` claim, as a string.
    pub(crate) session_id: Option<Cow<'a, str>>,
}

/// What was found in a payload.
pub(super) struct Payload<'a, 'r> {
    rules: &'r ClaimRules,
    pub(super) registered: Registered<'a>,
    /// The values of the claims in [`ClaimRules::values`], as JSON.
    pub(super) values: Vec<Option<&'a str>>,
    /// A member at any depth has a name that `serde_json` keeps for itself.
    pub(super) has_private_name: bool,
    /// The first claim that has a wrong type or is there twice, or that the token is a logout
    /// token.
    problem: Option<String>,
    missing: u64,
}

/// The missing required claims are the bits of a `u64`.
pub(crate) const MAX_REQUIRED_CLAIMS: usize = 64;

/// The member of `events` that makes a token a logout token
/// ([OpenID Connect Back-Channel Logout 1.0 §2.4](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)).
pub(crate) const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl<'a, 'r> Payload<'a, 'r> {
    pub(super) fn new(rules: &'r ClaimRules) -> Self {
        let required = rules.required.iter().enumerate();
        Self {
            rules,
            registered: Registered {
                leeway: rules.leeway,
                ..Registered::default()
            },
            values: vec![None; rules.values.len()],
            has_private_name: false,
            problem: None,
            missing: required.fold(0, |bits, (position, _)| bits | bit(position)),
        }
    }

    /// Reads a payload. It is done in place, because this is too large to be moved for nothing.
    ///
    /// # Errors
    ///
    /// `token_malformed` if the payload is not a JSON object, `token_claims_invalid` for a logout
    /// token, for a claim that is ambiguous, and for a registered claim that has a wrong type, then
    /// `token_claim_missing`.
    pub(super) fn read(&mut self, json: &'a str) -> Result<(), AuthError> {
        let mut object = ObjectReader::new(json).map_err(not_an_object)?;

        while let Some(name) = object.next_name().map_err(not_an_object)? {
            let claim = Claim::from_name(&name);
            let value = object.value().map_err(|error| match (error, claim) {
                // No registered claim is nested, so this one has a wrong type before it is too
                // deep.
                (JsonError::TooDeep, Some(_)) => invalid(format!("`{name}` is nested too deep")),
                _ => not_an_object(error),
            })?;
            self.note_presence(&name);
            self.record_value(&name, value);
            if let Some(claim) = claim {
                self.record(claim, &name, value);
            }
        }

        self.has_private_name = object.has_private_name();
        self.check()
    }

    fn check(&mut self) -> Result<(), AuthError> {
        if let Some(problem) = self.problem.take() {
            return Err(invalid(problem));
        }
        if self.missing == 0 {
            return Ok(());
        }

        let required = self.rules.required.iter().enumerate();
        let missing: Vec<_> = required
            .filter(|(position, _)| self.missing & bit(*position) != 0)
            .map(|(_, name)| name)
            .collect();
        Err(
            AuthError::from(ErrorCode::TokenClaimMissing).with_detail(format!(
                "the token has no {}, which {}",
                excerpts(&missing),
                if self.rules.for_logout {
                    "a logout token must have"
                } else {
                    "`required_claims` has"
                }
            )),
        )
    }

    fn note_presence(&mut self, name: &str) {
        let mut required = self.rules.required.iter();
        if let Some(position) = required.position(|required| required == name) {
            self.missing &= !bit(position);
        }
    }

    fn record_value(&mut self, name: &str, json: &'a str) {
        let mut claims = self.rules.values.iter().zip(&mut self.values);
        let claim = claims.find(|(claim, _)| claim.name == name);
        if claim.is_some_and(|(_, value)| value.replace(json).is_some()) {
            self.problem
                .get_or_insert_with(|| format!("{} is there twice", excerpt(name)));
        }
    }

    fn record(&mut self, claim: Claim, name: &str, json: &'a str) {
        const STRING: &str = "a string";
        const TIME: &str = "a number of seconds since 1970, not below 0";
        let registered = &mut self.registered;

        let recorded = match claim {
            Claim::Issuer => set(&mut registered.issuer, json::string(json), STRING),
            Claim::Subject if self.rules.numeric_subject => {
                let subject = json::string(json).or_else(|| parse_number(json));
                let expected = "a string or an integer from 0 on, written with digits only";
                set(&mut registered.subject, subject, expected)
            }
            Claim::Subject => {
                let expected = if parse_number(json).is_some() {
                    "a string; `numeric_subject = true` accepts integers"
                } else {
                    STRING
                };
                set(&mut registered.subject, json::string(json), expected)
            }
            Claim::TokenId => set(&mut registered.token_id, json::string(json), STRING),
            Claim::Audience => {
                let expected = "a string or a list of strings";
                set(&mut registered.audiences, parse_audiences(json), expected)
            }
            Claim::Expires => set(&mut registered.expires, parse_numeric_date(json), TIME),
            Claim::NotBefore => set(&mut registered.not_before, parse_numeric_date(json), TIME),
            Claim::Issued => set(&mut registered.issued, parse_numeric_date(json), TIME),
            Claim::Session => {
                // Not a claim of RFC 7519: applications use the name for other types too.
                match json::string(json).or_else(|| parse_number(json)) {
                    Some(id) => set(&mut registered.session_id, Some(id), STRING),
                    None => Ok(()),
                }
            }
            Claim::Events if self.rules.for_logout => Ok(()),
            Claim::Events => match SecurityEvent::find(json) {
                Some(event) => Err(Problem::Event(event)),
                None => Ok(()),
            },
        };

        if let Err(problem) = recorded {
            self.problem
                .get_or_insert_with(|| problem.describe(name, json));
        }
    }
}

/// What is wrong with a registered claim.
enum Problem {
    NotThis(&'static str),
    Twice,
    Event(SecurityEvent),
}

impl Problem {
    fn describe(&self, name: &str, json: &str) -> String {
        match self {
            Self::NotThis(expected) => {
                format!("`{name}` is {}, and must be {expected}", json::kind(json))
            }
            Self::Twice => format!("`{name}` is there twice"),
            Self::Event(SecurityEvent::Logout) => {
                "this is a logout token: its `events` are those of OpenID Connect Back-Channel Logout"
                    .to_owned()
            }
            Self::Event(SecurityEvent::Other) => {
                "this is a security event token (RFC 8417): a member of its `events` is a URI"
                    .to_owned()
            }
        }
    }
}

fn invalid(detail: String) -> AuthError {
    AuthError::from(ErrorCode::TokenClaimsInvalid).with_detail(detail)
}

fn not_an_object(error: JsonError) -> AuthError {
    match error {
        JsonError::Malformed => malformed("the payload is not a JSON object"),
        JsonError::TooDeep => malformed(format!(
            "the payload is nested more than {} deep",
            json::MAX_DEPTH
        )),
    }
}

fn bit(position: usize) -> u64 {
    1 << (position % MAX_REQUIRED_CLAIMS)
}

/// # Errors
///
/// The value is not what is expected (`None`), or the claim already has one.
fn set<T>(claim: &mut Option<T>, value: Option<T>, expected: &'static str) -> Result<(), Problem> {
    let value = value.ok_or(Problem::NotThis(expected))?;
    match claim.replace(value) {
        None => Ok(()),
        Some(_) => Err(Problem::Twice),
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

/// What the `events` claim says of a token that is not for logging in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SecurityEvent {
    Logout,
    Other,
}

impl SecurityEvent {
    /// Returns the event of an `events` claim. Applications use a claim of this name for other
    /// purposes, so only members whose names are URIs count, which those of security events are
    /// ([RFC 8417 §2.2](https://www.rfc-editor.org/rfc/rfc8417#section-2.2)).
    fn find(json: &str) -> Option<Self> {
        let mut events = ObjectReader::new(json).ok()?;
        let mut found = None;

        while let Ok(Some(name)) = events.next_name() {
            if name == LOGOUT_EVENT {
                return Some(Self::Logout);
            }
            if is_uri(&name) {
                found = Some(Self::Other);
            }
            if events.value().is_err() {
                break;
            }
        }
        found
    }
}

/// Returns whether a name begins with a scheme ([RFC 3986
/// §3.1](https://www.rfc-editor.org/rfc/rfc3986#section-3.1)).
fn is_uri(name: &str) -> bool {
    name.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|next| next.is_ascii_alphanumeric() || "+-.".contains(next))
    })
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
    Session,
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
            "sid" => Some(Self::Session),
            "events" => Some(Self::Events),
            _ => None,
        }
    }
}
