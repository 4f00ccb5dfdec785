//! Logging in, and renewing the token, on an open socket.

mod gate;

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use serde::Serialize;
use socketioxide::{
    adapter::Adapter,
    extract::{AckSender, Data},
    handler::{FromMessageParts, MessageHandler, Value},
    socket::Socket,
};

use crate::{
    error::{AuthError, Code},
    life::{self, unix_seconds},
    lookup::{LookupOn, UserLookup},
    pipeline::{Attempt, Pipeline, log_refusal},
    refusal,
    session::{self, Details, Session, namespace},
    token::{self, AuthPayload, RawToken, TokenSource},
};
use gate::Gate;

/// Handles the authenticate event of one socket.
pub(crate) struct AuthenticateHandler<L: UserLookup> {
    pipeline: Arc<Pipeline<L>>,
    gate: Arc<Gate>,
}

/// What the client gets as acknowledgement.
#[derive(Serialize)]
struct Renewed {
    /// Seconds since 1970; `null` for a token that does not expire.
    expires_at: Option<u64>,
}

impl<L: UserLookup> AuthenticateHandler<L> {
    pub(crate) fn new(pipeline: Arc<Pipeline<L>>) -> Self {
        Self { pipeline, gate: Arc::new(Gate::default()) }
    }
}

/// Tells socketioxide's blanket implementations for closures from this one.
pub(crate) struct ViaAuthenticate;

impl<A: Adapter, L: LookupOn<A>> MessageHandler<A, ViaAuthenticate> for AuthenticateHandler<L> {
    fn call(&self, socket: Arc<Socket<A>>, mut value: Value, ack_id: Option<i64>) {
        let pipeline = Arc::clone(&self.pipeline);
        // In here attempts still come in the order in which the client sent them.
        let turn = self.gate.enter();
        tokio::spawn(async move {
            let renewed = async {
                let _turn = turn.await?;
                pipeline.renew(&socket, &mut value).await
            };
            match renewed.await {
                Ok(renewed) => {
                    tracing::debug!(namespace = namespace(&socket), socket = %socket.id, "session renewed");
                    let Ok(ack) = AckSender::from_message_parts(&socket, &mut value, &ack_id);
                    ack.send(&renewed).ok();
                }
                Err(error) => refusal::refuse_event(&socket, &mut value, &ack_id, &error),
            }
        });
    }
}

impl<L: UserLookup> Pipeline<L> {
    /// A failed renewal leaves the running session as it is.
    async fn renew<A: Adapter>(&self, socket: &Arc<Socket<A>>, value: &mut Value) -> Result<Renewed, AuthError>
    where
        L: LookupOn<A>,
    {
        self.refusals.check(socket.id)?;
        let renewed = AssertUnwindSafe(self.try_renew(socket, value)).catch_unwind().await;
        let renewed = renewed.unwrap_or_else(|_| Err(AuthError::internal("the user lookup panicked")));
        match &renewed {
            Ok(_) => self.refusals.forget(socket.id),
            Err(error) => {
                self.refusals.count(socket.id, error.kind());
                log_refusal(socket, error, "renewal refused");
            }
        }
        renewed
    }

    async fn try_renew<A: Adapter>(&self, socket: &Arc<Socket<A>>, value: &mut Value) -> Result<Renewed, AuthError>
    where
        L: LookupOn<A>,
    {
        let token = self.find_renewal(socket, value)?.ok_or(Code::TokenMissing)?;
        let previous = session::of_socket(socket).ok_or(Code::InternalError)?;
        previous.details().check_alive()?;
        // As at a connection, but for the auth payload: an event has none.
        let session = self.log_in(&Attempt { socket, payload: &None }, &token).await?;
        check_same_user(&*previous, &*session)?;
        let current = if is_older(&*session, &*previous) {
            previous.details().check_alive()?;
            previous
        } else {
            session::succeed(socket, &*previous, &session)?;
            life::start(socket, &session, &self.life);
            if previous.details().is_guest() {
                session::call_login_handler(socket);
            }
            session
        };
        Ok(Renewed { expires_at: current.details().expires_at().map(unix_seconds) })
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

/// A guest may become anybody; a user stays who it is. The `sub` of the tokens says who that is, or, where they have
/// none, the application's `user_key`.
fn check_same_user(previous: &dyn Session, next: &dyn Session) -> Result<(), Code> {
    let (previous, next) = (previous.details(), next.details());
    let same = match (&previous.token().subject, &next.token().subject) {
        _ if previous.is_guest() => true,
        (Some(_), Some(_)) => subject_of(previous) == subject_of(next),
        _ => previous.room.is_some() && previous.room == next.room,
    };
    if same { Ok(()) } else { Err(Code::SubjectMismatch) }
}

/// A `sub` is unique within its issuer only ([RFC 7519 §4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2)).
fn subject_of(details: &Details) -> (Option<&str>, Option<&str>) {
    (details.token().issuer.as_deref(), details.token().subject.as_deref())
}

/// A token that was issued before the session's own must not replace it: an answer that comes late is no news.
fn is_older(next: &dyn Session, previous: &dyn Session) -> bool {
    match (next.details().token().issued, previous.details().token().issued) {
        (Some(next), Some(previous)) => next < previous,
        _ => false,
    }
}
