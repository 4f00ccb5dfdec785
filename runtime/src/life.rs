//! How a session ends by itself: at the token's expiry, or when a guest does not log in.

use std::{
    sync::{Arc, Weak},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use socketioxide::{SendError, adapter::Adapter, socket::Socket};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep, sleep_until},
};

use crate::{
    config::written_setting,
    error::{AuthError, Code},
    persist::persist,
    refusal,
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

/// How long the middlewares that run after this one may take, and how often they are looked after.
const LONGEST_CONNECT: Duration = Duration::from_mins(1);
const CONNECT_POLL: Duration = Duration::from_millis(50);

/// tokio's timers reach two years at the most, and a token may say anything.
const LONGEST_SLEEP: Duration = Duration::from_hours(30 * 24);

impl LifeRules {
    fn schedule(&self, session: &dyn Session) -> Schedule {
        let details = session.details();
        if details.is_guest() {
            let end = self.guest_timeout.and_then(|limit| Instant::now().checked_add(limit));
            return Schedule { warning: None, end: end.map(|at| (at, Code::LoginRequired)) };
        }
        let Some(expires_at) = details.expires_at() else { return Schedule { warning: None, end: None } };
        let warning = self.expiry_warning.and_then(|before| instant_of(warn_at(expires_at, before)));
        let end = match self.expiry {
            Expiry::Disconnect => expires_at.checked_add(self.leeway).and_then(instant_of),
            Expiry::Ignore => None,
        };
        Schedule { warning: warning.map(|at| (at, expires_at)), end: end.map(|at| (at, Code::TokenExpired)) }
    }
}

/// A token that lives shorter than the warning is announced at half of its life: a client that renews at once, and gets
/// another such token, must not do so in a loop.
fn warn_at(expires_at: SystemTime, before: Duration) -> SystemTime {
    let remaining = expires_at.duration_since(SystemTime::now()).unwrap_or_default();
    expires_at - before.min(remaining / 2)
}

/// `None` for a time beyond what a timer can hold.
fn instant_of(time: SystemTime) -> Option<Instant> {
    let from_now = time.duration_since(SystemTime::now()).unwrap_or_default();
    Instant::now().checked_add(from_now)
}

/// Starts the timers of a session. They end with it: it holds the handle, and they hold it and the socket weakly.
pub(crate) fn start<A: Adapter>(
    socket: &Arc<Socket<A>>,
    session: &Arc<dyn Session>,
    rules: &LifeRules,
) -> Option<AbortHandle> {
    let schedule = rules.schedule(&**session);
    if schedule.warning.is_none() && schedule.end.is_none() {
        return None;
    }
    let live = live(Arc::downgrade(socket), Arc::downgrade(session), schedule);
    Some(tokio::spawn(live).abort_handle())
}

async fn live<A: Adapter>(socket: Weak<Socket<A>>, session: Weak<dyn Session>, schedule: Schedule) {
    if let Some((at, expires_at)) = schedule.warning {
        sleep_long_until(at).await;
        connected(&socket).await;
        warn(&socket, expires_at).await;
    }
    let Some((at, code)) = schedule.end else { return };
    sleep_long_until(at).await;
    // First of all: from here on every extractor refuses. A renewal that came before has replaced the session.
    if session.upgrade().is_some_and(|session| session.details().end(code)) {
        connected(&socket).await;
        dismiss(&socket, code).await;
    }
}

/// Waits for a socket whose other middlewares still run; nothing can be sent to it before they are done.
async fn connected<A: Adapter>(socket: &Weak<Socket<A>>) {
    let give_up = Instant::now() + LONGEST_CONNECT;
    while Instant::now() < give_up && socket.upgrade().is_some_and(|socket| !socket.connected()) {
        sleep(CONNECT_POLL).await;
    }
}

async fn sleep_long_until(at: Instant) {
    while at.duration_since(Instant::now()) > LONGEST_SLEEP {
        sleep(LONGEST_SLEEP).await;
    }
    sleep_until(at).await;
}

async fn warn<A: Adapter>(socket: &Weak<Socket<A>>, expires_at: SystemTime) {
    let expires_in = expires_at.duration_since(SystemTime::now()).unwrap_or_default().as_secs();
    let expiring = TokenExpiring { expires_at: unix_seconds(expires_at), expires_in };
    persist(socket, |socket| match socket.emit(TOKEN_EXPIRING, &expiring) {
        Err(SendError::Socket(error)) => Err(error),
        Ok(()) | Err(SendError::Serialize(_)) => Ok(()),
    })
    .await;
}

/// Tells the client why, and ends its socket.
async fn dismiss<A: Adapter>(socket: &Weak<Socket<A>>, code: Code) {
    let error = AuthError::from(code);
    if let Some(socket) = socket.upgrade() {
        tracing::info!(namespace = namespace(&socket), socket = %socket.id, code = error.code(), "session ended");
        // Nothing that the others are told reaches it any more, however long its disconnect takes.
        socket.leave_all();
    }
    persist(socket, |socket| refusal::tell(socket, &error, None)).await;
    persist(socket, |socket| Arc::clone(socket).disconnect()).await;
}

pub(crate) fn unix_seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
