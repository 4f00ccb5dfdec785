//! The name of an issuer, which may have a place for a claim.

use std::fmt;

use crate::error::ConfigError;

/// What the `iss` of an issuer's tokens must be.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum IssuerName {
    Exact(String),
    Template(NameTemplate),
}

/// A name that holds a claim of the token: `https://login.microsoftonline.com/{tid}/v2.0`.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct NameTemplate {
    written: String,
    /// The place of the claim's name, without the braces.
    claim: (usize, usize),
}

impl IssuerName {
    /// # Errors
    ///
    /// The name is empty, or its braces do not enclose the name of one claim.
    pub(super) fn parse(name: &str) -> Result<Self, ConfigError> {
        let problem = |problem: &str| {
            Err(ConfigError::invalid(format!(
                "issuers: {name:?} {problem}; write the `iss` of its tokens, or a name with one claim in it, like \
                 \"https://login.microsoftonline.com/{{tid}}/v2.0\""
            )))
        };
        if name.is_empty() {
            return problem("is empty");
        }

        match (name.find('{'), name.find('}')) {
            (None, None) => Ok(Self::Exact(name.to_owned())),
            (Some(open), Some(close)) if open + 1 < close => {
                let rest = [&name[..open], &name[open + 1..close], &name[close + 1..]];
                if rest.iter().any(|part| part.contains(['{', '}'])) {
                    return problem("has more than one claim in braces");
                }
                Ok(Self::Template(NameTemplate {
                    written: name.to_owned(),
                    claim: (open + 1, close),
                }))
            }
            _ => problem("has braces that do not enclose the name of a claim"),
        }
    }
}

impl NameTemplate {
    pub(super) fn as_str(&self) -> &str {
        &self.written
    }

    /// Returns the name of the claim that the issuer's name holds.
    pub(super) fn claim(&self) -> &str {
        let (start, end) = self.claim;
        &self.written[start..end]
    }

    /// Returns what an issuer has at the place of the claim. Returns `None` if the rest is
    /// different, or if that part could be anything else than an identifier, such as a path.
    pub(super) fn captured<'a>(&self, issuer: &'a str) -> Option<&'a str> {
        let (start, end) = self.claim;
        let (before, after) = (&self.written[..start - 1], &self.written[end + 1..]);
        let part = issuer.strip_prefix(before)?.strip_suffix(after)?;

        let is_identifier_character =
            |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
        (!part.is_empty() && part.chars().all(is_identifier_character)).then_some(part)
    }
}

impl fmt::Debug for IssuerName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(name) => name.fmt(formatter),
            Self::Template(template) => template.fmt(formatter),
        }
    }
}

impl fmt::Debug for NameTemplate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(formatter)
    }
}
