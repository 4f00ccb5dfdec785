//! Logging in, and renewing the token, on an open socket.

mod permit;

use std::sync::Arc;

use serde::Serialize;
use socketioxide::{
    adapter::Adapter,
    extract::Data,
    handler::{FromMessageParts, MessageHandler, Value},
    socket::Socket,
};

use crate::{
    attempt::Attempt,
    authenticate::Authenticator,
    error::{AuthError, Code},
    log::namespace,
    lookup::{LookupOn, LookupRequest, UserLookup},
    middleware::Shared,
    rate_limit::limiter,
    refusal,
    session::{
        Session, SessionState,
        expiry::{self, unix_seconds},
        login_handler,
        rooms::AttemptKind,
        store,
    },
    token::{self, AuthPayload, RawToken, TokenSource},
};
use permit::{LatestWins, Permit};

/// Handles the authenticate event of one socket.
pub(crate) struct AuthenticateHandler<L: UserLookup> {
    shared: Arc<Shared<L>>,
    renewals: Arc<LatestWins>,
}

/// What the client gets as acknowledgement.
#[derive(Serialize)]
struct Renewed {
    /// Seconds since 1970; `null` for a token that does not expire.
    expires_at: Option<u64>,
}

impl<L: UserLookup> AuthenticateHandler<L> {
    pub(crate) fn new(shared: Arc<Shared<L>>) -> Self {
        Self { shared, renewals: Arc::default() }
    }
}

/// Tells socketioxide's blanket implementations for closures from this one.
pub(crate) struct ViaAuthenticate;

impl<A: Adapter, L: LookupOn<A>> MessageHandler<A, ViaAuthenticate> for AuthenticateHandler<L> {
    fn call(&self, socket: Arc<Socket<A>>, mut value: Value, ack_id: Option<i64>) {
        let authenticator = Arc::clone(&self.shared);
        // Renewals take their places in the order in which the client sent them.
        let permit = self.renewals.acquire();
        tokio::spawn(async move {
            match authenticator.authenticator.renew(permit, &socket, &mut value).await {
                Ok(session) => {
                    tracing::debug!(namespace = &*namespace(&socket), socket = %socket.id, "session renewed");
                    let renewed = Renewed { expires_at: session.state().expires_at().map(unix_seconds) };
                    refusal::ack_sender(&socket, ack_id).send(&renewed).ok();
                }
                Err(error) => refusal::refuse_event(&socket, &mut value, &ack_id, &error),
            }
        });
    }
}

impl<L: UserLookup> Authenticator<L> {
    /// The session of the socket after the renewal. A renewal that fails leaves the session as it is.
    async fn renew<A: Adapter>(
        &self,
        permit: impl Future<Output = Result<Permit, Code>>,
        socket: &Arc<Socket<A>>,
        value: &mut Value,
    ) -> Result<Arc<dyn Session>, AuthError>
    where
        L: LookupOn<A>,
    {
        let _permit = permit.await?;
        let attempt = Attempt::begin(socket, AttemptKind::Renewal)?;
        limiter().count_renewal(socket.id)?;

        let renewed = attempt.run("renewal refused", async {
            let token = self.find_renewal(socket, value)?.ok_or(Code::TokenMissing)?;
            let previous = store::of_socket(socket).ok_or(Code::InternalError)?;
            previous.state().check_alive()?;

            // As at a connection, but for the auth payload: an event has none.
            let session = self.log_in(&LookupRequest { socket, payload: &None, token: None }, &token).await?;
            check_same_user(previous.state(), session.state())?;
            if is_older(session.state(), previous.state()) {
                previous.state().check_alive()?;
                return Ok(previous);
            }

            store::replace(socket, &*previous, &session, || attempt.register(&session))?;
            expiry::start(socket, &session, &self.expiry);
            if previous.state().is_guest() {
                login_handler::announce_login(socket);
            }
            Ok(session)
        });
        renewed.await
    }

    /// The event carries `{token}`, or one of the members that the auth payload of a connection may carry.
    fn find_renewal<A: Adapter>(
        &self,
        socket: &Arc<Socket<A>>,
        value: &mut Value,
    ) -> Result<Option<RawToken>, AuthError> {
        let payload =
            Data::<AuthPayload>::from_message_parts(socket, value, &None).map_err(|_| Code::TokenMalformed)?.0;
        let sources = std::iter::once(TokenSource::auth("token"));
        let sources: Vec<_> = sources.chain(self.sources.iter().filter(|source| source.is_auth()).cloned()).collect();
        token::find(&sources, socket.req_parts(), &payload)
    }
}

/// A guest may log in as any user. A user stays the same, by the `sub` of the tokens and by the `user_key`, as far as
/// there are such: a user that was renamed has to connect anew.
fn check_same_user(previous: &SessionState, next: &SessionState) -> Result<(), Code> {
    let is_named = |session: &SessionState| session.token().subject.is_some();
    let same_subject = match (is_named(previous), is_named(next)) {
        (true, true) => subject_of(previous) == subject_of(next),
        // Tokens without `sub` say nothing, so that the `user_key` has to.
        _ => previous.room().is_some(),
    };
    if previous.is_guest() || (same_subject && previous.room() == next.room()) {
        return Ok(());
    }
    Err(Code::SubjectMismatch)
}

/// A `sub` is unique within its issuer only ([RFC 7519 §4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2)).
fn subject_of(session: &SessionState) -> (Option<&str>, Option<&str>) {
    (session.token().issuer.as_deref(), session.token().subject.as_deref())
}

/// A token that was issued before the session's own must not replace it: an answer that comes late is no news.
fn is_older(next: &SessionState, previous: &SessionState) -> bool {
    match (next.token().issued, previous.token().issued) {
        (Some(next), Some(previous)) => next < previous,
        _ => false,
    }
}
