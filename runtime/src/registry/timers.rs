//! The timers of all sessions of a server: one queue and one task, so that an idle session costs
//! an entry only.

use std::{
    collections::BTreeSet,
    sync::{Arc, Weak},
    time::{Duration, SystemTime},
};

use tokio::{
    sync::Notify,
    task::{AbortHandle, yield_now},
    time::timeout,
};

use super::{Server, State};
use crate::{
    guard,
    session::{Session, expiry},
};

/// What happens to a session at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// The client is warned of the expiry.
    Warning,
    /// The session ends.
    End,
    /// The user is looked up again.
    Recheck,
}

/// The timers by time, with the number of their session.
#[derive(Default)]
pub(super) struct TimerQueue {
    entries: BTreeSet<(SystemTime, u64, Timer)>,
    /// The task that waits for the first entry. It ends when there are none.
    task: Option<AbortHandle>,
    wake: Arc<Notify>,
}

/// The task compares the wall clock at least this often, because tokio's clock stops while the
/// machine is suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// How many timers fire before other tasks run.
const BATCH: usize = 64;

/// What the task does after it has looked at the queue.
enum Next {
    Sleep(Duration),
    /// More timers are due.
    Continue,
    /// There are no timers.
    End,
}

impl TimerQueue {
    pub(super) fn remove(
        &mut self,
        number: u64,
        timers: impl Iterator<Item = (SystemTime, Timer)>,
    ) {
        for (at, timer) in timers {
            self.entries.remove(&(at, number, timer));
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}

impl Drop for TimerQueue {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

impl Server {
    /// Starts the timers of a registered session.
    pub(crate) fn start_timers(
        self: &Arc<Self>,
        number: u64,
        timers: impl Iterator<Item = (SystemTime, Timer)>,
    ) {
        let mut state = self.state();
        let queue = &mut state.timers;
        let first = queue.entries.first().copied();
        queue
            .entries
            .extend(timers.map(|(at, timer)| (at, number, timer)));
        if queue.entries.first() == first.as_ref() && queue.is_running() {
            return;
        }

        if queue.is_running() {
            queue.wake.notify_one();
        } else if !queue.entries.is_empty() {
            // The runtime of an earlier task may have ended.
            let task = run(Arc::downgrade(self), Arc::clone(&queue.wake));
            queue.task = Some(tokio::spawn(task).abort_handle());
        }
    }

    /// Stops the timers of a session.
    pub(crate) fn stop_timers(
        &self,
        number: u64,
        timers: impl Iterator<Item = (SystemTime, Timer)>,
    ) {
        self.state().timers.remove(number, timers);
    }

    /// Fires the timers that are due, up to [`BATCH`] of them.
    fn fire_timers(&self) -> Next {
        let now = self.clock.now();
        let mut state = self.state();
        let due = state.take_due(now);
        let next = if let Some((at, ..)) = state.timers.entries.first() {
            match at.duration_since(now) {
                Ok(pause) if !pause.is_zero() => Next::Sleep(pause.min(LONGEST_SLEEP)),
                _ => Next::Continue,
            }
        } else {
            // A task that has nothing to wait for ends. The next timer starts another one.
            state.timers.task = None;
            Next::End
        };

        // A timer takes the lock again.
        drop(state);
        for (session, timer) in due {
            // The session may be dropped here, and with it a user whose `Drop` panics. Other
            // sessions still need their timers.
            guard::call("a timer", move || expiry::fire(&session, timer)).ok();
        }
        next
    }
}

impl TimerQueue {
    fn is_running(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }
}

impl State {
    fn take_due(&mut self, now: SystemTime) -> Vec<(Arc<dyn Session>, Timer)> {
        let mut due = Vec::new();
        while due.len() < BATCH
            && let Some(entry) = self.timers.entries.first().copied()
            && entry.0 <= now
        {
            self.timers.entries.remove(&entry);
            let (_, number, timer) = entry;
            let session = self.sessions.get(&number).and_then(Weak::upgrade);
            due.extend(session.map(|session| (session, timer)));
        }
        due
    }
}

/// Fires timers until there are none, or the server is dropped.
async fn run(server: Weak<Server>, wake: Arc<Notify>) {
    loop {
        // The server is not kept while the task sleeps.
        let next = match server.upgrade() {
            Some(server) => server.fire_timers(),
            None => return,
        };
        match next {
            Next::Sleep(pause) => drop(timeout(pause, wake.notified()).await),
            Next::Continue => yield_now().await,
            Next::End => return,
        }
    }
}

#[cfg(test)]
mod tests;
