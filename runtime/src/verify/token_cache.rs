//! Remembers tokens whose signature was verified, so that it is not verified again when the same
//! token comes back.

#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lru::LruCache;
use sha2::{Digest, Sha256};

use crate::{error::ConfigError, keys::KeySetId};

/// The most tokens that can be remembered, in about 85 MB.
pub(super) const MAX_TOKENS: usize = 1_000_000;

/// The tokens of one issuer whose signature is good. Nothing else about a token is remembered.
pub(super) struct TokenCache {
    max_tokens: usize,
    /// Until which second since 1970 each may be accepted. The least recently used token is the
    /// first to go.
    valid_until: Mutex<LruCache<TokenHash, u64>>,
}

impl TokenCache {
    /// # Errors
    ///
    /// `max_tokens` is 0 or more than [`MAX_TOKENS`].
    pub(super) fn new(max_tokens: usize) -> Result<Self, ConfigError> {
        if max_tokens == 0 || max_tokens > MAX_TOKENS {
            return Err(ConfigError::invalid(format!(
                "token_cache is {max_tokens}; it must be 1 to {MAX_TOKENS} tokens, 10000 is usual; leave it out to \
                 remember none"
            )));
        }
        Ok(Self {
            max_tokens,
            // It takes memory as it fills.
            valid_until: Mutex::new(LruCache::unbounded()),
        })
    }

    /// Returns whether a token's signature is good. Forgets a token that has expired.
    pub(super) fn contains(&self, token: &TokenHash, now: SystemTime) -> bool {
        let mut tokens = self.lock();
        let is_valid = tokens
            .get(token)
            .is_some_and(|end| seconds_since_epoch(now) < *end);
        if !is_valid {
            tokens.pop(token);
        }
        is_valid
    }

    /// Remembers a token whose signature is good. `None` is for a token that does not expire.
    pub(super) fn insert(
        &self,
        token: TokenHash,
        valid_until: Option<SystemTime>,
        now: SystemTime,
    ) {
        let now = seconds_since_epoch(now);
        let mut tokens = self.lock();

        // Two at a time are faster than tokens are added, and never a long pause.
        for _ in 0..2 {
            if tokens.peek_lru().is_some_and(|(_, end)| *end <= now) {
                tokens.pop_lru();
            }
        }

        tokens.put(token, valid_until.map_or(u64::MAX, seconds_since_epoch));
        if tokens.len() > self.max_tokens {
            tokens.pop_lru();
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<TokenHash, u64>> {
        self.valid_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows no hashes.
impl fmt::Debug for TokenCache {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenCache")
            .field("max_tokens", &self.max_tokens)
            .finish_non_exhaustive()
    }
}

/// A token and the set of keys that verified it. Another set, such as the same file after a key was
/// removed from it, makes another hash, so that it has to verify the token itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TokenHash([u8; 32]);

impl TokenHash {
    /// `token` is the whole token: with a part of it, a forged rest would count as verified.
    pub(super) fn new(keys: KeySetId, token: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(keys.to_bytes())
            .chain_update(token);
        Self(hash.finalize().into())
    }
}

fn seconds_since_epoch(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .as_ref()
        .map_or(0, Duration::as_secs)
}
