//! The end of a session by itself: when its token expires, its login has lasted too long, or a guest
//! has not logged in in time. And the warning before the expiry.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::Serialize;
use socketioxide::SocketError;

use super::{
    End, EndCause, Login, Session, SessionState, recheck,
    socket::{AnySocket, Message, TOKEN_EXPIRING},
};
use crate::{
    clock::Clock,
    error::AuthError,
    log, refusal,
    registry::Timer,
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
            cause: EndCause::TokenExpired,
        });

        // A time after the last one that can be written never comes.
        let limit = self
            .max_session
            .and_then(|limit| login.began().checked_add(limit));
        let limit = limit.map(|at| End {
            at,
            cause: EndCause::MaxSession,
        });
        limit.into_iter().chain(expiry).min_by_key(|end| end.at)
    }

    /// Returns when the session of a guest ends that has not logged in.
    pub(crate) fn end_of_guest(&self, guest: &Login) -> Option<End> {
        let at = guest.began().checked_add(self.guest_timeout?)?;
        let cause = EndCause::GuestTimeout;
        Some(End { at, cause })
    }

    /// Returns when the client is warned of the expiry of its token, for a session that begins now.
    pub(crate) fn warning_of(&self, expires_at: Option<SystemTime>) -> Option<SystemTime> {
        let (expires_at, before) = (expires_at?, self.expiry_warning?);
        Some(warning_time(expires_at, before, self.clock.now()))
    }
}

/// Returns when to warn of expiry: `before` it, or after half of the remaining time if that is
/// later. Otherwise a client whose tokens live shorter than `before` would renew in a loop.
fn warning_time(expires_at: SystemTime, before: Duration, now: SystemTime) -> SystemTime {
    let remaining = expires_at.duration_since(now).unwrap_or_default();
    expires_at - before.min(remaining / 2)
}

/// Does what is due for a session.
pub(crate) fn fire(session: &Arc<dyn Session>, timer: Timer) {
    match timer {
        Timer::Warning => warn(session),
        Timer::End => end(session),
        Timer::Recheck => recheck::fire(session),
    }
}

/// Warns the client of the expiry of its token. Tries again in a task if the client is not
/// connected yet, or does not read.
fn warn(session: &Arc<dyn Session>) {
    let socket = session.state().socket();
    let Some(open) = socket.upgrade() else {
        return;
    };
    if open.is_connected() && send_warning(session.state(), &*open).is_ok() {
        return;
    }

    let session = Arc::downgrade(session);
    tokio::spawn(async move {
        until_connected(&socket).await;
        while_full(&socket, |socket| match session.upgrade() {
            Some(session) => send_warning(session.state(), &**socket),
            None => Ok(()),
        })
        .await;
    });
}

/// Sends the warning, unless a renewal has replaced the session or it has ended.
fn send_warning(session: &SessionState, socket: &dyn AnySocket) -> Result<(), SocketError> {
    if !session.is_current() {
        return Ok(());
    }
    let expiring = ExpiresAt::new(session.expires_at(), session.clock());
    match socket.send(TOKEN_EXPIRING, &Message::TokenExpiring(expiring)) {
        Err(full @ SocketError::InternalChannelFull) => Err(full),
        _ => Ok(()),
    }
}

/// Ends a session, unless a renewal has replaced it or it has ended before.
fn end(session: &Arc<dyn Session>) {
    let state = session.state();
    // From here on every extractor refuses.
    let Some(end) = state.end_time().filter(|end| state.end(end.cause.code())) else {
        return;
    };

    // In a task of its own: a disconnect handler of the application may panic or take long.
    let lasted = end.at.duration_since(state.began()).unwrap_or_default();
    let (socket, rooms) = (state.socket(), state.rooms().clone());
    let session = Arc::downgrade(session);
    tokio::spawn(async move {
        until_connected(&socket).await;
        let reason = reason(end, lasted);
        if let (Some(socket), Some(session)) = (socket.upgrade(), session.upgrade()) {
            log::ended(&*socket, session.state(), &reason, "session ended");
        }
        refusal::Ending::new(rooms, Arc::new(reason))
            .run(&socket)
            .await;
    });
}

/// Returns why a session ended that has lasted this long.
fn reason(end: End, lasted: Duration) -> AuthError {
    let detail = match end.cause {
        EndCause::GuestTimeout => {
            format!("the guest has not logged in within {lasted:?}, the `guest_timeout`")
        }
        EndCause::MaxSession => {
            format!("the login has lasted {lasted:?}, the `max_session`")
        }
        EndCause::TokenExpired => "`exp` plus leeway has passed".to_owned(),
    };
    AuthError::from(end.cause.code()).with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YEAR: Duration = Duration::from_hours(365 * 24);

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
        let (expired, ended) = (EndCause::TokenExpired, EndCause::MaxSession);
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
            let end = end.map(|(after, cause)| End {
                at: hours(after),
                cause,
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
