//! Which keys and rules are for a token: the same for all tokens, or those of its issuer.

mod issuer;
mod name;
#[cfg(test)]
mod tests;

use std::{borrow::Cow, collections::HashMap};

use futures_util::future::join_all;

use super::{
    malformed,
    rules::{NO_FILES, TokenRules},
    settings::{KeyChoice, VerifierSettings},
};
use crate::{
    error::{AuthError, ConfigError, ErrorCode},
    json::{self, ObjectReader},
    keys::KeySettings,
    log::excerpt,
};
pub use issuer::Issuer;
use name::{IssuerName, NameTemplate};

/// The rules of a verifier.
#[derive(Debug)]
pub(super) enum VerifierRules {
    /// One set of rules for every token.
    Common(Box<TokenRules>),
    /// One set of rules for each issuer, chosen by the token's `iss`.
    ByIssuer(IssuerRules),
}

/// The rules of each issuer in a closed list.
#[derive(Debug)]
pub(super) struct IssuerRules {
    exact: HashMap<String, TokenRules>,
    templates: Vec<(NameTemplate, TokenRules)>,
    max_token_bytes: usize,
}

impl VerifierRules {
    /// Checks every setting and loads the keys.
    ///
    /// # Errors
    ///
    /// Returns all mistakes as one error.
    pub(super) fn new(mut settings: VerifierSettings) -> Result<Self, ConfigError> {
        match settings.keys.take() {
            Some(KeyChoice::ByIssuer(issuers)) => {
                IssuerRules::new(issuers, &settings).map(Self::ByIssuer)
            }
            Some(KeyChoice::One(keys)) => Self::common(Some(keys), settings),
            None => Self::common(None, settings),
        }
    }

    fn common(keys: Option<KeySettings>, settings: VerifierSettings) -> Result<Self, ConfigError> {
        TokenRules::new(keys, settings).map(|rules| Self::Common(Box::new(rules)))
    }

    /// Returns the length of the longest token that can be accepted.
    pub(super) fn max_token_bytes(&self) -> usize {
        match self {
            Self::Common(rules) => rules.max_token_bytes,
            Self::ByIssuer(rules) => rules.max_token_bytes,
        }
    }

    /// Fetches the keys of all issuers, at the same time.
    ///
    /// # Errors
    ///
    /// Returns all failures as one error.
    pub(super) async fn warm_up(&self) -> Result<(), ConfigError> {
        let rules = match self {
            Self::Common(rules) => return rules.keys.source.warm_up().await,
            Self::ByIssuer(rules) => rules,
        };

        let results = join_all(rules.each().map(async |(name, rules)| {
            let result = rules.keys.source.warm_up().await;
            result.map_err(|error| error.within(format_args!("the issuer {name:?}")))
        }));
        ConfigError::collect(results.await).map(drop)
    }

    /// Returns the rules for a token with this payload, whose signature need not be checked yet. The
    /// payload is read only if the rules depend on it.
    ///
    /// They depend on the payload only. They are chosen once to check the signature, and once
    /// to check the claims that were signed.
    ///
    /// # Errors
    ///
    /// Returns `token_issuer_invalid` if the issuer is not in the list, and what is wrong with
    /// `iss` otherwise.
    pub(super) fn choose<'a>(
        &self,
        payload: impl FnOnce() -> Result<&'a str, AuthError>,
    ) -> Result<&TokenRules, AuthError> {
        match self {
            Self::Common(rules) => Ok(rules),
            Self::ByIssuer(rules) => rules.choose(payload()?),
        }
    }
}

impl IssuerRules {
    /// `common` are the settings of issuers that do not have their own.
    fn new(issuers: Vec<Issuer>, common: &VerifierSettings) -> Result<Self, ConfigError> {
        if issuers.is_empty() {
            return Err(ConfigError::invalid(
                "issuers is an empty list; name at least one, like Issuer::new(\"https://auth.example.com\").oidc()",
            ));
        }
        if common.issuers.is_some() {
            return Err(ConfigError::contradiction(
                "issuer and issuers are both set; each Issuer has its own name, so leave issuer out",
            ));
        }

        if common.reload_keys.is_some() && !issuers.iter().any(Issuer::has_files) {
            return Err(ConfigError::contradiction(NO_FILES));
        }

        let mut rules = Self {
            exact: HashMap::new(),
            templates: Vec::new(),
            max_token_bytes: 0,
        };
        let added = issuers
            .into_iter()
            .map(|issuer| rules.add(issuer, common.clone()));
        ConfigError::collect(added.collect::<Vec<_>>())?;
        Ok(rules)
    }

    fn add(&mut self, issuer: Issuer, common: VerifierSettings) -> Result<(), ConfigError> {
        let (name, rules) = issuer.check(common)?;
        self.max_token_bytes = self.max_token_bytes.max(rules.max_token_bytes);

        let is_listed = match &name {
            IssuerName::Exact(name) => self.exact.contains_key(name),
            IssuerName::Template(template) => {
                self.templates.iter().any(|(listed, _)| listed == template)
            }
        };
        if is_listed {
            return Err(ConfigError::invalid(format!(
                "issuers: {name:?} is listed twice; keep one, with all of its keys"
            )));
        }

        match name {
            IssuerName::Exact(name) => {
                self.exact.insert(name, rules);
            }
            IssuerName::Template(template) => self.templates.push((template, rules)),
        }
        Ok(())
    }

    /// Returns the names of the issuers and their rules.
    pub(super) fn each(&self) -> impl Iterator<Item = (&str, &TokenRules)> {
        let exact = self.exact.iter().map(|(name, rules)| (&**name, rules));
        let templates = self
            .templates
            .iter()
            .map(|(template, rules)| (template.as_str(), rules));
        exact.chain(templates)
    }

    fn choose(&self, payload: &str) -> Result<&TokenRules, AuthError> {
        let issuer = string_claim(payload, "iss")?.ok_or_else(|| {
            AuthError::from(ErrorCode::TokenClaimMissing)
                .with_detail("the token has no `iss`, which must name one of the `issuers`")
        })?;

        if let Some(rules) = self.exact.get(&*issuer) {
            return Ok(rules);
        }
        for (template, rules) in &self.templates {
            if let Some(part) = template.captured(&issuer)
                && string_claim(payload, template.claim())?.is_some_and(|claim| claim == part)
            {
                return Ok(rules);
            }
        }
        Err(self.unknown_issuer(&issuer))
    }

    fn unknown_issuer(&self, issuer: &str) -> AuthError {
        const SHOWN: usize = 5;
        let exact = self.exact.keys().map(|name| excerpt(name));
        let templates = self
            .templates
            .iter()
            .map(|(template, _)| excerpt(template.as_str()));
        let listed: Vec<_> = exact.chain(templates).take(SHOWN).collect();

        AuthError::from(ErrorCode::TokenIssuerInvalid).with_detail(format!(
            "`iss` is {}, and the issuers are {}",
            excerpt(issuer),
            listed.join(", ")
        ))
    }
}

/// Returns the string that a claim of a payload has, before the payload is trusted. Returns `None`
/// if the payload does not have the claim.
///
/// # Errors
///
/// `token_malformed` if the payload is not a JSON object, `token_claims_invalid` if the claim is
/// not a string or is there twice.
fn string_claim<'a>(payload: &'a str, claim: &str) -> Result<Option<Cow<'a, str>>, AuthError> {
    let malformed = |_| malformed("the payload is not a JSON object");
    let invalid = |problem: &str| {
        let detail = format!("`{claim}`, which chooses the issuer, {problem}");
        AuthError::from(ErrorCode::TokenClaimsInvalid).with_detail(detail)
    };
    let mut found = None;

    let mut object = ObjectReader::new(payload).map_err(malformed)?;
    while let Some(name) = object.next_name().map_err(malformed)? {
        let value = object.value().map_err(malformed)?;
        if name == claim {
            let string = json::string(value).ok_or_else(|| invalid("is not a string"))?;
            if found.replace(string).is_some() {
                return Err(invalid("is there twice"));
            }
        }
    }
    Ok(found)
}
