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
    time::{Instant, timeout},
};

use super::{Server, Slot, State};
use crate::{
    clock::Timestamp,
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

/// A session in the queue, and what happens to it. Both are in one number, so that an entry takes 16
/// bytes: the place of a session leaves two bits free, because a session takes more than four bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Target(usize);

impl Target {
    fn new(slot: Slot, timer: Timer) -> Self {
        Self(slot << 2 | timer as usize)
    }

    fn slot(self) -> Slot {
        self.0 >> 2
    }

    fn timer(self) -> Timer {
        const WARNING: usize = Timer::Warning as usize;
        const END: usize = Timer::End as usize;

        match self.0 & 0b11 {
            WARNING => Timer::Warning,
            END => Timer::End,
            _ => Timer::Recheck,
        }
    }
}

/// The timers by time, with their session.
#[derive(Default)]
pub(super) struct TimerQueue {
    entries: BTreeSet<(Timestamp, Target)>,
    /// The task that waits for the first entry. It ends when it finds none.
    task: Option<AbortHandle>,
    /// When the task looks at the entries next, if it is not woken. `None` while it does.
    next_look: Option<Instant>,
    wake: Arc<Notify>,
}

/// The task looks at the queue at least this often, because tokio's clock stops while the machine is
/// suspended. This is also how the task of an empty queue ends: to stop it with the last timer, and
/// to start it with the next one, costs more.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

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
    pub(super) fn remove(&mut self, slot: Slot, timers: impl Iterator<Item = (Timestamp, Timer)>) {
        for (at, timer) in timers {
            self.entries.remove(&(at, Target::new(slot, timer)));
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
        slot: Slot,
        timers: impl Iterator<Item = (Timestamp, Timer)>,
    ) {
        let mut state = self.state();
        let queue = &mut state.timers;
        let mut first: Option<Timestamp> = None;
        for (at, timer) in timers {
            first = Some(first.map_or(at, |first| first.min(at)));
            queue.entries.insert((at, Target::new(slot, timer)));
        }
        let Some(first) = first else { return };

        if !queue.is_running() {
            // The runtime of an earlier task may have ended.
            let task = run(Arc::downgrade(self), Arc::clone(&queue.wake));
            queue.next_look = None;
            queue.task = Some(tokio::spawn(task).abort_handle());
        } else if queue.is_to_wake(self.pause_until(first)) {
            queue.wake.notify_one();
        }
    }

    /// Stops the timers of a session.
    pub(crate) fn stop_timers(&self, slot: Slot, timers: impl Iterator<Item = (Timestamp, Timer)>) {
        self.state().timers.remove(slot, timers);
    }

    /// Fires the timers that are due, up to [`BATCH`] of them.
    fn fire_timers(&self) -> Next {
        let mut state = self.state();
        let due = state.take_due(self.clock.now().into());
        let queue = &mut state.timers;
        let first = queue.entries.first().map(|(at, ..)| *at);
        let next = match first.map(|at| self.pause_until(at)) {
            Some(Duration::ZERO) => Next::Continue,
            Some(pause) => Next::Sleep(pause.min(LONGEST_SLEEP)),
            // The next timer starts another task.
            None => {
                queue.task = None;
                Next::End
            }
        };
        queue.next_look = match next {
            Next::Sleep(pause) => Some(Instant::now() + pause),
            Next::Continue | Next::End => None,
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

    /// Returns how long it is until a time, by the wall clock.
    fn pause_until(&self, at: Timestamp) -> Duration {
        let pause = SystemTime::from(at).duration_since(self.clock.now());
        pause.unwrap_or_default()
    }
}

impl TimerQueue {
    fn is_running(&self) -> bool {
        self.task.as_ref().is_some_and(|task| !task.is_finished())
    }

    /// Whether a timer after this pause comes before the task looks at the queue next.
    fn is_to_wake(&self, pause: Duration) -> bool {
        // Most timers are far away, and asking for the time costs more than this.
        pause < LONGEST_SLEEP
            && self
                .next_look
                .is_some_and(|look| pause < look.saturating_duration_since(Instant::now()))
    }
}

impl State {
    fn take_due(&mut self, now: Timestamp) -> Vec<(Arc<dyn Session>, Timer)> {
        let mut due = Vec::new();
        while due.len() < BATCH
            && let Some((at, target)) = self.timers.entries.first().copied()
            && at <= now
        {
            self.timers.entries.remove(&(at, target));
            let session = self.sessions.get(target.slot()).and_then(Weak::upgrade);
            due.extend(session.map(|session| (session, target.timer())));
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
