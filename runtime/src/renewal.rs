//! Logins and renewals of the token on an open socket.

mod permit;

use std::sync::Arc;

use socketioxide::{
    adapter::Adapter,
    extract::Data,
    handler::{FromMessageParts, MessageHandler, Value},
    socket::Socket,
};

use crate::{
    attempt::Attempt,
    authenticate::Authenticator,
    error::{AuthError, ErrorCode},
    log,
    lookup::{LookupOn, LookupRequest, UserLookup},
    middleware::Shared,
    rate_limit::limiter,
    refusal,
    session::{Session, SessionState, expiry::ExpiresAt, login_handler, rooms::AttemptKind, store},
    token::{self, FirstArgument, RawToken},
};
use permit::{LatestWins, Permit};

/// Handles the authenticate event of one socket.
pub(crate) struct AuthenticateHandler<L: UserLookup> {
    shared: Arc<Shared<L>>,
    renewals: Arc<LatestWins>,
}

impl<L: UserLookup> AuthenticateHandler<L> {
    pub(crate) fn new(shared: Arc<Shared<L>>) -> Self {
        Self {
            shared,
            renewals: Arc::default(),
        }
    }
}

/// Marks this implementation, so that it does not overlap with socketioxide's blanket
/// implementations for closures.
pub(crate) struct ViaAuthenticate;

impl<A: Adapter, L: LookupOn<A>> MessageHandler<A, ViaAuthenticate> for AuthenticateHandler<L> {
    fn call(&self, socket: Arc<Socket<A>>, mut value: Value, ack_id: Option<i64>) {
        let authenticator = Arc::clone(&self.shared);
        // Acquired before the task is spawned, so that renewals run in the order in which the
        // client sent them.
        let permit = self.renewals.acquire();

        tokio::spawn(async move {
            match authenticator
                .authenticator
                .renew(permit, &socket, &mut value)
                .await
            {
                Ok(session) => {
                    let clock = &authenticator.authenticator.expiry.clock;
                    let renewed = ExpiresAt::new(session.state().expires_at(), clock);
                    refusal::ack_sender(&socket, ack_id).send(&renewed).ok();
                }
                Err(error) => refusal::refuse_event(&socket, &mut value, &ack_id, &error),
            }
        });
    }
}

impl<L: UserLookup> Authenticator<L> {
    /// Renews the session of the socket and returns the new one. A renewal that fails leaves the
    /// session as it is.
    async fn renew<A: Adapter>(
        self: &Arc<Self>,
        permit: impl Future<Output = Result<Permit, AuthError>>,
        socket: &Arc<Socket<A>>,
        value: &mut Value,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let begun = self.begin_renewal(permit, socket).await;
        let (_permit, attempt) = begun
            .inspect_err(|error| log::refused(socket, &self.events, error, "renewal refused"))?;

        let renewed = attempt.run(&self.events, "renewal refused", async {
            let token = self.find_renewal(socket, value)?;
            let previous = store::of_socket(socket).ok_or(ErrorCode::InternalError)?;
            previous.state().check_alive().map_err(ended_meanwhile)?;

            // The lookup runs as for a connection, but without an auth payload, which an event does
            // not have.
            let session = self
                .log_in(
                    &LookupRequest::of_socket(socket, &None),
                    &token,
                    previous.state().next_login(),
                )
                .await?;
            check_same_user(previous.state(), session.state())?;
            attempt.check_revocations(&session).await?;
            if is_older(session.state(), previous.state()) {
                previous.state().check_alive().map_err(ended_meanwhile)?;
                return Ok(previous);
            }

            let register = || attempt.register(&session, Some(&*previous));
            store::replace(socket, &*previous, &session, register).map_err(ended_meanwhile)?;
            session.state().start_timers();
            if previous.state().is_guest() {
                log::admitted(socket, &*session, "logged in");
                login_handler::announce_login(socket);
            } else {
                log::admitted(socket, &*session, "session renewed");
            }
            Ok(session)
        });
        renewed.await
    }

    /// Waits for the turn of a renewal, and begins it.
    ///
    /// # Errors
    ///
    /// Returns `too_many_attempts` past the limits of the connection or if a newer renewal has taken the
    /// place, and `session_ended` if the socket has left.
    async fn begin_renewal<'a, A: Adapter>(
        &self,
        permit: impl Future<Output = Result<Permit, AuthError>>,
        socket: &'a Arc<Socket<A>>,
    ) -> Result<(Permit, Attempt<'a, A>), AuthError> {
        let permit = permit.await?;
        let attempt = Attempt::begin(socket, &self.server, AttemptKind::Renewal)?;
        limiter().count_renewal(socket.id)?;
        Ok((permit, attempt))
    }

    /// Returns the token of the event. That of the handshake, which may be in a cookie, does not
    /// count.
    fn find_renewal<A: Adapter>(
        &self,
        socket: &Arc<Socket<A>>,
        value: &mut Value,
    ) -> Result<RawToken, AuthError> {
        let Data(argument) = Data::<FirstArgument>::from_message_parts(socket, value, &None)
            .map_err(|_| token::unreadable("the argument of the event"))?;

        let sources = token::sources_of_event(&self.sources);
        token::find_in_event(&sources, &argument)?.ok_or_else(|| {
            let elsewhere = token::in_event(&argument);
            log::elsewhere(socket, elsewhere.as_ref(), &sources);
            token::missing(&sources, elsewhere)
        })
    }
}

/// Refuses a renewal of a session that has ended, or whose user was logged out, with the reason.
fn ended_meanwhile(code: ErrorCode) -> AuthError {
    let detail = match code {
        ErrorCode::SessionEnded => "the user was logged out while the renewal ran",
        _ => "the session ended while the renewal ran",
    };
    AuthError::from(code).with_detail(detail)
}

/// Checks that a renewal does not change the user. A guest may log in as any user.
///
/// The `sub` of the tokens and the `user_key` must be the same, as far as they exist. A user whose
/// `sub` or key has changed has to connect again.
fn check_same_user(previous: &SessionState, next: &SessionState) -> Result<(), AuthError> {
    if previous.is_guest() {
        return Ok(());
    }
    match difference(previous, next) {
        None => Ok(()),
        Some(detail) => Err(AuthError::from(ErrorCode::SubjectMismatch).with_detail(detail)),
    }
}

/// Returns in what the user of a new token differs from that of the session.
fn difference(previous: &SessionState, next: &SessionState) -> Option<&'static str> {
    let (old, new) = (previous.token(), next.token());

    if old.subject.is_some() && new.subject.is_some() {
        if old.subject != new.subject {
            return Some("the `sub` of the new token is not that of the session");
        }
        // A `sub` is unique within its issuer only (RFC 7519 §4.1.2,
        // https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2).
        if old.issuer != new.issuer {
            return Some("the `iss` of the new token is not that of the session");
        }
    } else if previous.rooms().user.is_none() {
        return Some("there is no `sub` to compare in both tokens, and no `user_key`");
    }

    (previous.rooms().user != next.rooms().user)
        .then_some("the `user_key` of the new user is not that of the session")
}

/// Whether a token was issued before the current one of the session. Such a token does not replace
/// it, because it was only delayed on its way.
fn is_older(next: &SessionState, previous: &SessionState) -> bool {
    match (next.token().issued, previous.token().issued) {
        (Some(next), Some(previous)) => next < previous,
        _ => false,
    }
}
