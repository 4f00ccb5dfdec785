//! The claims that must have one of the configured values.

use std::borrow::Cow;

use crate::{
    error::ConfigError,
    json::{self, ListReader},
    log::{excerpt, excerpts},
};

/// A claim, and the values that are accepted for it.
#[derive(Debug, Clone)]
pub(crate) struct ClaimValues {
    pub(crate) name: String,
    pub(crate) accepted: Vec<String>,
}

impl ClaimValues {
    /// The most claims whose values can be configured.
    const MAX: usize = 64;

    /// Adds this claim, or replaces its accepted values.
    pub(crate) fn put_into(self, all: &mut Vec<Self>) {
        match all.iter_mut().find(|other| other.name == self.name) {
            Some(earlier) => *earlier = self,
            None => all.push(self),
        }
    }

    /// Returns the claims of both lists, so that one that the builder demands cannot be forgotten by
    /// an issuer. `own` replaces `common` for the same claim.
    pub(in crate::verify) fn merge(own: Vec<Self>, mut common: Vec<Self>) -> Vec<Self> {
        for claim in own {
            claim.put_into(&mut common);
        }
        common
    }

    /// # Errors
    ///
    /// A claim has no name, no values or an option of its own, or there are too many.
    pub(in crate::verify) fn check_all(all: Vec<Self>) -> Result<Vec<Self>, ConfigError> {
        if all.len() > Self::MAX {
            return Err(ConfigError::invalid(format!(
                "claim_values names more than {} claims; name fewer",
                Self::MAX
            )));
        }
        ConfigError::collect(all.into_iter().map(Self::check))
    }

    fn check(self) -> Result<Self, ConfigError> {
        let Self { name, accepted } = &self;
        if name.is_empty() {
            return Err(ConfigError::invalid(
                "claim_values: the name of a claim is empty; write it like claim_values(token_use = \"access\")",
            ));
        }
        if let Some(option) = option_for(name) {
            return Err(ConfigError::invalid(format!("claim_values: {option}")));
        }
        if accepted.is_empty() || accepted.iter().any(String::is_empty) {
            return Err(ConfigError::invalid(format!(
                "claim_values: {name:?} has no values, or an empty one; write what the issuer puts into its tokens, or \
                 leave the claim out"
            )));
        }
        Ok(self)
    }

    /// Returns whether a value of the claim, as JSON, is accepted, or is a list with an accepted
    /// one.
    pub(super) fn accepts(&self, json: &str) -> bool {
        let is_accepted =
            |json| written(json).is_some_and(|value| self.accepted.iter().any(|own| *own == value));
        if is_accepted(json) {
            return true;
        }

        let Ok(mut list) = ListReader::new(json) else {
            return false;
        };
        while let Ok(Some(element)) = list.next_element() {
            if is_accepted(element) {
                return true;
            }
        }
        false
    }
}

impl ClaimValues {
    /// Says why a value of the claim is not accepted. Only the value of `azp`, which names an
    /// application, is shown.
    pub(super) fn describe(&self, json: Option<&str>) -> String {
        let found = match json {
            None => "missing".to_owned(),
            Some(json) => match json::string(json) {
                Some(value) if self.name == "azp" => excerpt(&value),
                Some(_) => "another string".to_owned(),
                None => json::kind(json).to_owned(),
            },
        };

        format!(
            "the claim {} is {found}, and `claim_values` has {}",
            excerpt(&self.name),
            excerpts(&self.accepted)
        )
    }
}

/// Says which option is for a claim, if it has one of its own.
fn option_for(claim: &str) -> Option<&'static str> {
    match claim {
        "iss" => Some("`iss` has its own option; set issuer"),
        "aud" => Some("`aud` has its own option; set audience"),
        "exp" | "nbf" => Some(
            "`exp` and `nbf` are times, which are always checked; leeway is for their clock skew",
        ),
        "iat" => Some("`iat` is a time; to demand that it is there, add it to required_claims"),
        _ => None,
    }
}

/// Returns a string, a boolean or an integer as it is written. Returns `None` for any other JSON.
fn written(json: &str) -> Option<Cow<'_, str>> {
    let is_integer = || {
        let digits = json.strip_prefix('-').unwrap_or(json);
        !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
    };
    match json {
        "true" | "false" => Some(Cow::Borrowed(json)),
        _ if is_integer() => Some(Cow::Borrowed(json)),
        _ => json::string(json),
    }
}
