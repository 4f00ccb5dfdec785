//! What a socket remembers of its client: one `Arc` in the socket's extensions.

use std::{
    any::{Any, TypeId, type_name},
    marker::PhantomData,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use socketioxide::{adapter::Adapter, socket::Socket};

use crate::error::{AuthError, Code};

/// The session of a user that the application's lookup returned.
pub(crate) struct UserSession<T> {
    pub(crate) user: Arc<T>,
    pub(crate) details: Details,
}

/// The session of a client that sent no token. It knows which user type a login would bring.
pub(crate) struct GuestSession<T> {
    details: Details,
    user: PhantomData<fn() -> T>,
}

impl<T> GuestSession<T> {
    pub(crate) fn new(details: Details) -> Self {
        Self { details, user: PhantomData }
    }
}

/// What every session has, whatever the types of the application.
pub(crate) struct Details {
    claims: Option<Arc<dyn Any + Send + Sync>>,
    claims_type: TypeId,
    expires_at: Option<SystemTime>,
    /// Why it is over, once it is. Extractors refuse from then on.
    ended: OnceLock<Code>,
}

impl Details {
    /// Without claims it is the session of a client that sent no token.
    pub(crate) fn new<C: Send + Sync + 'static>(claims: Option<Arc<C>>, expires_at: Option<SystemTime>) -> Self {
        Self {
            claims: claims.map(|claims| claims as _),
            claims_type: TypeId::of::<C>(),
            expires_at,
            ended: OnceLock::new(),
        }
    }

    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.expires_at
    }

    fn check_alive(&self) -> Result<(), Code> {
        self.ended.get().map_or(Ok(()), |code| Err(*code))
    }
}

/// A session of any user type.
pub(crate) trait Session: Any + Send + Sync {
    fn details(&self) -> &Details;
}

impl<T: Send + Sync + 'static> Session for UserSession<T> {
    fn details(&self) -> &Details {
        &self.details
    }
}

impl<T: 'static> Session for GuestSession<T> {
    fn details(&self) -> &Details {
        &self.details
    }
}

/// The one entry in the socket's extensions. They clone on every read, so it is an `Arc` and nothing else.
#[derive(Clone)]
struct CurrentSession(Arc<dyn Session>);

/// # Errors
///
/// A second middleware in one namespace: its session would replace the first one's, and with it the user's type.
pub(crate) fn begin<A: Adapter>(socket: &Socket<A>, session: Arc<dyn Session>) -> Result<(), AuthError> {
    match socket.extensions.insert(CurrentSession(session)) {
        None => Ok(()),
        Some(_) => Err(AuthError::internal(
            "this namespace has two jwt_auth middlewares, and a socket has one session; leave one `.with(…)` out",
        )),
    }
}

/// Whether a session that has ended still counts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Refuse,
    /// A disconnect handler says goodbye to a user whose session has just expired.
    StillCounts,
}

/// The user's session; `None` for a guest.
///
/// # Errors
///
/// The session has ended, or no middleware of this namespace stores users of type `T`.
pub(crate) fn user<A: Adapter, T: Send + Sync + 'static>(
    socket: &Socket<A>,
    ended: Ended,
) -> Result<Option<Arc<UserSession<T>>>, AuthError> {
    let session: Arc<dyn Any + Send + Sync> = current(socket, ended, type_name::<T>())?;
    match session.downcast::<UserSession<T>>() {
        Ok(session) => Ok(Some(session)),
        Err(session) if session.is::<GuestSession<T>>() => Ok(None),
        Err(_) => Err(wrong_type(socket, "user", type_name::<T>())),
    }
}

/// The claims of the session's token; `None` if it has none.
///
/// # Errors
///
/// The session has ended, or no middleware of this namespace reads claims of type `C`.
pub(crate) fn claims<A: Adapter, C: Send + Sync + 'static>(
    socket: &Socket<A>,
    ended: Ended,
) -> Result<Option<Arc<C>>, AuthError> {
    let session = current(socket, ended, type_name::<C>())?;
    let details = session.details();
    if details.claims_type != TypeId::of::<C>() {
        return Err(wrong_type(socket, "claims", type_name::<C>()));
    }
    Ok(details.claims.clone().and_then(|claims| claims.downcast().ok()))
}

fn current<A: Adapter>(socket: &Socket<A>, ended: Ended, wanted: &str) -> Result<Arc<dyn Session>, AuthError> {
    let Some(CurrentSession(session)) = socket.extensions.get() else {
        tracing::error!(
            namespace = namespace(socket),
            socket = %socket.id,
            wanted,
            "no jwt_auth middleware on this namespace; add `.with(your_function::middleware()?)` to its connect handler"
        );
        return Err(Code::InternalError.into());
    };
    if ended == Ended::Refuse {
        session.details().check_alive()?;
    }
    Ok(session)
}

fn wrong_type<A: Adapter>(socket: &Socket<A>, what: &str, wanted: &str) -> AuthError {
    tracing::error!(
        namespace = namespace(socket),
        socket = %socket.id,
        wanted,
        "the jwt_auth middleware of this namespace has another {what} type; name the type of its function, or add \
         the right `.with(your_function::middleware()?)`"
    );
    Code::InternalError.into()
}

/// The path of the socket's namespace, for a log. Protocol 4 clients append their query string to it, with the token.
pub(crate) fn namespace<A: Adapter>(socket: &Socket<A>) -> &str {
    let path = socket.ns();
    path.split_once('?').map_or(path, |(path, _)| path)
}
