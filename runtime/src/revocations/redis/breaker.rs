//! Limits what waits for a Redis that does not answer.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use tokio::{sync::Semaphore, time::timeout};

/// Runs commands: with a time limit, and not too many at once. After one that was not answered, only
/// one at a time tries whether Redis is back, and the others fail at once. Without that, thousands of
/// clients that connect during an outage would leave a queue that Redis must work off afterwards.
pub(super) struct Breaker {
    limit: Duration,
    running: Semaphore,
    is_open: AtomicBool,
    tries: Semaphore,
}

/// Why a command has no result.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Failure<E> {
    Command(E),
    TimeLimit,
    /// Another command tries whether Redis is back.
    Open,
}

impl Breaker {
    const RUNNING_AT_ONCE: usize = 1000;

    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            running: Semaphore::new(Self::RUNNING_AT_ONCE),
            is_open: AtomicBool::new(false),
            tries: Semaphore::new(1),
        }
    }

    /// Lets all commands through again.
    pub(super) fn close(&self) {
        self.is_open.store(false, Ordering::Relaxed);
    }

    /// Runs a command. `was_answered` tells whether an error is an answer.
    pub(super) async fn run<T, E>(
        &self,
        command: impl Future<Output = Result<T, E>>,
        was_answered: impl Fn(&E) -> bool,
    ) -> Result<T, Failure<E>> {
        let is_open = self.is_open.load(Ordering::Relaxed);
        let _try = match is_open.then(|| self.tries.try_acquire()) {
            Some(Err(_)) => return Err(Failure::Open),
            permit => permit,
        };

        let result = timeout(self.limit, async {
            // The semaphore is never closed.
            let _permit = self.running.acquire().await;
            // A command that waited learns that those before it were not answered.
            if !is_open && self.is_open.load(Ordering::Relaxed) {
                return Err(Failure::Open);
            }
            command.await.map_err(Failure::Command)
        });
        let result = result.await.unwrap_or(Err(Failure::TimeLimit));

        match &result {
            Ok(_) => self.close(),
            Err(Failure::Command(error)) if was_answered(error) => self.close(),
            Err(Failure::Command(_) | Failure::TimeLimit) => {
                self.is_open.store(true, Ordering::Relaxed);
            }
            Err(Failure::Open) => {}
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        sync::atomic::AtomicUsize,
    };

    use futures_util::future::join_all;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(400);

    type Answer = Result<u8, &'static str>;

    async fn run(
        breaker: &Breaker,
        command: impl Future<Output = Answer>,
    ) -> Result<u8, Failure<&'static str>> {
        breaker.run(command, |error| *error == "an answer").await
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_command_without_an_answer_one_at_a_time_is_let_through() {
        let breaker = Breaker::new(LIMIT);
        assert_eq!(run(&breaker, pending()).await, Err(Failure::TimeLimit));

        let (first, second) = tokio::join!(run(&breaker, pending()), run(&breaker, ready(Ok(1))));
        assert_eq!(first, Err(Failure::TimeLimit));
        assert_eq!(second, Err(Failure::Open));

        assert_eq!(run(&breaker, ready(Ok(1))).await, Ok(1));
        let (first, second) =
            tokio::join!(run(&breaker, ready(Ok(1))), run(&breaker, ready(Ok(2))));
        assert_eq!((first, second), (Ok(1), Ok(2)));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_that_is_an_answer_opens_nothing() {
        let breaker = Breaker::new(LIMIT);
        for (error, is_open) in [("an answer", false), ("no connection", true)] {
            breaker.close();
            assert_eq!(
                run(&breaker, ready(Err(error))).await,
                Err(Failure::Command(error))
            );
            let (_, second) = tokio::join!(run(&breaker, pending()), run(&breaker, ready(Ok(2))));
            assert_eq!(second == Err(Failure::Open), is_open, "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_storm_starts_a_limited_number_of_commands_and_ends_in_time() {
        let breaker = Breaker::new(LIMIT);
        let started = AtomicUsize::new(0);
        let start = tokio::time::Instant::now();
        let commands = (0..5 * Breaker::RUNNING_AT_ONCE).map(|_| {
            run(&breaker, async {
                started.fetch_add(1, Ordering::Relaxed);
                pending().await
            })
        });
        let results = join_all(commands).await;
        assert!(results.iter().all(Result::is_err));
        assert_eq!(started.load(Ordering::Relaxed), Breaker::RUNNING_AT_ONCE);
        // The timer of the test rounds to milliseconds.
        assert!(start.elapsed() <= LIMIT + Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn more_commands_than_may_run_at_once_wait_for_each_other() {
        let breaker = Breaker::new(LIMIT);
        let commands = (0..5 * Breaker::RUNNING_AT_ONCE).map(|_| {
            run(&breaker, async {
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(1)
            })
        });
        let results = join_all(commands).await;
        assert!(results.iter().all(Result::is_ok));
    }
}
