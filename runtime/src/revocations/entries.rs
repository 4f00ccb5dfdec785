//! The entries in this process's memory, which end by themselves.

use std::collections::{BTreeSet, HashMap};

use super::entry::{Entry, EntryKey, IssuedBefore};

/// Entries, at most a certain number of them.
pub(super) struct Entries {
    by_key: HashMap<EntryKey, Value>,
    by_end: BTreeSet<(u64, EntryKey)>,
    pub(super) max: usize,
}

#[derive(Clone, Copy)]
struct Value {
    issued_before: IssuedBefore,
    ends_at: u64,
}

/// The error for an entry that there is no room for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Entries {
    /// How many ended entries one call removes, so that no call takes long.
    const REMOVED_AT_ONCE: usize = 64;

    pub(super) fn new(max: usize) -> Self {
        Self {
            by_key: HashMap::new(),
            by_end: BTreeSet::new(),
            max,
        }
    }

    /// Adds an entry. If there is one of the same key, it then covers what either covers, for as
    /// long as either lasts. `now` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// There are as many as there may be. An entry that is there already needs no room.
    pub(super) fn insert(&mut self, entry: Entry, now: u64) -> Result<(), Full> {
        self.remove_ended(now);
        if let Some(value) = self.by_key.get_mut(&entry.key) {
            value.issued_before = value.issued_before.max(entry.issued_before);
            if entry.ends_at > value.ends_at {
                self.by_end.remove(&(value.ends_at, entry.key));
                self.by_end.insert((entry.ends_at, entry.key));
                value.ends_at = entry.ends_at;
            }
            return Ok(());
        }

        if self.by_key.len() >= self.max {
            return Err(Full);
        }
        let value = Value {
            issued_before: entry.issued_before,
            ends_at: entry.ends_at,
        };
        self.by_key.insert(entry.key, value);
        self.by_end.insert((entry.ends_at, entry.key));
        Ok(())
    }

    /// Returns what the entry of a key covers, if it has not ended.
    pub(super) fn get(&self, key: &EntryKey, now: u64) -> Option<IssuedBefore> {
        let value = self.by_key.get(key)?;
        (now < value.ends_at).then_some(value.issued_before)
    }

    /// Removes some of the entries that have ended.
    pub(super) fn remove_ended(&mut self, now: u64) {
        for _ in 0..Self::REMOVED_AT_ONCE {
            match self.by_end.first() {
                Some(&(ends_at, key)) if ends_at <= now => {
                    self.by_end.pop_first();
                    self.by_key.remove(&key);
                }
                _ => break,
            }
        }

        // Memory is given back, but not for each entry.
        if self.by_key.capacity() > 1024 && self.by_key.len() < self.by_key.capacity() / 4 {
            self.by_key.shrink_to(self.by_key.len() * 2);
        }
    }

    /// Returns the entries that have not ended.
    #[cfg(feature = "redis")]
    pub(super) fn all(&self, now: u64) -> Vec<Entry> {
        let entries = self.by_key.iter().map(|(key, value)| Entry {
            key: *key,
            issued_before: value.issued_before,
            ends_at: value.ends_at,
        });
        entries.filter(|entry| now < entry.ends_at).collect()
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        assert_eq!(self.by_key.len(), self.by_end.len());
        self.by_key.len()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::RevocationScope, *};

    fn entry(key: u32, issued_before: IssuedBefore, ends_at: u64) -> Entry {
        Entry {
            key: EntryKey::new(RevocationScope::User, &key.to_string()),
            issued_before,
            ends_at,
        }
    }

    #[test]
    fn an_entry_ends_at_its_second() {
        let mut entries = Entries::new(1);
        let entry = entry(1, IssuedBefore::Always, 100);
        entries.insert(entry, 50).unwrap();
        assert_eq!(entries.get(&entry.key, 99), Some(IssuedBefore::Always));
        assert_eq!(entries.get(&entry.key, 100), None);

        entries.remove_ended(99);
        assert_eq!(entries.len(), 1);
        entries.remove_ended(100);
        assert_eq!(entries.len(), 0);
    }

    #[test]
    fn two_entries_of_a_key_cover_what_either_covers_for_as_long_as_either_lasts() {
        let early = entry(1, IssuedBefore::Seconds(10), 200);
        let late = entry(1, IssuedBefore::Seconds(20), 100);
        for (first, second) in [(early, late), (late, early)] {
            let mut entries = Entries::new(1);
            entries.insert(first, 0).unwrap();
            entries.insert(second, 0).unwrap();
            assert_eq!(entries.len(), 1);
            assert_eq!(
                entries.get(&early.key, 199),
                Some(IssuedBefore::Seconds(20))
            );
            assert_eq!(entries.get(&early.key, 200), None);
        }
    }

    #[test]
    fn past_the_maximum_an_entry_is_refused_and_none_is_forgotten() {
        let mut entries = Entries::new(2);
        for key in [1, 2] {
            entries
                .insert(entry(key, IssuedBefore::Seconds(1), 100), 0)
                .unwrap();
        }
        assert_eq!(
            entries.insert(entry(3, IssuedBefore::Always, 100), 99),
            Err(Full)
        );
        assert_eq!(
            entries.insert(entry(2, IssuedBefore::Always, 100), 99),
            Ok(())
        );
        assert_eq!(entries.len(), 2);
        assert_eq!(
            entries.insert(entry(3, IssuedBefore::Always, 200), 100),
            Ok(())
        );
        assert_eq!(entries.len(), 1);
    }

    #[test]
    fn ended_entries_go_some_at_a_time_and_their_memory_is_given_back() {
        let mut entries = Entries::new(100_000);
        for key in 0..100_000 {
            entries
                .insert(entry(key, IssuedBefore::Always, 100), 0)
                .unwrap();
        }
        let before = entries.by_key.capacity();
        entries.remove_ended(100);
        assert_eq!(entries.len(), 100_000 - Entries::REMOVED_AT_ONCE);
        while entries.len() > 0 {
            entries.remove_ended(100);
        }
        assert!(entries.by_key.capacity() <= 2048, "{before}");
    }
}
