//! The claims of a token ([RFC 7519 §4](https://www.rfc-editor.org/rfc/rfc7519#section-4)).

mod collect;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{DeserializeOwned, IgnoredAny};

use crate::error::{AuthError, Code};
use collect::Collector;
pub(super) use collect::MAX_REQUIRED_CLAIMS;
pub(crate) use collect::Registered;

/// What the registered claims must be.
#[derive(Debug)]
pub(super) struct ClaimRules {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) leeway: Duration,
}

impl ClaimRules {
    /// Reads the payload in one pass, into the application's type and the registered claims.
    ///
    /// # Errors
    ///
    /// What is wrong with the registered claims comes first; `token_claims_invalid` if the rest has another shape.
    pub(super) fn read<'a, C: DeserializeOwned>(
        &self,
        payload: &'a str,
        now: SystemTime,
    ) -> Result<(C, Registered<'a>), AuthError> {
        let mut collector = Collector::new(&self.required);
        match collector.read(payload) {
            Ok(claims) => Ok((claims, self.check(collector, now)?)),
            // The shape of `C` may have ended the pass before all registered claims were seen.
            Err(Code::TokenClaimsInvalid) => {
                let mut collector = Collector::new(&self.required);
                collector.read::<IgnoredAny>(payload)?;
                self.check(collector, now)?;
                Err(Code::TokenClaimsInvalid.into())
            }
            Err(code) => Err(code.into()),
        }
    }

    fn check<'a>(&self, collector: Collector<'a, '_>, now: SystemTime) -> Result<Registered<'a>, AuthError> {
        let registered = collector.finish()?;
        let issuer_missing = !self.issuers.is_empty() && registered.issuer.is_none();
        let audience_missing = !self.audiences.is_empty() && registered.audiences.is_none();
        if issuer_missing || audience_missing {
            return Err(Code::TokenClaimMissing.into());
        }
        self.check_times(&registered, now)?;
        self.check_issuer(&registered)?;
        self.check_audience(&registered)?;
        Ok(registered)
    }

    fn check_times(&self, registered: &Registered<'_>, now: SystemTime) -> Result<(), AuthError> {
        let now = now.duration_since(UNIX_EPOCH).map_err(AuthError::internal)?;
        if registered.expires.is_some_and(|expires| now >= expires.saturating_add(self.leeway)) {
            return Err(Code::TokenExpired.into());
        }
        if registered.not_before.is_some_and(|not_before| not_before > now.saturating_add(self.leeway)) {
            return Err(Code::TokenNotYetValid.into());
        }
        Ok(())
    }

    fn check_issuer(&self, registered: &Registered<'_>) -> Result<(), AuthError> {
        match &registered.issuer {
            Some(issuer) if !self.issuers.is_empty() && !self.issuers.iter().any(|accepted| accepted == issuer) => {
                Err(Code::TokenIssuerInvalid.into())
            }
            _ => Ok(()),
        }
    }

    /// A token that names its audiences is refused by everybody who is none of them, so also by a server that was not
    /// told who it is ([RFC 7519 §4.1.3](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.3)).
    fn check_audience(&self, registered: &Registered<'_>) -> Result<(), AuthError> {
        match &registered.audiences {
            Some(audiences) if !audiences.iter().any(|audience| self.audiences.iter().any(|own| own == audience)) => {
                Err(Code::TokenAudienceInvalid.into())
            }
            _ => Ok(()),
        }
    }
}

impl Registered<'_> {
    /// A time beyond what the system's clock can hold is as good as its last one.
    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        const LAST: Duration = Duration::from_secs(i64::MAX as u64 / 2);
        self.expires.map(|expires| UNIX_EPOCH + expires.min(LAST))
    }
}
