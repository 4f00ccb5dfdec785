//! How a session ends by itself: at the token's expiry, or when a guest does not log in.

use std::{
    pin::pin,
    sync::{Arc, Weak},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{
    FutureExt,
    future::{self, OptionFuture},
};
use serde::Serialize;
use socketioxide::{SendError, adapter::Adapter, socket::Socket};
use tokio::time::{Instant, sleep, sleep_until};

use crate::{
    config::written_setting,
    error::{AuthError, Code},
    persist::persist,
    refusal, rooms,
    session::{Session, namespace},
};

/// What happens to the socket when its token expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expiry {
    /// It is told `token_expired`, then disconnected, at `exp` plus leeway.
    #[default]
    Disconnect,
    /// Nothing: the token counts at the connection only.
    Ignore,
}

written_setting! {
    Expiry {
        "disconnect" => Disconnect,
        "ignore" => Ignore,
    }
}

/// What a builder was told of the life of sessions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LifeRules {
    pub(crate) expiry: Expiry,
    pub(crate) expiry_warning: Option<Duration>,
    pub(crate) guest_timeout: Option<Duration>,
    pub(crate) leeway: Duration,
}

/// When something happens to a session.
struct Schedule {
    /// The expiry that is announced, and when.
    warning: Option<(Instant, SystemTime)>,
    end: Option<(Instant, Code)>,
}

/// What the client gets as `token_expiring`.
#[derive(Serialize)]
struct TokenExpiring {
    /// Seconds since 1970.
    expires_at: u64,
    /// Seconds from now.
    expires_in: u64,
}

const TOKEN_EXPIRING: &str = "token_expiring";

/// The middlewares that run after this one are looked after with a pause, which doubles from the first to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A token may say anything, and a clock does not reach that far.
const LONGEST_WAIT: Duration = Duration::from_hours(100 * 365 * 24);

impl LifeRules {
    fn schedule(&self, session: &dyn Session) -> Schedule {
        let details = session.details();
        if details.is_guest() {
            return Schedule {
                warning: None,
                end: self.guest_timeout.map(|limit| (after(limit), Code::LoginRequired)),
            };
        }
        let Some(expires_at) = details.expires_at() else { return Schedule { warning: None, end: None } };
        let warning = self.expiry_warning.map(|before| (after(until(warn_at(expires_at, before))), expires_at));
        let end = match self.expiry {
            Expiry::Disconnect => expires_at.checked_add(self.leeway).map_or(LONGEST_WAIT, until),
            Expiry::Ignore => return Schedule { warning, end: None },
        };
        Schedule { warning, end: Some((after(end), Code::TokenExpired)) }
    }
}

/// A token that lives shorter than the warning is announced at half of its life: a client that renews at once, and gets
/// another such token, must not do so in a loop.
fn warn_at(expires_at: SystemTime, before: Duration) -> SystemTime {
    expires_at - before.min(until(expires_at) / 2)
}

fn until(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::now()).unwrap_or_default()
}

fn after(wait: Duration) -> Instant {
    Instant::now() + wait.min(LONGEST_WAIT)
}

/// Starts the timer of a session. It ends with the session, which holds the handle; it holds session and socket weakly.
pub(crate) fn start<A: Adapter>(socket: &Arc<Socket<A>>, session: &Arc<dyn Session>, rules: &LifeRules) {
    let schedule = rules.schedule(&**session);
    if schedule.warning.is_some() || schedule.end.is_some() {
        let live = live(Arc::downgrade(socket), Arc::downgrade(session), schedule);
        session.details().hold(tokio::spawn(live).abort_handle());
    }
}

async fn live<A: Adapter>(socket: Weak<Socket<A>>, session: Weak<dyn Session>, schedule: Schedule) {
    let warning = schedule.warning.map(|(at, expires_at)| announce(&socket, at, expires_at).boxed());
    let warning = OptionFuture::from(warning);
    let Some((at, code)) = schedule.end else {
        warning.await;
        return;
    };
    // The end waits for no warning: a client that does not read would put it off.
    let warned = warning.then(|_| future::pending::<()>());
    future::select(pin!(sleep_until(at)), pin!(warned)).await;
    // From here on every extractor refuses. A renewal that came before has replaced the session.
    if session.upgrade().is_some_and(|session| session.details().end(code)) {
        // Boxed, so that a timer which sleeps holds no room for it.
        end(&socket, code).boxed().await;
    }
}

async fn announce<A: Adapter>(socket: &Weak<Socket<A>>, at: Instant, expires_at: SystemTime) {
    sleep_until(at).await;
    connected(socket).await;
    warn(socket, expires_at).await;
}

/// Waits for a socket whose other middlewares still run; nothing can be sent to it before they are done. One that has
/// left, and that somebody keeps, looks the same.
async fn connected<A: Adapter>(socket: &Weak<Socket<A>>) {
    let mut pause = FIRST_PAUSE;
    while socket.upgrade().is_some_and(|socket| !socket.connected()) {
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn warn<A: Adapter>(socket: &Weak<Socket<A>>, expires_at: SystemTime) {
    persist(socket, |socket| {
        let expiring = TokenExpiring { expires_at: unix_seconds(expires_at), expires_in: until(expires_at).as_secs() };
        match socket.emit(TOKEN_EXPIRING, &expiring) {
            Err(SendError::Socket(error)) => Err(error),
            Ok(()) | Err(SendError::Serialize(_)) => Ok(()),
        }
    })
    .await;
}

async fn end<A: Adapter>(socket: &Weak<Socket<A>>, code: Code) {
    connected(socket).await;
    let error = AuthError::from(code);
    if let Some(socket) = socket.upgrade() {
        tracing::info!(namespace = namespace(&socket), socket = %socket.id, code = error.code(), "session ended");
        // Nothing that the others are told reaches it any more, however long its disconnect takes.
        rooms::leave_all(&socket);
    }
    refusal::dismiss(socket, &error).await;
}

pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: Duration = Duration::from_hours(365 * 24);

    #[tokio::test(start_paused = true)]
    async fn a_wait_of_years_is_as_long_as_it_should_be() {
        for (wait, years) in [(Duration::ZERO, 0), (YEAR, 1), (10 * YEAR, 10), (Duration::MAX, 100)] {
            let start = Instant::now();
            sleep_until(after(wait)).await;
            let late = start.elapsed() - years * YEAR;
            assert!(late < Duration::from_secs(1), "{years} years: {late:?}");
        }
    }

    #[test]
    fn a_warning_leaves_half_of_the_remaining_life() {
        let minute = Duration::from_mins(1);
        let expires_at = SystemTime::now() + 10 * minute;
        assert_eq!(warn_at(expires_at, minute), expires_at - minute);
        let half = expires_at.duration_since(warn_at(expires_at, Duration::MAX)).unwrap();
        assert!((4 * minute..=5 * minute).contains(&half), "{half:?}");
        let expired = SystemTime::now() - minute;
        assert_eq!(warn_at(expired, minute), expired);
    }
}
