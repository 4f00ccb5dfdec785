//! One entry of a store: a key that does not show what it stands for, and the tokens it covers.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};

use super::RevocationScope;

/// The key of an entry: of a fixed size, of safe characters only, and without personal data.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EntryKey {
    scope: RevocationScope,
    digest: [u8; Self::BYTES],
}

impl EntryKey {
    /// Two keys with the same digest would be refused together, and are not to be found.
    const BYTES: usize = 16;

    pub(super) fn new(scope: RevocationScope, key: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(scope.as_str())
            .chain_update(":")
            .chain_update(key)
            .finalize();
        let mut digest = [0; Self::BYTES];
        digest.copy_from_slice(&hash[..Self::BYTES]);
        Self { scope, digest }
    }

    pub(super) fn scope(&self) -> RevocationScope {
        self.scope
    }
}

/// The key as a part of a key in Redis.
impl fmt::Display for EntryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digest = URL_SAFE_NO_PAD.encode(self.digest);
        write!(formatter, "{}:{digest}", self.scope.as_str())
    }
}

impl fmt::Debug for EntryKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EntryKey({self})")
    }
}

impl FromStr for EntryKey {
    type Err = NotAnEntry;

    fn from_str(text: &str) -> Result<Self, NotAnEntry> {
        let (scope, digest) = text.split_once(':').ok_or(NotAnEntry)?;
        let all = [
            RevocationScope::Token,
            RevocationScope::Session,
            RevocationScope::User,
        ];
        let scope = all
            .into_iter()
            .find(|known| known.as_str() == scope)
            .ok_or(NotAnEntry)?;
        let digest = URL_SAFE_NO_PAD.decode(digest).map_err(|_| NotAnEntry)?;
        Ok(Self {
            scope,
            digest: digest.try_into().map_err(|_| NotAnEntry)?,
        })
    }
}

/// Which tokens of its key an entry covers. The greater one covers more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum IssuedBefore {
    /// Those with this `iat`, in seconds since 1970, or an earlier one.
    Seconds(u64),
    /// All of them.
    Always,
}

impl IssuedBefore {
    /// Rounds the time up, because issuers round `iat`: a token that was issued before the time must
    /// not have a later `iat`.
    pub(super) fn new(time: Option<SystemTime>) -> Self {
        time.map_or(Self::Always, |time| Self::Seconds(whole_seconds(time)))
    }

    /// Returns whether a token is covered. One that does not say when it was issued is.
    pub(super) fn covers(self, issued_at: Option<SystemTime>) -> bool {
        match (self, issued_at) {
            (Self::Always, _) | (_, None) => true,
            (Self::Seconds(seconds), Some(issued_at)) => whole_seconds(issued_at) <= seconds,
        }
    }
}

/// The value in Redis.
impl fmt::Display for IssuedBefore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seconds(seconds) => seconds.fmt(formatter),
            Self::Always => formatter.write_str("always"),
        }
    }
}

impl FromStr for IssuedBefore {
    type Err = NotAnEntry;

    fn from_str(text: &str) -> Result<Self, NotAnEntry> {
        match text {
            "always" => Ok(Self::Always),
            _ => text.parse().map(Self::Seconds).map_err(|_| NotAnEntry),
        }
    }
}

/// The error for text that is not an entry of this crate.
#[derive(Debug)]
pub(crate) struct NotAnEntry;

/// An entry, and when it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(super) key: EntryKey,
    pub(super) issued_before: IssuedBefore,
    /// In seconds since 1970.
    pub(super) ends_at: u64,
}

/// Returns seconds since 1970, rounded up; 0 for earlier times.
pub(super) fn whole_seconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since
        .as_secs()
        .saturating_add(u64::from(since.subsec_nanos() > 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_token_of_the_same_second_is_covered_and_one_of_the_next_is_not() {
        let noon = IssuedBefore::new(Some(at(12_000)));
        assert!(noon.covers(Some(at(11_000))));
        assert!(noon.covers(Some(at(12_000))));
        assert!(!noon.covers(Some(at(13_000))));
        assert!(!noon.covers(Some(at(12_001))));
    }

    #[test]
    fn nothing_that_was_issued_before_is_missed_however_the_issuer_rounds() {
        for issued in 10_000..12_000 {
            for later in [issued, issued + 1, issued + 499, issued + 2000] {
                let revoked = IssuedBefore::new(Some(at(later)));
                let (down, nearest, up) =
                    (issued / 1000, (issued + 500) / 1000, issued.div_ceil(1000));
                for iat in [issued, 1000 * down, 1000 * nearest, 1000 * up] {
                    assert!(revoked.covers(Some(at(iat))), "{issued} {later} {iat}");
                }
            }
        }
    }

    #[test]
    fn a_token_without_iat_is_covered() {
        assert!(IssuedBefore::Seconds(0).covers(None));
        assert!(IssuedBefore::Always.covers(None));
        assert!(IssuedBefore::Always.covers(Some(at(u64::from(u32::MAX) * 1000))));
    }

    #[test]
    fn keys_and_values_are_written_and_parsed() {
        for scope in [
            RevocationScope::Token,
            RevocationScope::Session,
            RevocationScope::User,
        ] {
            let key = EntryKey::new(scope, "a\r\n*{}: é");
            assert_eq!(key.to_string().parse::<EntryKey>().unwrap(), key);
            let is_safe =
                |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-' | b'_');
            assert!(key.to_string().bytes().all(is_safe), "{key}");
        }
        for value in [IssuedBefore::Always, IssuedBefore::Seconds(17)] {
            assert_eq!(value.to_string().parse::<IssuedBefore>().unwrap(), value);
        }
        for text in [
            "",
            "token",
            "token:",
            "token:AAAA",
            "door:AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            assert!(text.parse::<EntryKey>().is_err(), "{text}");
        }
        for text in ["", "Always", "-1", "1.5"] {
            assert!(text.parse::<IssuedBefore>().is_err(), "{text}");
        }
    }

    #[test]
    fn keys_of_different_scopes_and_texts_differ() {
        let keys = [
            EntryKey::new(RevocationScope::Token, "1"),
            EntryKey::new(RevocationScope::Session, "1"),
            EntryKey::new(RevocationScope::User, "1"),
            EntryKey::new(RevocationScope::User, "2"),
            EntryKey::new(RevocationScope::User, ""),
        ];
        for (position, key) in keys.iter().enumerate() {
            assert!(!keys[..position].contains(key), "{key}");
        }
    }

    #[test]
    fn the_greater_value_covers_more() {
        assert!(IssuedBefore::Seconds(1) < IssuedBefore::Seconds(2));
        assert!(IssuedBefore::Seconds(u64::MAX) < IssuedBefore::Always);
    }
}
