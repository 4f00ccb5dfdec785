//! The logouts that refuse attempts under way.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use socketioxide::socket::Sid;

use crate::session::rooms::{Kept, SessionRooms};

/// The attempts under way, and the logouts that they may have missed.
#[derive(Default)]
pub(super) struct PastLogouts {
    /// The attempts under way, oldest first.
    attempts: VecDeque<Attempts>,
    /// The last logouts of each room, kept while an attempt that began before them is under way.
    by_room: HashMap<Arc<str>, Vec<PastLogout>>,
    /// The number of the last logout that was remembered.
    last: LogoutNumber,
}

/// Tells which logout came first.
pub(super) type LogoutNumber = u64;

/// Attempts under way that began after the same logout and before the next one. Counted, because
/// there are many attempts and few logouts.
struct Attempts {
    last_logout: LogoutNumber,
    under_way: usize,
}

struct PastLogout {
    number: LogoutNumber,
    kept: Option<Kept>,
}

impl PastLogouts {
    /// Begins an attempt. Returns the last logout before it.
    pub(super) fn begin_attempt(&mut self) -> LogoutNumber {
        let last_logout = self.last;
        match self.attempts.back_mut() {
            Some(attempts) if attempts.last_logout == last_logout => attempts.under_way += 1,
            _ => self.attempts.push_back(Attempts {
                last_logout,
                under_way: 1,
            }),
        }
        last_logout
    }

    /// Ends one of the attempts that began after this logout.
    pub(super) fn end_attempt(&mut self, last_logout: LogoutNumber) {
        let position = self
            .attempts
            .partition_point(|attempts| attempts.last_logout < last_logout);
        if let Some(attempts) = self.attempts.get_mut(position) {
            attempts.under_way -= 1;
        }

        let oldest = self.oldest();
        while let Some(attempts) = self.attempts.front()
            && attempts.under_way == 0
        {
            self.attempts.pop_front();
        }
        if self.oldest() != oldest {
            self.forget();
        }
    }

    /// Remembers a logout for the attempts under way.
    pub(super) fn remember(&mut self, room: &Arc<str>, kept: Option<Kept>) {
        if self.attempts.is_empty() {
            return;
        }

        self.last += 1;
        let number = self.last;
        let logouts = self.by_room.entry(Arc::clone(room)).or_default();
        match &kept {
            None => logouts.clear(),
            Some(_) => logouts.retain(|logout| logout.kept != kept),
        }
        logouts.push(PastLogout { number, kept });
    }

    /// Whether a session in these rooms was logged out after `last_logout`.
    pub(super) fn is_logged_out(
        &self,
        rooms: &SessionRooms,
        connection: Sid,
        last_logout: LogoutNumber,
    ) -> bool {
        rooms
            .iter()
            .filter_map(|room| self.by_room.get(room))
            .flatten()
            .filter(|logout| logout.number > last_logout)
            .any(|logout| {
                let kept = logout.kept.as_ref();
                !kept.is_some_and(|kept| kept.keeps(rooms, connection))
            })
    }

    /// Returns the last logout before the oldest attempt under way.
    fn oldest(&self) -> Option<LogoutNumber> {
        self.attempts.front().map(|oldest| oldest.last_logout)
    }

    /// Forgets the logouts that happened before the oldest attempt under way began.
    fn forget(&mut self) {
        let Some(oldest) = self.oldest() else {
            return self.by_room.clear();
        };
        self.by_room.retain(|_, logouts| {
            logouts.retain(|logout| logout.number > oldest);
            !logouts.is_empty()
        });
    }

    /// Returns how many logouts of a room are remembered.
    #[cfg(test)]
    pub(super) fn number_in(&self, room: &str) -> usize {
        self.by_room.get(room).map_or(0, Vec::len)
    }

    /// Returns how many rooms have logouts that are remembered.
    #[cfg(test)]
    pub(super) fn rooms(&self) -> usize {
        self.by_room.len()
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty() && self.by_room.is_empty()
    }
}
