//! The claims of a token ([RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)).

mod mismatch;
mod registered;
#[cfg(test)]
mod tests;
mod values;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::header::{self, Header};
use crate::{
    error::{AuthError, ErrorCode},
    guard,
    log::{excerpt, excerpts},
    revocations::RevocationQuery,
};
#[cfg(feature = "axum")]
pub(super) use registered::LOGOUT_EVENT;
pub(super) use registered::MAX_REQUIRED_CLAIMS;
use registered::Payload;
pub(crate) use registered::Registered;
pub(crate) use values::ClaimValues;

/// What the claims must be like.
#[derive(Debug, Default)]
pub(super) struct ClaimRules {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) values: Vec<ClaimValues>,
    /// The accepted `typ`s of the header; empty if they are not configured.
    pub(super) kinds: Vec<String>,
    pub(super) numeric_subject: bool,
    /// Whether the token must be a logout token, which is refused otherwise.
    pub(super) for_logout: bool,
    pub(super) leeway: Duration,
}

impl ClaimRules {
    /// Checks the kind of token that the header names (`typ`), so that a token of another kind
    /// from the same issuer does not count ([RFC 8725
    /// §3.11](https://www.rfc-editor.org/rfc/rfc8725#section-3.11)).
    ///
    /// # Errors
    ///
    /// `token_claims_invalid`.
    pub(super) fn check_kind(&self, header: &Header) -> Result<(), AuthError> {
        let kind = header.kind.as_deref();
        let is_accepted = match kind {
            Some(_) if self.kinds.is_empty() => !header.is_of_another_kind,
            Some(kind) => self.kinds.iter().any(|own| header::is_same_kind(own, kind)),
            None => self.kinds.is_empty(),
        };

        if is_accepted {
            return Ok(());
        }
        let found = kind.map_or_else(|| "missing".to_owned(), excerpt);
        let expected = if self.kinds.is_empty() {
            "which is the type of a token that is not for logging in".to_owned()
        } else {
            format!("and `token_type` is {}", excerpts(&self.kinds))
        };
        Err(AuthError::from(ErrorCode::TokenClaimsInvalid)
            .with_detail(format!("the header's `typ` is {found}, {expected}")))
    }

    /// Checks the registered claims of a payload, and returns them.
    ///
    /// The application's type is deserialized from the same payload later: it gets exactly what it
    /// would get without this crate, and cannot hide a claim from the checks.
    ///
    /// # Errors
    ///
    /// A registered claim is refused.
    pub(super) fn check_payload<'a>(
        &self,
        json: &'a str,
        now: SystemTime,
    ) -> Result<Registered<'a>, AuthError> {
        let mut payload = Payload::new(self);
        payload.read(json)?;
        self.check(&payload.registered, now)?;
        self.check_values(&payload.values)?;

        // With serde_json's feature `raw_value`, which another crate of the program may switch on,
        // the application's type would get another payload than the one that was checked.
        if payload.has_private_name {
            let detail = "the payload has a name in it that serde_json keeps for itself";
            return Err(AuthError::from(ErrorCode::TokenClaimsInvalid).with_detail(detail));
        }
        Ok(payload.registered)
    }

    fn check(&self, registered: &Registered<'_>, now: SystemTime) -> Result<(), AuthError> {
        if !self.issuers.is_empty() && registered.issuer.is_none() {
            return Err(missing("iss", "an issuer"));
        }
        if !self.audiences.is_empty() && registered.audiences.is_none() {
            return Err(missing("aud", "an audience"));
        }
        registered.check_times(now)?;
        self.check_issuer(registered)?;
        self.check_audience(registered)
    }

    fn check_issuer(&self, registered: &Registered<'_>) -> Result<(), AuthError> {
        match &registered.issuer {
            Some(issuer)
                if !self.issuers.is_empty()
                    && !self.issuers.iter().any(|accepted| accepted == issuer) =>
            {
                let detail = format!(
                    "`iss` is {}, and the accepted issuers are {}",
                    excerpt(issuer),
                    excerpts(&self.issuers)
                );
                Err(AuthError::from(ErrorCode::TokenIssuerInvalid).with_detail(detail))
            }
            _ => Ok(()),
        }
    }

    /// A server that is not among a token's audiences must refuse it, so also a server without a
    /// configured audience ([RFC 7519
    /// §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
    fn check_audience(&self, registered: &Registered<'_>) -> Result<(), AuthError> {
        match &registered.audiences {
            Some(audiences)
                if !audiences
                    .iter()
                    .any(|audience| self.audiences.iter().any(|own| own == audience)) =>
            {
                let found = excerpts(audiences);
                let detail = if self.audiences.is_empty() {
                    format!(
                        "no audience is configured, so a token with `aud` is refused: set `audience`; this token has \
                         {found}"
                    )
                } else {
                    format!(
                        "`aud` is {found}, and `audience` is {}",
                        excerpts(&self.audiences)
                    )
                };
                Err(AuthError::from(ErrorCode::TokenAudienceInvalid).with_detail(detail))
            }
            _ => Ok(()),
        }
    }

    /// `found` are the values of the claims in `values`, in their order.
    fn check_values(&self, found: &[Option<&str>]) -> Result<(), AuthError> {
        for (claim, json) in self.values.iter().zip(found) {
            if !json.is_some_and(|json| claim.accepts(json)) {
                let detail = claim.describe(*json);
                return Err(AuthError::from(ErrorCode::TokenClaimsInvalid).with_detail(detail));
            }
        }
        Ok(())
    }
}

fn missing(claim: &str, setting: &str) -> AuthError {
    AuthError::from(ErrorCode::TokenClaimMissing).with_detail(format!(
        "the token has no `{claim}`, and {setting} is configured"
    ))
}

/// Deserializes a payload as the application's type.
///
/// # Errors
///
/// The claims are not a `C` (`token_claims_invalid`).
pub(super) fn deserialize<C: DeserializeOwned>(payload: &str) -> Result<C, AuthError> {
    const NAME: &str = "`Deserialize` of the claims";
    let deserialized = guard::call(NAME, || serde_json::from_str(payload))?;
    deserialized.map_err(|error| {
        let code = match error.classify() {
            Category::Data => ErrorCode::TokenClaimsInvalid,
            Category::Io | Category::Syntax | Category::Eof => ErrorCode::TokenMalformed,
        };
        // The error itself quotes values.
        let detail = guard::call(NAME, || mismatch::describe::<C>(payload)).ok();
        AuthError::from(code).with_detail(
            detail.unwrap_or_else(|| "the claims are not of the type of the lookup".to_owned()),
        )
    })
}

impl Registered<'_> {
    /// Checks `exp` and `nbf`, with leeway.
    pub(crate) fn check_times(&self, now: SystemTime) -> Result<(), AuthError> {
        let now = now
            .duration_since(UNIX_EPOCH)
            .map_err(AuthError::internal)?;
        let leeway = self.leeway.as_secs();

        if let Some(expires) = self.expires
            && now >= expires.saturating_add(self.leeway)
        {
            let ago = now.saturating_sub(expires).as_secs();
            let detail = format!("`exp` was {ago} seconds ago, and the leeway is {leeway} seconds");
            return Err(AuthError::from(ErrorCode::TokenExpired).with_detail(detail));
        }

        if let Some(not_before) = self.not_before
            && now < not_before.saturating_sub(self.leeway)
        {
            let left = not_before.saturating_sub(now).as_secs();
            let detail = format!(
                "`nbf` is in {left} seconds, and the leeway is {leeway} seconds; are the clocks right?"
            );
            return Err(AuthError::from(ErrorCode::TokenNotYetValid).with_detail(detail));
        }

        Ok(())
    }

    /// Returns what a store of revocations is asked. The keys are those of the claims: `sid` and
    /// `sub`.
    pub(crate) fn revocation_query(&self) -> RevocationQuery<'_> {
        RevocationQuery {
            token_id: self.token_id.as_deref(),
            session: self.session_id.as_deref(),
            user: self.subject.as_deref(),
            issued_at: self.issued.map(system_time),
            expires_at: self.expires_at(),
            issuer: self.issuer.as_deref(),
        }
    }

    /// Returns `exp`, without leeway.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.expires.map(system_time)
    }

    /// Returns `exp` plus leeway.
    pub(crate) fn valid_until(&self) -> Option<SystemTime> {
        let expires = self.expires?;
        Some(system_time(expires.saturating_add(self.leeway)))
    }
}

/// A time that the system's clock cannot represent becomes a very late one.
fn system_time(since_epoch: Duration) -> SystemTime {
    const LAST: Duration = Duration::from_secs(i64::MAX as u64 / 2);
    UNIX_EPOCH + since_epoch.min(LAST)
}
