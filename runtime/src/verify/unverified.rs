//! A token whose form is right, and whose signature is to be checked.

use std::{borrow::Cow, time::SystemTime};

use super::{
    ClaimRules, VerifierRules,
    header::Header,
    known_header::KnownHeader,
    rules::TokenRules,
    segments::{DecodedSegments, Segments, SignedPayload},
    token_cache::{TokenCache, TokenHash},
};
use crate::{
    error::{AuthError, ErrorCode},
    keys::{Handshake, KeyRequest, KeySet, SignedMessage},
    log::{excerpt, excerpts},
};

/// A token whose signature is not checked yet, with the rules for it. The header says how to
/// check it; the payload was only used to choose the rules.
pub(super) struct UnverifiedToken<'a> {
    token: &'a str,
    segments: Segments<'a>,
    decoded: DecodedSegments,
    header: Cow<'a, Header>,
    known_header: &'a KnownHeader,
    rules: &'a TokenRules,
}

/// Checks the kind of token that the header names.
pub(super) type CheckKind = fn(&ClaimRules, &Header) -> Result<(), AuthError>;

/// Set if the signature was verified, and the cache is to remember it.
pub(super) type NewlyVerified = Option<Box<TokenHash>>;

impl<'a> UnverifiedToken<'a> {
    /// # Errors
    ///
    /// `token_too_large`, `token_malformed`, or `token_algorithm_not_allowed`. With several issuers
    /// also those of [`VerifierRules::choose`].
    pub(super) fn read(
        token: &'a str,
        rules: &'a VerifierRules,
        known_header: &'a KnownHeader,
    ) -> Result<Self, AuthError> {
        check_length(token, rules.max_token_bytes())?;

        let segments = Segments::split(token)?;
        let decoded = segments.decode()?;
        let header = known_header.decode(segments.header)?;

        let rules = rules.choose(|| decoded.payload())?;
        check_length(token, rules.max_token_bytes)?;
        if !rules.keys.algorithms.contains(&header.algorithm) {
            let detail = format!(
                "the token is signed with {}, and `algorithms` has {}",
                header.algorithm,
                excerpts(&rules.keys.algorithms)
            );
            return Err(AuthError::from(ErrorCode::TokenAlgorithmNotAllowed).with_detail(detail));
        }

        Ok(Self {
            token,
            segments,
            decoded,
            header,
            known_header,
            rules,
        })
    }

    /// Returns the keys, if there is nothing to wait for.
    pub(super) fn keys_at_hand(&self) -> Option<&'a KeySet> {
        self.rules.keys.source.at_hand()
    }

    /// Verifies the signature with these keys, unless the cache has the token.
    ///
    /// # Errors
    ///
    /// `token_key_unknown`, `token_algorithm_not_allowed` or `token_signature_invalid`.
    pub(super) fn verify(&self, keys: &KeySet) -> Result<NewlyVerified, AuthError> {
        self.check(keys).map_err(|error| self.explain(error))
    }

    /// Verifies the signature with the keys of the verifier, for which it waits.
    ///
    /// # Errors
    ///
    /// `keys_unavailable`, and those of [`verify`](Self::verify).
    pub(super) async fn verify_in_time(
        &self,
        handshake: Option<Handshake<'_>>,
    ) -> Result<NewlyVerified, AuthError> {
        let request = KeyRequest {
            algorithm: self.header.algorithm,
            key_id: self.header.key_id.as_deref(),
            header: &self.header.json,
            handshake,
        };

        let source = &self.rules.keys.source;
        let verified = source.verify_with(request, |keys| self.check(keys)).await;
        verified.map_err(|error| self.explain(error))
    }

    /// Returns the payload, after the signature was verified.
    ///
    /// # Errors
    ///
    /// The error of `check_kind`, or `token_malformed` if the payload is not UTF-8.
    pub(super) fn into_payload(
        self,
        newly_verified: NewlyVerified,
        check_kind: CheckKind,
    ) -> Result<SignedPayload, AuthError> {
        check_kind(&self.rules.claims, &self.header)?;
        self.known_header
            .remember(self.segments.header, &self.header);
        self.decoded.into_payload(newly_verified)
    }

    fn check(&self, keys: &KeySet) -> Result<NewlyVerified, AuthError> {
        let algorithm = self.header.algorithm;
        let signed = SignedMessage {
            message: self.segments.message.as_bytes(),
            signature: self.decoded.signature(),
            encoded_signature: self.segments.signature,
        };
        let mut candidates = keys.candidates(algorithm, self.header.key_id.as_deref())?;
        let mut is_good = || candidates.any(|key| key.verify(algorithm, &signed));
        let invalid = || ErrorCode::TokenSignatureInvalid.into();

        let Some(cache) = self.cache() else {
            return if is_good() { Ok(None) } else { Err(invalid()) };
        };
        let token = TokenHash::new(keys.id(), self.token);
        if cache.contains(&token, SystemTime::now()) {
            Ok(None)
        } else if is_good() {
            Ok(Some(Box::new(token)))
        } else {
            Err(invalid())
        }
    }

    /// Returns none for an HMAC, which takes hardly longer than the hash of the token.
    fn cache(&self) -> Option<&TokenCache> {
        let cache = self.rules.token_cache.as_ref();
        cache.filter(|_| !self.header.algorithm.is_hmac())
    }

    /// Adds which key was looked for, unless the error says more already.
    fn explain(&self, error: AuthError) -> AuthError {
        if error.detail().is_some() {
            return error;
        }

        let algorithm = self.header.algorithm;
        let key_id = self.header.key_id.as_deref().map(excerpt);
        let key_id = key_id.as_deref();
        let detail = match (error.code(), key_id) {
            (ErrorCode::TokenKeyUnknown, Some(id)) => {
                format!("no key for {algorithm} has the `kid` {id} of the token")
            }
            (ErrorCode::TokenKeyUnknown, None) => {
                format!("there is no key for {algorithm}, and the token has no `kid`")
            }
            (ErrorCode::TokenAlgorithmNotAllowed, Some(id)) => {
                format!(
                    "the token is signed with {algorithm}, and the key with its `kid` {id} is for another algorithm"
                )
            }
            (ErrorCode::TokenSignatureInvalid, id) => format!(
                "none of the keys for {algorithm} made the signature; the token's `kid` is {}",
                id.unwrap_or("missing")
            ),
            _ => return error,
        };
        error.with_detail(detail)
    }
}

fn check_length(token: &str, max_token_bytes: usize) -> Result<(), AuthError> {
    if token.len() > max_token_bytes {
        let detail = format!(
            "the token has {} bytes, and at most {max_token_bytes} are accepted; max_token_bytes raises the limit",
            token.len()
        );
        return Err(AuthError::from(ErrorCode::TokenTooLarge).with_detail(detail));
    }
    Ok(())
}
