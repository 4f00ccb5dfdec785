//! The events that a middleware reports to the application's `on_event` hook.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use socketioxide::socket::Sid;

use crate::{
    error::{AuthError, ErrorCode},
    guard, metrics,
    session::{SessionState, rooms},
};

/// What has happened to a client, for the hook of
/// [`on_event`](crate::JwtAuthBuilder::on_event): for audit logs.
///
/// It holds neither the token nor claims. Its `Debug` leaves the user's key out.
///
/// ```
/// use std::sync::mpsc;
/// use socketioxide_jwt_auth::{AuthEvent, JwtAuthBuilder, UserLookup};
///
/// fn audited<L: UserLookup>(
///     builder: JwtAuthBuilder<L>,
///     log: mpsc::Sender<AuthEvent>,
/// ) -> JwtAuthBuilder<L> {
///     builder.on_event(move |event| {
///         log.send(event.clone()).ok();
///     })
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct AuthEvent {
    kind: AuthEventKind,
    namespace: String,
    socket_id: Sid,
    user_key: Option<String>,
    code: Option<ErrorCode>,
    detail: Option<String>,
    is_guest: bool,
}

/// The kind of an [`AuthEvent`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuthEventKind {
    /// A client has connected, as a guest or as a user, or a guest has logged in on the open
    /// socket.
    Accepted,
    /// A connection, a login or a renewal is refused, also past the limits of a connection. A
    /// refused login or renewal leaves the session as it is.
    Refused,
    /// The session has a new token.
    Renewed,
    /// The session was ended: by the expiry of its token, a limit, a logout, a revocation, a
    /// re-check, or because an extractor of the connect handler refused the client. It comes once
    /// for a socket that was accepted.
    Ended,
}

impl AuthEvent {
    /// Returns what has happened.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{AuthEvent, AuthEventKind};
    /// fn is_refusal(event: &AuthEvent) -> bool {
    ///     event.kind() == AuthEventKind::Refused
    /// }
    /// ```
    pub fn kind(&self) -> AuthEventKind {
        self.kind
    }

    /// Returns the namespace of the socket: 100 characters at most, and `(a token)` if it holds a
    /// token, because the client chooses it where namespaces are dynamic.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::AuthEvent;
    /// fn is_of_staff(event: &AuthEvent) -> bool {
    ///     event.namespace() == "/staff"
    /// }
    /// ```
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Returns the id of the socket, which all sockets of a connection have: they differ in their
    /// namespace.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::AuthEvent;
    /// fn line(event: &AuthEvent) -> String {
    ///     format!("{:?} {}", event.kind(), event.socket_id())
    /// }
    /// ```
    pub fn socket_id(&self) -> Sid {
        self.socket_id
    }

    /// Returns the key that `user_key` gave to the user. Returns `None` for guests, for refused
    /// connections, and without a `user_key`. A refused renewal has the key of the session's user.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::AuthEvent;
    /// fn user(event: &AuthEvent) -> &str {
    ///     event.user_key().unwrap_or("(unknown)")
    /// }
    /// ```
    pub fn user_key(&self) -> Option<&str> {
        self.user_key.as_deref()
    }

    /// Returns the reason of a refusal or of an end, as the client is told.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{AuthEvent, ErrorCode};
    /// fn is_forgery(event: &AuthEvent) -> bool {
    ///     event.code() == Some(ErrorCode::TokenSignatureInvalid)
    /// }
    /// ```
    pub fn code(&self) -> Option<ErrorCode> {
        self.code
    }

    /// Returns more about the reason, for the operator only: see [`AuthError::detail`].
    ///
    /// ```
    /// # use socketioxide_jwt_auth::AuthEvent;
    /// fn reason(event: &AuthEvent) -> &str {
    ///     event.detail().unwrap_or_default()
    /// }
    /// ```
    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    /// Whether the socket is that of a guest. It is `false` for a refused connection.
    ///
    /// ```
    /// # use socketioxide_jwt_auth::{AuthEvent, AuthEventKind};
    /// fn is_login(event: &AuthEvent) -> bool {
    ///     event.kind() == AuthEventKind::Accepted && !event.is_guest()
    /// }
    /// ```
    pub fn is_guest(&self) -> bool {
        self.is_guest
    }
}

impl fmt::Debug for AuthEvent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("AuthEvent")
            .field("kind", &self.kind)
            .field("namespace", &self.namespace)
            .field("socket_id", &self.socket_id)
            .field("code", &self.code)
            .field("detail", &self.detail)
            .field("is_guest", &self.is_guest)
            .finish_non_exhaustive()
    }
}

/// The socket that an event is about.
pub(crate) struct Subject<'a> {
    pub(crate) namespace: &'a str,
    pub(crate) socket: Sid,
    /// `None` if the socket has no session.
    pub(crate) session: Option<&'a SessionState>,
}

impl Subject<'_> {
    fn event(&self, kind: AuthEventKind, reason: Option<Reason<'_>>) -> AuthEvent {
        let user = self.session.and_then(|state| state.rooms().user.as_deref());
        let detail = reason.as_ref().and_then(|reason| reason.detail);
        AuthEvent {
            kind,
            namespace: self.namespace.to_owned(),
            socket_id: self.socket,
            user_key: user.map(rooms::user_key),
            code: reason.as_ref().map(|reason| reason.code),
            detail: detail.map(str::to_owned),
            is_guest: self.session.is_some_and(SessionState::is_guest),
        }
    }
}

struct Reason<'a> {
    code: ErrorCode,
    detail: Option<&'a str>,
}

/// The application's hook.
pub(crate) type Hook = Box<dyn Fn(&AuthEvent) + Send + Sync>;

/// Where a middleware reports its events.
#[derive(Clone, Default)]
pub(crate) struct Events(Option<Arc<Listener>>);

/// What hears of each event: the metrics, and the hook if there is one.
struct Listener {
    hook: Option<Hook>,
}

impl Listener {
    fn tell(&self, event: &AuthEvent) {
        metrics::count(event);
        let Some(hook) = &self.hook else { return };
        if guard::call("`on_event`", || hook(event)).is_err() {
            tracing::error!(
                namespace = event.namespace(),
                socket = %event.socket_id(),
                kind = ?event.kind(),
                "the `on_event` hook panicked"
            );
        }
    }
}

impl Events {
    pub(crate) fn new(hook: Option<Hook>) -> Self {
        metrics::describe();
        let is_needed = hook.is_some() || metrics::ENABLED;
        Self(is_needed.then(|| Arc::new(Listener { hook })))
    }

    /// Reports that a connection, a login or a renewal is refused.
    pub(crate) fn refused(&self, subject: &Subject<'_>, error: &AuthError) {
        if let Some(listener) = &self.0 {
            let reason = Reason {
                code: error.code(),
                detail: error.detail(),
            };
            listener.tell(&subject.event(AuthEventKind::Refused, Some(reason)));
        }
    }

    /// Returns the events of a socket that is connecting. Returns `None` if there is nothing to
    /// report them to.
    pub(crate) fn of_socket(&self) -> Option<Arc<SocketEvents>> {
        let listener = Arc::clone(self.0.as_ref()?);
        Some(Arc::new(SocketEvents {
            listener,
            state: Mutex::default(),
        }))
    }
}

/// The events of one socket's sessions, which renewals hand on. They are reported in their order,
/// and the end once.
pub(crate) struct SocketEvents {
    listener: Arc<Listener>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    stage: Stage,
    /// An end that came before the session was reported as accepted.
    early_end: Option<Box<AuthEvent>>,
    /// The events that are to be reported. The hook is called without the lock, because it may
    /// take long, or cause the next event.
    queue: VecDeque<AuthEvent>,
    is_delivering: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Connecting,
    Guest,
    User,
    Ended,
}

impl SocketEvents {
    /// Reports that the socket has a session: its first one, that of a guest that has logged in, or
    /// a renewed one. Does nothing after the end.
    pub(crate) fn accepted(&self, subject: &Subject<'_>) {
        let is_guest = subject.session.is_some_and(SessionState::is_guest);
        let mut state = self.state();
        let kind = match state.stage {
            Stage::Ended => return,
            Stage::Connecting => AuthEventKind::Accepted,
            Stage::Guest if !is_guest => AuthEventKind::Accepted,
            Stage::Guest | Stage::User => AuthEventKind::Renewed,
        };

        if state.stage == Stage::Connecting {
            metrics::change_open_sessions(1.0);
        }
        state.stage = if is_guest { Stage::Guest } else { Stage::User };
        state.queue.push_back(subject.event(kind, None));
        if let Some(end) = state.early_end.take() {
            state.end(*end);
        }
        drop(state);
        self.deliver();
    }

    /// Reports the end of the session. Does nothing if it was reported before, and waits for
    /// [`accepted`](Self::accepted) if the socket is still connecting: it may be refused instead.
    pub(crate) fn ended(&self, subject: &Subject<'_>, code: ErrorCode, reason: &AuthError) {
        let detail = reason.detail().filter(|_| reason.code() == code);
        let reason = Reason { code, detail };
        let mut state = self.state();
        if state.stage == Stage::Ended {
            return;
        }

        let end = subject.event(AuthEventKind::Ended, Some(reason));
        if state.stage == Stage::Connecting {
            state.early_end.get_or_insert(Box::new(end));
            return;
        }
        state.end(end);
        drop(state);
        self.deliver();
    }

    /// Reports what is in the queue, unless another caller is at it.
    fn deliver(&self) {
        let mut state = self.state();
        if state.is_delivering {
            return;
        }
        state.is_delivering = true;

        while let Some(event) = state.queue.pop_front() {
            drop(state);
            self.listener.tell(&event);
            state = self.state();
        }
        state.is_delivering = false;
        // A session may last for days, and its queue is hardly ever needed.
        state.queue = VecDeque::new();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn end(&mut self, end: AuthEvent) {
        self.stage = Stage::Ended;
        self.queue.push_back(end);
        metrics::change_open_sessions(-1.0);
    }
}

/// A socket whose session was not ended has left.
impl Drop for SocketEvents {
    fn drop(&mut self) {
        let stage = self.state().stage;
        if matches!(stage, Stage::Guest | Stage::User) {
            metrics::change_open_sessions(-1.0);
        }
    }
}

impl fmt::Debug for SocketEvents {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SocketEvents")
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
