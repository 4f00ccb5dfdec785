//! One attempt at a time, and at most one that waits for its turn: the newest.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use crate::error::AuthError;

/// A client renews every few minutes; one that does so in a loop costs a lookup each time.
const MAX_TURNS: u32 = 20;
const PERIOD: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    busy: bool,
    waiting: Option<oneshot::Sender<Turn>>,
    /// Those of the current period that had their turn. One that a newer one replaced costs nothing.
    turns: u32,
    period_began: Option<Instant>,
}

impl State {
    /// Whether the period has a turn left, which is then taken.
    fn take_turn(&mut self) -> bool {
        if self.period_began.is_none_or(|began| began.elapsed() > PERIOD) {
            self.period_began = Some(Instant::now());
            self.turns = 0;
        }
        self.busy = self.turns < MAX_TURNS;
        self.turns += u32::from(self.busy);
        self.busy
    }
}

/// Held by the attempt whose turn it is.
pub(super) struct Turn(Arc<Gate>);

enum Entry {
    Now(Turn),
    Later(oneshot::Receiver<Turn>),
    Refused,
}

impl Gate {
    /// Takes its place at once; the future waits for the turn.
    ///
    /// # Errors
    ///
    /// A newer attempt took the place, or there were too many.
    pub(super) fn enter(self: &Arc<Self>) -> impl Future<Output = Result<Turn, AuthError>> + Send + use<> {
        let entry = self.take_place();
        async move {
            let refused = || AuthError::denied("too many attempts");
            match entry {
                Entry::Now(turn) => Ok(turn),
                Entry::Later(turn) => turn.await.map_err(|_| refused()),
                Entry::Refused => Err(refused()),
            }
        }
    }

    fn take_place(self: &Arc<Self>) -> Entry {
        let mut state = self.state();
        if !state.busy {
            return if state.take_turn() { Entry::Now(Turn(Arc::clone(self))) } else { Entry::Refused };
        }
        let (sender, turn) = oneshot::channel();
        // Dropping the sender of the one that waited refuses it.
        state.waiting = Some(sender);
        Entry::Later(turn)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.state();
            state.busy = false;
            state.waiting.take().filter(|_| state.take_turn())
        };
        if let Some(waiting) = next {
            // One that gave up drops the turn that it is sent, which comes back here and frees the gate.
            drop(waiting.send(Turn(Arc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    #[tokio::test]
    async fn a_newer_attempt_takes_the_place_of_the_one_that_waits() {
        let gate = Arc::new(Gate::default());
        let running = gate.enter().await.unwrap();
        let (older, newer) = (gate.enter(), gate.enter());
        assert_eq!(older.await.err().unwrap().to_string(), "too many attempts");
        let mut newer = Box::pin(newer);
        assert!(newer.as_mut().now_or_never().is_none(), "one at a time");
        drop(running);
        let running = newer.now_or_never().unwrap();
        assert!(running.is_ok());
        assert!(gate.enter().now_or_never().is_none(), "still one at a time");
    }

    #[tokio::test]
    async fn one_that_gives_up_while_it_waits_holds_up_nobody() {
        let gate = Arc::new(Gate::default());
        let running = gate.enter().await.unwrap();
        drop(gate.enter());
        drop(running);
        assert!(gate.enter().now_or_never().unwrap().is_ok());
    }

    #[tokio::test]
    async fn those_that_were_replaced_do_not_count() {
        let gate = Arc::new(Gate::default());
        let running = gate.enter().await.unwrap();
        let replaced: Vec<_> = (0..2 * MAX_TURNS).map(|_| gate.enter()).collect();
        let newest = gate.enter();
        drop(running);
        assert!(newest.await.is_ok());
        for attempt in replaced {
            assert!(attempt.await.is_err());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_waits_is_refused_if_the_period_has_no_turn_left() {
        let gate = Arc::new(Gate::default());
        for _ in 1..MAX_TURNS {
            assert!(gate.enter().await.is_ok());
        }
        let last = gate.enter().await.unwrap();
        let waiting = gate.enter();
        drop(last);
        assert!(waiting.await.is_err());
        advance(PERIOD + Duration::from_millis(1)).await;
        assert!(gate.enter().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_period_has_so_many_turns() {
        let gate = Arc::new(Gate::default());
        for _ in 0..2 {
            for _ in 0..MAX_TURNS {
                assert!(gate.enter().await.is_ok());
            }
            assert!(gate.enter().await.is_err());
            advance(PERIOD).await;
            assert!(gate.enter().await.is_err());
            advance(Duration::from_millis(1)).await;
        }
    }
}
