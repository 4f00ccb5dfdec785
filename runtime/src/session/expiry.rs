//! The timers that end a session: when its token expires, or when a guest has not logged in in
//! time.

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
use socketioxide::{adapter::Adapter, socket::Socket};
use tokio::time::{Instant, sleep, sleep_until};

use super::{
    End, Login, Session, SessionState,
    rooms::SessionRooms,
    socket::{self, AnySocket, Message, TOKEN_EXPIRING},
};
use crate::{
    clock::Clock,
    error::{AuthError, ErrorCode},
    refusal,
    retry::{until_connected, while_full},
    settings::written_setting,
};

/// What happens to the socket when its token expires.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Expiry {
    /// The client is told `token_expired`, then disconnected, at `exp` plus leeway.
    #[default]
    Disconnect,
    /// The socket stays open: `exp` is checked only when the client connects or renews.
    Ignore,
}

written_setting! {
    Expiry {
        "disconnect" => Disconnect,
        "ignore" => Ignore,
    }
}

/// The checked settings of expiry.
#[derive(Debug, Clone)]
pub(crate) struct ExpiryRules {
    pub(crate) expiry: Expiry,
    pub(crate) expiry_warning: Option<Duration>,
    pub(crate) guest_timeout: Option<Duration>,
    pub(crate) max_session: Option<Duration>,
    pub(crate) clock: Clock,
}

/// When a token expires, as clients are told: by `token_expiring`, and when they have renewed.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ExpiresAt {
    /// Seconds since 1970; `null` for a token that does not expire.
    expires_at: Option<u64>,
    /// Whole seconds from now, 0 after the expiry; `null` for a token that does not expire.
    expires_in: Option<u64>,
}

impl ExpiresAt {
    pub(crate) fn new(expires_at: Option<SystemTime>, clock: &Clock) -> Self {
        let seconds_since = |time: SystemTime, start| {
            let since = time.duration_since(start).unwrap_or_default();
            since.as_secs()
        };
        Self {
            expires_at: expires_at.map(|time| seconds_since(time, UNIX_EPOCH)),
            expires_in: expires_at.map(|time| seconds_since(time, clock.now())),
        }
    }
}

/// The timers compare the wall clock at least this often, because tokio's clock stops while the
/// machine is suspended.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// `Instant` overflows beyond some centuries.
const LONGEST_GUEST_TIMEOUT: Duration = Duration::from_hours(100 * 365 * 24);

impl ExpiryRules {
    /// Returns when the session of a token ends, which is valid until `valid_until`, and belongs to
    /// this login. Returns `None` if it does not end by itself.
    pub(crate) fn end_of(&self, valid_until: Option<SystemTime>, login: &Login) -> Option<End> {
        let expiry = match self.expiry {
            Expiry::Disconnect => valid_until,
            Expiry::Ignore => None,
        };
        let expiry = expiry.map(|at| End {
            at,
            code: ErrorCode::TokenExpired,
        });

        // A time after the last one that can be written never comes.
        let limit = self
            .max_session
            .and_then(|limit| login.began.checked_add(limit));
        let limit = limit.map(|at| End {
            at,
            code: ErrorCode::SessionEnded,
        });
        limit.into_iter().chain(expiry).min_by_key(|end| end.at)
    }

    fn warning_of(&self, session: &SessionState) -> Option<Warning> {
        let expires_at = session.expires_at()?;
        let at = warning_time(expires_at, self.expiry_warning?, self.clock.now());
        Some(Warning { at, expires_at })
    }

    fn end_of_session(&self, session: &SessionState) -> Option<TimedEnd> {
        if session.is_guest() {
            let limit = self.guest_timeout?.min(LONGEST_GUEST_TIMEOUT);
            let at = Instant::now() + limit;
            return Some(TimedEnd::GuestTimeout { at, limit });
        }
        session
            .end_time()
            .map(|end| TimedEnd::Session(end, self.max_session))
    }
}

struct Warning {
    at: SystemTime,
    expires_at: SystemTime,
}

enum TimedEnd {
    /// A time of day, and the `max_session`.
    Session(End, Option<Duration>),
    /// A time on the monotonic clock.
    GuestTimeout { at: Instant, limit: Duration },
}

impl TimedEnd {
    /// Waits for the end.
    async fn reached(&self, clock: &Clock) {
        match self {
            Self::Session(end, _) => wall_clock_reaches(clock, end.at).await,
            Self::GuestTimeout { at, .. } => sleep_until(*at).await,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Session(end, _) => end.code,
            Self::GuestTimeout { .. } => ErrorCode::LoginRequired,
        }
    }

    fn reason(&self) -> AuthError {
        let detail = match self {
            Self::Session(end, Some(limit)) if end.code == ErrorCode::SessionEnded => {
                format!("the login has lasted {limit:?}, the `max_session`")
            }
            Self::Session(..) => "`exp` plus leeway has passed".to_owned(),
            Self::GuestTimeout { limit, .. } => {
                format!("the guest has not logged in within {limit:?}, the `guest_timeout`")
            }
        };
        AuthError::from(self.code()).with_detail(detail)
    }
}

/// Returns when to warn of expiry: `before` it, or after half of the remaining time if that is
/// later. Otherwise a client whose tokens live shorter than `before` would renew in a loop.
fn warning_time(expires_at: SystemTime, before: Duration, now: SystemTime) -> SystemTime {
    let remaining = expires_at.duration_since(now).unwrap_or_default();
    expires_at - before.min(remaining / 2)
}

async fn wall_clock_reaches(clock: &Clock, time: SystemTime) {
    loop {
        let remaining = time.duration_since(clock.now()).unwrap_or_default();
        if remaining.is_zero() {
            return;
        }
        sleep(remaining.min(LONGEST_SLEEP)).await;
    }
}

/// Starts the timer of a session, which aborts it when the session is dropped. The timer keeps
/// neither the session nor the socket alive.
pub(crate) fn start<A: Adapter>(
    socket: &Arc<Socket<A>>,
    session: &Arc<dyn Session>,
    rules: &ExpiryRules,
) {
    let (warning, end) = (
        rules.warning_of(session.state()),
        rules.end_of_session(session.state()),
    );

    if warning.is_some() || end.is_some() {
        let clock = rules.clock.clone();
        let timer = run(
            socket::downgrade(socket),
            Arc::downgrade(session),
            clock,
            warning,
            end,
        );
        session
            .state()
            .hold_timer(tokio::spawn(timer).abort_handle());
    }
}

async fn run(
    socket: Weak<dyn AnySocket>,
    session: Weak<dyn Session>,
    clock: Clock,
    warning: Option<Warning>,
    end: Option<TimedEnd>,
) {
    let warning = OptionFuture::from(warning.map(|warning| warn(&socket, &clock, warning).boxed()));
    let Some(end) = end else {
        warning.await;
        return;
    };

    // The end does not wait for the warning, which a client that does not read would delay.
    let warned = warning.then(|_| future::pending::<()>());
    let reached = end.reached(&clock);
    if let future::Either::Right(_) = future::select(pin!(reached), pin!(warned)).await {
        return;
    }

    // From here on every extractor refuses. `end` fails if a renewal has replaced the session
    // before.
    let ended = session
        .upgrade()
        .filter(|session| session.state().end(end.code()));
    if let Some(rooms) = ended.map(|session| session.state().rooms().clone()) {
        // Boxed, so that the future of a sleeping timer stays small.
        finish(&socket, rooms, end.reason()).boxed().await;
    }
}

async fn warn(socket: &Weak<dyn AnySocket>, clock: &Clock, warning: Warning) {
    wall_clock_reaches(clock, warning.at).await;
    until_connected(socket).await;

    while_full(socket, |socket| {
        let expiring = ExpiresAt::new(Some(warning.expires_at), clock);
        socket.send(TOKEN_EXPIRING, &Message::TokenExpiring(expiring))
    })
    .await;
}

async fn finish(socket: &Weak<dyn AnySocket>, rooms: SessionRooms, reason: AuthError) {
    until_connected(socket).await;
    if let Some(socket) = socket.upgrade() {
        tracing::info!(
            namespace = &*socket.namespace(),
            socket = %socket.connection(),
            code = reason.code().as_str(),
            detail = reason.detail(),
            "session ended"
        );
    }
    refusal::Ending::new(rooms, Arc::new(reason))
        .run(socket)
        .await;
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const YEAR: Duration = Duration::from_hours(365 * 24);

    #[tokio::test(start_paused = true)]
    async fn a_timer_notices_a_moved_clock_within_thirty_seconds() {
        let start = SystemTime::now();
        let (clock, time) = Clock::fixed(start);
        let end = start + Duration::from_hours(2);
        let timer = tokio::spawn(async move { wall_clock_reaches(&clock, end).await });
        tokio::task::yield_now().await;

        // The machine is suspended: the monotonic clock stands still.
        time.advance(Duration::from_hours(2));
        advance(LONGEST_SLEEP - Duration::from_millis(1)).await;
        assert!(!timer.is_finished());
        advance(Duration::from_millis(2)).await;
        tokio::task::yield_now().await;
        assert!(timer.is_finished());
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_waits_as_long_as_the_wall_clock_says() {
        let start = SystemTime::now();
        let (clock, time) = Clock::fixed(start);
        let timer = tokio::spawn(async move { wall_clock_reaches(&clock, start + YEAR).await });
        for _ in 0..100 {
            advance(LONGEST_SLEEP).await;
        }
        assert!(!timer.is_finished(), "the clock was set back");
        time.set(start + YEAR);
        advance(LONGEST_SLEEP).await;
        timer.await.unwrap();
    }

    #[test]
    fn a_warning_leaves_half_of_the_remaining_life() {
        let (minute, now) = (Duration::from_mins(1), SystemTime::now());
        let expires_at = now + 10 * minute;
        assert_eq!(warning_time(expires_at, minute, now), expires_at - minute);
        assert_eq!(
            warning_time(expires_at, Duration::MAX, now),
            now + 5 * minute
        );
        assert_eq!(warning_time(now - minute, minute, now), now - minute);
    }

    #[test]
    fn a_client_is_told_whole_seconds_and_null_for_a_token_that_does_not_expire() {
        let (clock, _) = Clock::fixed(UNIX_EPOCH + Duration::from_millis(1_000_600));
        for (expires_at, told) in [
            (1_002_500, (Some(1002), Some(1))),
            (1_001_600, (Some(1001), Some(1))),
            (1_001_599, (Some(1001), Some(0))),
            (1_000_599, (Some(1000), Some(0))),
        ] {
            let time = UNIX_EPOCH + Duration::from_millis(expires_at);
            let ExpiresAt {
                expires_at,
                expires_in,
            } = ExpiresAt::new(Some(time), &clock);
            assert_eq!((expires_at, expires_in), told);
        }
        assert_eq!(
            serde_json::to_value(ExpiresAt::new(None, &clock)).unwrap(),
            serde_json::json!({ "expires_at": null, "expires_in": null })
        );
    }

    #[test]
    fn a_session_ends_with_its_token_or_at_the_limit_of_its_login() {
        let (expired, ended) = (ErrorCode::TokenExpired, ErrorCode::SessionEnded);
        let login = Login::begin(UNIX_EPOCH + YEAR);
        let hours = |hours| UNIX_EPOCH + YEAR + Duration::from_hours(hours);

        for (expiry, limit, valid_until, end) in [
            (Expiry::Disconnect, None, Some(2), Some((2, expired))),
            (Expiry::Disconnect, None, None, None),
            (Expiry::Ignore, None, Some(2), None),
            (Expiry::Disconnect, Some(3), Some(2), Some((2, expired))),
            (Expiry::Disconnect, Some(1), Some(2), Some((1, ended))),
            (Expiry::Disconnect, Some(2), Some(2), Some((2, ended))),
            (Expiry::Disconnect, Some(1), None, Some((1, ended))),
            (Expiry::Ignore, Some(3), Some(2), Some((3, ended))),
        ] {
            let rules = ExpiryRules {
                expiry,
                expiry_warning: None,
                guest_timeout: None,
                max_session: limit.map(Duration::from_hours),
                clock: Clock::system(),
            };
            let end = end.map(|(after, code)| End {
                at: hours(after),
                code,
            });
            assert_eq!(rules.end_of(valid_until.map(hours), &login), end);
        }
    }

    #[test]
    fn an_endless_limit_of_a_login_never_comes() {
        let rules = ExpiryRules {
            expiry: Expiry::Disconnect,
            expiry_warning: None,
            guest_timeout: None,
            max_session: Some(Duration::MAX),
            clock: Clock::system(),
        };
        let login = Login::begin(SystemTime::now());
        assert_eq!(rules.end_of(None, &login), None);
    }
}
