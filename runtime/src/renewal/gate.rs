//! One attempt at a time, and at most one that waits for its turn: the newest.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::oneshot, time::Instant};

use crate::error::AuthError;

/// A client renews every few minutes; one that does so in a loop costs a lookup each time.
const MAX_ATTEMPTS: u32 = 10;
const PERIOD: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Gate(Mutex<State>);

#[derive(Default)]
struct State {
    busy: bool,
    waiting: Option<oneshot::Sender<Turn>>,
    /// The attempts of the current period.
    attempts: u32,
    period_began: Option<Instant>,
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
        if state.period_began.is_none_or(|began| began.elapsed() > PERIOD) {
            state.period_began = Some(Instant::now());
            state.attempts = 0;
        }
        if state.attempts >= MAX_ATTEMPTS {
            return Entry::Refused;
        }
        state.attempts += 1;
        if !state.busy {
            state.busy = true;
            return Entry::Now(Turn(Arc::clone(self)));
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
        let waiting = {
            let mut state = self.0.state();
            state.busy = state.waiting.is_some();
            state.waiting.take()
        };
        if let Some(waiting) = waiting {
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

    #[tokio::test(start_paused = true)]
    async fn a_period_has_so_many_attempts() {
        let gate = Arc::new(Gate::default());
        for _ in 0..2 {
            for _ in 0..MAX_ATTEMPTS {
                assert!(gate.enter().await.is_ok());
            }
            assert!(gate.enter().await.is_err());
            advance(PERIOD).await;
            assert!(gate.enter().await.is_err());
            advance(Duration::from_millis(1)).await;
        }
    }
}
