//! What a socket remembers of its client: one `Arc` in the socket's extensions.

use std::{
    any::{Any, TypeId, type_name},
    marker::PhantomData,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use socketioxide::{adapter::Adapter, socket::Socket};
use tokio::task::AbortHandle;

use crate::{
    error::{AuthError, Code},
    rooms,
};

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
    token: TokenFacts,
    /// The room of the user's sockets.
    pub(crate) room: Option<String>,
    /// What became of it, once something did. Whoever sets it first decides: a renewal, or the end.
    fate: OnceLock<Fate>,
    timers: Timers,
}

/// They end with the session.
#[derive(Default)]
struct Timers(OnceLock<AbortHandle>);

impl Timers {
    fn stop(&self) {
        if let Some(task) = self.0.get() {
            task.abort();
        }
    }
}

impl Drop for Timers {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What a renewal compares.
#[derive(Debug, Clone, Default)]
pub(crate) struct TokenFacts {
    pub(crate) issuer: Option<String>,
    pub(crate) subject: Option<String>,
    pub(crate) issued: Option<Duration>,
    pub(crate) expires_at: Option<SystemTime>,
}

#[derive(Clone, Copy)]
enum Fate {
    /// Extractors refuse with this code from then on.
    Ended(Code),
    Renewed,
}

impl Details {
    /// The session of a verified token.
    pub(crate) fn of_token<C: Send + Sync + 'static>(claims: C, token: TokenFacts) -> Self {
        Self { claims: Some(Arc::new(claims)), token, ..Self::of_guest::<C>() }
    }

    /// The session of a client that sent no token.
    pub(crate) fn of_guest<C: 'static>() -> Self {
        Self {
            claims: None,
            claims_type: TypeId::of::<C>(),
            token: TokenFacts::default(),
            room: None,
            fate: OnceLock::new(),
            timers: Timers::default(),
        }
    }

    pub(crate) fn is_guest(&self) -> bool {
        self.claims.is_none()
    }

    pub(crate) fn token(&self) -> &TokenFacts {
        &self.token
    }

    pub(crate) fn expires_at(&self) -> Option<SystemTime> {
        self.token.expires_at
    }

    /// Lets a task end with the session.
    pub(crate) fn hold(&self, timer: AbortHandle) {
        // Nobody else sets it: a session has one timer.
        self.timers.0.set(timer).ok();
    }

    /// Ends it, unless it was renewed or has ended before.
    pub(crate) fn end(&self, code: Code) -> bool {
        self.fate.set(Fate::Ended(code)).is_ok()
    }

    /// Makes room for its successor.
    ///
    /// # Errors
    ///
    /// Why it has ended before.
    pub(crate) fn renew(&self) -> Result<(), Code> {
        if self.fate.set(Fate::Renewed).is_ok() {
            self.timers.stop();
        }
        self.check_alive()
    }

    /// # Errors
    ///
    /// Why it has ended.
    pub(crate) fn check_alive(&self) -> Result<(), Code> {
        match self.fate.get() {
            Some(Fate::Ended(code)) => Err(*code),
            Some(Fate::Renewed) | None => Ok(()),
        }
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

/// The first session of a socket.
///
/// # Errors
///
/// A second middleware in one namespace: its session would replace the first one's, and with it the user's type.
pub(crate) fn begin<A: Adapter>(socket: &Socket<A>, session: &Arc<dyn Session>) -> Result<(), AuthError> {
    if socket.extensions.get::<CurrentSession>().is_some() {
        return Err(AuthError::internal(
            "this namespace has two jwt_auth middlewares, and a socket has one session; leave one `.with(…)` out",
        ));
    }
    rooms::enter(socket, session.details().room.as_deref());
    socket.extensions.insert(CurrentSession(Arc::clone(session)));
    Ok(())
}

/// The next session of a socket: a login, or a renewed token.
///
/// # Errors
///
/// The session that it follows has ended meanwhile.
pub(crate) fn succeed<A: Adapter>(
    socket: &Socket<A>,
    previous: &dyn Session,
    session: &Arc<dyn Session>,
) -> Result<(), AuthError> {
    previous.details().renew()?;
    rooms::change(socket, previous.details().room.as_deref(), session.details().room.as_deref());
    socket.extensions.insert(CurrentSession(Arc::clone(session)));
    Ok(())
}

/// What the application does when a guest becomes a user.
struct LoginHandler<A: Adapter>(Arc<dyn Fn(Arc<Socket<A>>) + Send + Sync>);

impl<A: Adapter> Clone for LoginHandler<A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

pub(crate) fn set_login_handler<A: Adapter>(
    socket: &Socket<A>,
    handler: impl Fn(Arc<Socket<A>>) + Send + Sync + 'static,
) {
    socket.extensions.insert(LoginHandler(Arc::new(handler)));
}

/// Not for a client that has left meanwhile: its disconnect handler has been called.
pub(crate) fn call_login_handler<A: Adapter>(socket: &Arc<Socket<A>>) {
    if socket.connected()
        && let Some(LoginHandler(handler)) = socket.extensions.get::<LoginHandler<A>>()
    {
        handler(Arc::clone(socket));
    }
}

/// Ends the session that a socket has by now: extractors refuse from then on.
pub(crate) fn end<A: Adapter>(socket: &Socket<A>, code: Code) {
    if let Some(session) = of_socket(socket) {
        session.details().end(code);
    }
}

/// The session of a socket, whatever its types; `None` if no middleware stored one.
pub(crate) fn of_socket<A: Adapter>(socket: &Socket<A>) -> Option<Arc<dyn Session>> {
    socket.extensions.get::<CurrentSession>().map(|CurrentSession(session)| session)
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
    let Some(session) = of_socket(socket) else {
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
