//! Revocations: tokens, sessions and users that are refused before their tokens expire.

mod check;
mod entries;
mod entry;
mod memory;
mod notifier;
mod query;
#[cfg(feature = "redis")]
mod redis;
mod revocation;
mod store;
mod token_life;

pub(crate) use check::{RevocationCheck, RevocationSetting, StoreId, revoked};
pub(crate) use entry::EntryKey;
pub use memory::Revocations;
pub use notifier::{RevocationChange, RevocationChanges, RevocationNotifier, RevokedEntry};
pub use query::RevocationQuery;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use redis::RedisRevocations;
pub use revocation::{Revocation, RevocationScope};
pub use store::{RevocationError, RevocationStatus, RevocationStore};

use std::time::Duration;

/// The longest `leeway` of a verifier with revocations.
pub(crate) const MAX_LEEWAY: Duration = Duration::from_mins(5);

/// How long an entry outlives the last token that it concerns: the longest leeway, and as much again
/// for clocks that differ.
const MARGIN: Duration = Duration::from_mins(10);
