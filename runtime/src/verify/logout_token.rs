//! Logout tokens ([OpenID Connect Back-Channel Logout
//! 1.0](https://openid.net/specs/openid-connect-backchannel-1_0.html#LogoutToken)), which an issuer
//! sends to end sessions.

use std::{
    borrow::Cow,
    time::{Duration, SystemTime},
};

use super::{
    Verifier,
    claims::{ClaimRules, LOGOUT_EVENT},
    header::{self, Header},
    issuers::VerifierRules,
    malformed,
    rules::{TokenRules, accepted},
    segments::SignedPayload,
};
use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    json::{self, ObjectReader},
    log::excerpt,
    settings::StringList,
};

/// The `typ` of a logout token.
const KIND: &str = "logout+jwt";

/// The claims that every logout token has. `exp` is not one of them, because issuers that follow
/// the standard's first edition leave it out; `sub` and `sid` need not both be there.
const REQUIRED: [&str; 5] = ["iss", "aud", "iat", "jti", "events"];

/// How old a logout token may be. An issuer makes a new one for each request, so an older one was
/// kept by another party.
pub(crate) const MAX_AGE: Duration = Duration::from_mins(5);

/// What a verified logout token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogoutToken {
    pub(crate) issuer: String,
    /// The `jti`, which an issuer uses once.
    pub(crate) id: String,
    pub(crate) subject: Option<String>,
    pub(crate) session: Option<String>,
    /// When the token is too old to be accepted again.
    pub(crate) accepted_until: SystemTime,
}

/// Verifies logout tokens, by the keys and the settings of the other tokens of their issuers.
#[derive(Debug)]
pub(crate) struct LogoutVerifier {
    verifier: Verifier,
    /// The audiences of logout tokens, if they are not those of other tokens.
    audiences: Option<Vec<String>>,
}

impl LogoutVerifier {
    /// Checks that the settings are enough to tell whose logout tokens are for this server.
    ///
    /// # Errors
    ///
    /// An issuer or an audience is not configured, or an audience is empty.
    pub(crate) fn new(
        verifier: Verifier,
        audiences: Option<Vec<String>>,
    ) -> Result<Self, ConfigError> {
        let audiences = audiences
            .map(|audiences| accepted("audience", Some(StringList::Strings(audiences))))
            .transpose()?;
        let has_audience = audiences.is_some();

        match &*verifier.rules {
            VerifierRules::Common(rules) => {
                let no_issuer = rules.claims.issuers.is_empty().then(no_issuer);
                let no_audience = check_audience(rules, has_audience).err();
                let missing = ConfigError::join(no_issuer.into_iter().chain(no_audience));
                missing.map_or(Ok(()), Err)?;
            }
            VerifierRules::ByIssuer(rules) => {
                ConfigError::collect(rules.each().map(|(name, rules)| {
                    check_audience(rules, has_audience)
                        .map_err(|error| error.within(format_args!("the issuer {name:?}")))
                }))?;
            }
        }
        Ok(Self {
            verifier,
            audiences,
        })
    }

    /// Returns the length of the longest token that can be accepted.
    pub(crate) fn max_token_bytes(&self) -> usize {
        self.verifier.rules.max_token_bytes()
    }

    /// Verifies a logout token.
    ///
    /// # Errors
    ///
    /// Returns the first check that refuses it.
    pub(crate) async fn verify(
        &self,
        token: &str,
        now: impl FnOnce() -> SystemTime,
    ) -> Result<LogoutToken, AuthError> {
        let payload = self
            .verifier
            .check_signature_and_kind(token, None, |_, header| check_kind(header))
            .await?;

        let rules = self.verifier.rules.choose(|| Ok(payload.as_str()))?;
        let mut rules = rules.claims.for_logout_tokens();
        if let Some(audiences) = &self.audiences {
            rules.audiences.clone_from(audiences);
        }

        rules.check_logout_token(payload.as_str(), now())
    }
}

fn no_issuer() -> ConfigError {
    ConfigError::missing(
        "backchannel_logout needs an issuer: set `issuer` to the `iss` of its tokens",
    )
}

fn check_audience(rules: &TokenRules, has_own: bool) -> Result<(), ConfigError> {
    if rules.claims.audiences.is_empty() && !has_own {
        return Err(ConfigError::missing(
            "backchannel_logout needs an audience: set `audience`, of the middleware or of `BackchannelLogout`, to the \
             client id that the issuer knows this server by",
        ));
    }
    Ok(())
}

/// A logout token need not name its kind, because only its `events` were required at first.
fn check_kind(header: &Header) -> Result<(), AuthError> {
    match header.kind.as_deref() {
        Some(kind) if !header::is_same_kind(kind, KIND) => Err(invalid(format!(
            "the header's `typ` is {}, and that of a logout token is \"{KIND}\"",
            excerpt(kind)
        ))),
        _ => Ok(()),
    }
}

impl SignedPayload {
    /// Returns the issuer's name of the session (`sid`) of a token that logs in. Returns `None` if it
    /// is not a string, is empty or is there twice.
    pub(crate) fn session_id(&self) -> Option<Cow<'_, str>> {
        let mut object = ObjectReader::new(self.as_str()).ok()?;
        let mut found = None;
        while let Some(name) = object.next_name().ok()? {
            let value = object.value().ok()?;
            if name == "sid" && found.replace(value).is_some() {
                return None;
            }
        }
        json::string(found?).filter(|session| !session.is_empty())
    }
}

impl ClaimRules {
    /// Returns the rules for logout tokens of the same issuer: of the settings for tokens, those
    /// about access (`required_claims`, `claim_values`, `token_type`) do not apply.
    fn for_logout_tokens(&self) -> Self {
        Self {
            issuers: self.issuers.clone(),
            audiences: self.audiences.clone(),
            required: REQUIRED.map(str::to_owned).to_vec(),
            values: Vec::new(),
            kinds: Vec::new(),
            numeric_subject: self.numeric_subject,
            for_logout: true,
            leeway: self.leeway,
        }
    }

    /// Checks a payload by the rules for logout tokens. Its signature was checked ([OpenID Connect Back-Channel Logout 1.0
    /// §2.6](https://openid.net/specs/openid-connect-backchannel-1_0.html#Validation)).
    ///
    /// # Errors
    ///
    /// Returns the first check that refuses it.
    pub(super) fn check_logout_token(
        &self,
        payload: &str,
        now: SystemTime,
    ) -> Result<LogoutToken, AuthError> {
        let registered = self.check_payload(payload, now)?;
        let members = Members::parse(payload)?;
        check_event(members.events.unwrap_or_default())?;

        if members.has_nonce {
            return Err(invalid("a logout token must not have a `nonce`"));
        }
        let subject = not_empty("sub", registered.subject)?;
        let session = not_empty("sid", members.session)?;
        if subject.is_none() && session.is_none() {
            return Err(invalid("the logout token has neither `sub` nor `sid`"));
        }

        let issued = registered.issued.ok_or_else(|| missing("iat"))?;
        let accepted_until = check_age(issued, self.leeway, now)?;
        Ok(LogoutToken {
            issuer: not_empty("iss", registered.issuer)?.ok_or_else(|| missing("iss"))?,
            id: not_empty("jti", members.id)?.ok_or_else(|| missing("jti"))?,
            subject,
            session,
            accepted_until,
        })
    }
}

/// The claims that only a logout token has, and its `jti`.
#[derive(Default)]
struct Members<'a> {
    events: Option<&'a str>,
    session: Option<Cow<'a, str>>,
    id: Option<Cow<'a, str>>,
    has_nonce: bool,
}

impl<'a> Members<'a> {
    fn parse(payload: &'a str) -> Result<Self, AuthError> {
        let malformed = |_| malformed("the payload is not a JSON object");
        let mut members = Self::default();
        let mut object = ObjectReader::new(payload).map_err(malformed)?;

        while let Some(name) = object.next_name().map_err(malformed)? {
            let value = object.value().map_err(malformed)?;
            let is_twice = match &*name {
                "events" => members.events.replace(value).is_some(),
                "sid" => members.session.replace(string("sid", value)?).is_some(),
                "jti" => members.id.replace(string("jti", value)?).is_some(),
                "nonce" => {
                    members.has_nonce = true;
                    false
                }
                _ => false,
            };
            if is_twice {
                return Err(invalid(format!("`{name}` is there twice")));
            }
        }
        Ok(members)
    }
}

fn check_event(json: &str) -> Result<(), AuthError> {
    let not_an_object = || {
        invalid(format!(
            "`events` is {}, and must be an object",
            json::kind(json)
        ))
    };
    let mut events = ObjectReader::new(json).map_err(|_| not_an_object())?;
    let mut is_logout = false;

    while let Some(name) = events.next_name().map_err(|_| not_an_object())? {
        let value = events.value().map_err(|_| not_an_object())?;
        if name != LOGOUT_EVENT {
            continue;
        }
        if is_logout {
            return Err(invalid("`events` has the event of a logout twice"));
        }
        if !value.starts_with('{') {
            return Err(invalid(format!(
                "the event of a logout is {}, and must be an object",
                json::kind(value)
            )));
        }
        is_logout = true;
    }

    if is_logout {
        Ok(())
    } else {
        Err(invalid(format!(
            "`events` has no member \"{LOGOUT_EVENT}\""
        )))
    }
}

/// Checks `iat`, and returns when the token is too old.
fn check_age(issued: Duration, leeway: Duration, now: SystemTime) -> Result<SystemTime, AuthError> {
    let now_since_epoch = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(AuthError::internal)?;

    if issued > now_since_epoch.saturating_add(leeway) {
        return Err(invalid(format!(
            "`iat` is in {} seconds, and the leeway is {} seconds; are the clocks right?",
            issued.saturating_sub(now_since_epoch).as_secs(),
            leeway.as_secs()
        )));
    }
    let age = now_since_epoch.saturating_sub(issued);
    if age > MAX_AGE {
        return Err(invalid(format!(
            "`iat` was {} seconds ago, and a logout token may be {} seconds old",
            age.as_secs(),
            MAX_AGE.as_secs()
        )));
    }
    Ok(SystemTime::UNIX_EPOCH + issued + MAX_AGE)
}

fn string<'a>(claim: &str, json: &'a str) -> Result<Cow<'a, str>, AuthError> {
    json::string(json).ok_or_else(|| {
        invalid(format!(
            "`{claim}` is {}, and must be a string",
            json::kind(json)
        ))
    })
}

fn not_empty(claim: &str, value: Option<Cow<'_, str>>) -> Result<Option<String>, AuthError> {
    match value {
        Some(value) if value.is_empty() => Err(invalid(format!("`{claim}` is empty"))),
        value => Ok(value.map(Cow::into_owned)),
    }
}

fn invalid(detail: impl Into<Cow<'static, str>>) -> AuthError {
    AuthError::from(ErrorCode::TokenClaimsInvalid).with_detail(detail)
}

fn missing(claim: &str) -> AuthError {
    AuthError::from(ErrorCode::TokenClaimMissing).with_detail(format!(
        "the token has no `{claim}`, which a logout token must have"
    ))
}
