//! The time limit of a step that mostly has nothing to wait for.

use std::{pin::Pin, time::Duration};

use futures_util::future::poll_immediate;
use tokio::time::{error::Elapsed, timeout};

/// Awaits a future, at most this long. A timer is started only if the future is not ready at once:
/// with keys and users at hand it is.
///
/// # Errors
///
/// The limit was reached.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    mut future: Pin<&mut F>,
) -> Result<F::Output, Elapsed> {
    match poll_immediate(future.as_mut()).await {
        Some(output) => Ok(output),
        // Boxed, because every attempt has room for this future, and few need it.
        None => Box::pin(timeout(limit, future)).await,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::{pending, ready},
        pin::pin,
    };

    use futures_util::FutureExt;
    use tokio::time::{Instant, sleep};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[test]
    fn what_is_ready_needs_no_timer() {
        // A timer would panic outside of a runtime.
        let result = within(LIMIT, pin!(ready(1))).now_or_never();
        assert_eq!(result.unwrap().unwrap(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_time_has_until_the_limit() {
        let in_time = sleep(LIMIT - Duration::from_millis(1));
        assert!(within(LIMIT, pin!(in_time)).await.is_ok());

        let began = Instant::now();
        assert!(within(LIMIT, pin!(pending::<()>())).await.is_err());
        assert_eq!(began.elapsed(), LIMIT);
    }
}
