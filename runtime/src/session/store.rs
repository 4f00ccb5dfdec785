//! Stores the session of a socket, as one `Arc` in the socket's extensions.

use std::{
    any::{Any, type_name},
    sync::Arc,
};

use socketioxide::{adapter::Adapter, socket::Socket};

use super::{Extraction, GuestSession, Session, UserSession, WrongType, rooms};
use crate::{
    error::{AuthError, ErrorCode},
    log::namespace,
    revocations,
};

/// What is wrong if an extractor finds no session.
const NO_SESSION: &str = "no session: this namespace has no jwt_auth middleware, or it runs later: \
                          socketioxide runs the last `.with` first";

/// The entry in the socket's extensions. It is only an `Arc`, because extensions clone their
/// entries on every read.
#[derive(Clone)]
struct CurrentSession(Arc<dyn Session>);

/// Stores the first session of a socket. Calls `register` when the socket is in the rooms of the
/// session.
///
/// # Errors
///
/// Returns the error of `register`, or `internal_error` if the namespace has two middlewares: the
/// session of the second one would replace that of the first, and with it the user's type.
pub(crate) fn begin<A: Adapter>(
    socket: &Socket<A>,
    session: &Arc<dyn Session>,
    register: impl FnOnce() -> Result<(), ErrorCode>,
) -> Result<(), AuthError> {
    if socket.extensions.get::<CurrentSession>().is_some() {
        return Err(AuthError::internal(
            "this namespace has two jwt_auth middlewares, and a socket has one session; leave one `.with(…)` out",
        ));
    }

    // A socket that is refused leaves its rooms.
    rooms::enter(socket, session.state().rooms());
    register().map_err(|code| match code {
        ErrorCode::TokenRevoked => revocations::revoked(),
        _ => AuthError::from(code)
            .with_detail("the user was logged out while the connection was under way"),
    })?;
    socket
        .extensions
        .insert(CurrentSession(Arc::clone(session)));
    Ok(())
}

/// Replaces the session of a socket, after a login or a renewal. Calls `register` when the socket
/// is in the rooms of both sessions.
///
/// # Errors
///
/// Returns the error of `register`, or why the previous session has ended, or `session_ended` if
/// the socket has left.
pub(crate) fn replace<A: Adapter>(
    socket: &Socket<A>,
    previous: &dyn Session,
    session: &Arc<dyn Session>,
    register: impl FnOnce() -> Result<(), ErrorCode>,
) -> Result<(), ErrorCode> {
    let (before, after) = (previous.state(), session.state());
    if let Err(rooms::SocketLeft) = rooms::join(socket, after.rooms()) {
        return Err(before
            .check_alive()
            .err()
            .unwrap_or(ErrorCode::SessionEnded));
    }

    if let Err(code) = register().and_then(|()| before.replace()) {
        rooms::leave(socket, &after.rooms().without(before.rooms()));
        return Err(code);
    }
    rooms::leave(socket, &before.rooms().without(after.rooms()));
    socket
        .extensions
        .insert(CurrentSession(Arc::clone(session)));
    Ok(())
}

/// Returns the session of a socket, of any type. Returns `None` if no middleware stored one.
pub(crate) fn of_socket<A: Adapter>(socket: &Socket<A>) -> Option<Arc<dyn Session>> {
    socket
        .extensions
        .get::<CurrentSession>()
        .map(|CurrentSession(session)| session)
}

/// Returns the user's session, or `None` for a guest.
///
/// # Errors
///
/// Returns an error if the session has ended, or if no middleware of this namespace stores users of
/// type `T`.
pub(crate) fn user<A: Adapter, T: Send + Sync + 'static>(
    socket: &Socket<A>,
    extraction: Extraction,
) -> Result<Option<Arc<UserSession<T>>>, AuthError> {
    let session: Arc<dyn Any + Send + Sync> = current(socket, extraction, type_name::<T>())?;
    match session.downcast::<UserSession<T>>() {
        Ok(session) => Ok(Some(session)),
        Err(session) if session.is::<GuestSession<T>>() => Ok(None),
        Err(_) => Err(wrong_type(socket, "user", type_name::<T>())),
    }
}

/// Returns the claims of the session's token, or `None` for a guest.
///
/// # Errors
///
/// Returns an error if the session has ended, or if no middleware of this namespace stores claims
/// of type `C`.
pub(crate) fn claims<A: Adapter, C: Send + Sync + 'static>(
    socket: &Socket<A>,
    extraction: Extraction,
) -> Result<Option<Arc<C>>, AuthError> {
    let session = current(socket, extraction, type_name::<C>())?;
    session
        .state()
        .claims()
        .map_err(|WrongType| wrong_type(socket, "claims", type_name::<C>()))
}

fn current<A: Adapter>(
    socket: &Socket<A>,
    extraction: Extraction,
    wanted: &str,
) -> Result<Arc<dyn Session>, AuthError> {
    let Some(session) = of_socket(socket) else {
        tracing::error!(
            namespace = &*namespace(socket),
            socket = %socket.id,
            wanted,
            "{NO_SESSION}; add `.with(your_function::middleware()?)` to its connect handler, as the last one"
        );
        return Err(AuthError::from(ErrorCode::InternalError).with_detail(NO_SESSION));
    };

    let state = session.state();
    if extraction == Extraction::Disconnect {
        state.note_left();
        return Ok(session);
    }

    state.check_alive().map_err(has_ended)?;
    if extraction == Extraction::Event || socket.connected() {
        state.note_connected();
    }
    Ok(session)
}

fn has_ended(code: ErrorCode) -> AuthError {
    AuthError::from(code).with_detail("the session has ended")
}

fn wrong_type<A: Adapter>(socket: &Socket<A>, what: &str, wanted: &str) -> AuthError {
    let detail = format!(
        "the jwt_auth middleware of this namespace has another {what} type than `{wanted}`"
    );
    tracing::error!(
        namespace = &*namespace(socket),
        socket = %socket.id,
        "{detail}; name the type of its function, or add the right `.with(your_function::middleware()?)`"
    );
    AuthError::from(ErrorCode::InternalError).with_detail(detail)
}
