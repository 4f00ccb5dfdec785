//! Lets one renewal of a socket run at a time. One more may wait, always the newest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::error::{AuthError, ErrorCode};

/// Lets one renewal run at a time. A later renewal replaces the one that waits.
#[derive(Default)]
pub(super) struct LatestWins(Mutex<State>);

#[derive(Default)]
struct State {
    busy: bool,
    waiting: Option<oneshot::Sender<Permit>>,
}

/// The right to run. The renewal that runs holds it.
pub(super) struct Permit(Arc<LatestWins>);

impl LatestWins {
    /// Takes a place when it is called, and returns a future that waits for the permit.
    ///
    /// # Errors
    ///
    /// Returns `too_many_attempts` if a later renewal took the place.
    pub(super) fn acquire(
        self: &Arc<Self>,
    ) -> impl Future<Output = Result<Permit, AuthError>> + Send + use<> {
        let place = self.take_place();

        async move {
            match place {
                Ok(permit) => Ok(permit),
                Err(waiting) => waiting.await.map_err(|_| {
                    AuthError::from(ErrorCode::TooManyAttempts)
                        .with_detail("a newer renewal of this socket has replaced this one")
                }),
            }
        }
    }

    fn take_place(self: &Arc<Self>) -> Result<Permit, oneshot::Receiver<Permit>> {
        let mut state = self.state();
        if !state.busy {
            state.busy = true;
            return Ok(Permit(Arc::clone(self)));
        }
        let (sender, waiting) = oneshot::channel();
        // Dropping the sender of the renewal that waited refuses it.
        state.waiting = Some(sender);
        Err(waiting)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.state();
            let next = state.waiting.take();
            state.busy = next.is_some();
            next
        };
        if let Some(waiting) = next {
            // If the waiter is gone, dropping the permit runs this `drop` again and frees the
            // place.
            drop(waiting.send(Permit(Arc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_later_renewal_takes_the_place_of_the_one_that_waits() {
        let renewals = Arc::new(LatestWins::default());
        let running = renewals.acquire().await.unwrap();
        let (older, newer) = (renewals.acquire(), renewals.acquire());
        assert_eq!(
            older.await.err().unwrap().code(),
            ErrorCode::TooManyAttempts
        );

        let mut newer = Box::pin(newer);
        assert!(newer.as_mut().now_or_never().is_none(), "one at a time");
        drop(running);
        let running = newer.now_or_never().unwrap();
        assert!(running.is_ok());
        assert!(
            renewals.acquire().now_or_never().is_none(),
            "still one at a time"
        );
    }

    #[tokio::test]
    async fn a_renewal_that_is_dropped_while_it_waits_frees_its_place() {
        let renewals = Arc::new(LatestWins::default());
        let running = renewals.acquire().await.unwrap();
        drop(renewals.acquire());
        drop(running);
        assert!(renewals.acquire().now_or_never().unwrap().is_ok());
    }
}
