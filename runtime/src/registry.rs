//! The open sessions of this process by user, and the logouts that refuse attempts under way.
//!
//! socketioxide finds a socket only after its connect middlewares have run, and an adapter finds it
//! only by its rooms. A logout must end a session as soon as the lookup has found its user, and
//! must refuse an attempt whose lookup began before the logout. So this registry keeps sessions,
//! attempts and logouts in one order.

use std::{
    any::Any,
    collections::{BTreeSet, HashMap, hash_map::Entry},
    hash::{Hash, Hasher},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
};

use socketioxide::{
    SocketIo,
    adapter::Adapter,
    handler::FromConnectParts,
    socket::{Sid, Socket},
};

use crate::{error::ErrorCode, session::Session};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::default);

/// Returns the registry, which all servers of the process share.
pub(crate) fn registry() -> &'static Registry {
    &REGISTRY
}

#[derive(Default)]
pub(crate) struct Registry(Mutex<State>);

#[derive(Default)]
struct State {
    sessions: HashMap<UserOnServer, Vec<OpenSession>>,
    /// The number of each user's last logout, kept while an attempt that began before it is under
    /// way.
    logouts: HashMap<UserOnServer, u64>,
    /// The numbers of the attempts under way, oldest first.
    attempts: BTreeSet<u64>,
    /// The last number given to an attempt, a session or a logout. The numbers tell which of them
    /// came first.
    sequence: u64,
}

/// A user's room on one server, because two servers of one process may have users with the same
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UserOnServer {
    server: ServerId,
    room: Arc<str>,
}

/// Hashes the room only, because a process has few servers: to hash the server too would cost more
/// than the rare collisions.
impl Hash for UserOnServer {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.room.hash(hasher);
    }
}

/// Identifies a server of the process, by the address of its configuration and its id. Neither
/// would be enough: an address may be used again, and clones of one configuration have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ServerId {
    config: usize,
    server: Sid,
}

struct OpenSession {
    number: u64,
    session: Weak<dyn Session>,
    /// The socket, a `Socket<A>` with any adapter `A`.
    socket: Weak<dyn Any + Send + Sync>,
}

/// A session that a logout found, and its socket, which may be connecting or disconnecting.
pub(crate) struct LoggedOut {
    pub(crate) session: Arc<dyn Session>,
    socket: Arc<dyn Any + Send + Sync>,
}

impl LoggedOut {
    /// Returns the socket. Returns `None` if its adapter is not `A`, which does not happen on a
    /// server with the adapter `A`.
    pub(crate) fn socket<A: Adapter>(&self) -> Option<Arc<Socket<A>>> {
        Arc::clone(&self.socket).downcast().ok()
    }
}

impl UserOnServer {
    pub(crate) fn new<A: Adapter>(io: &SocketIo<A>, room: Arc<str>) -> Self {
        let server = ServerId {
            config: std::ptr::from_ref(io.config()).addr(),
            server: *io.config().server_id,
        };
        Self { server, room }
    }

    pub(crate) fn of_socket<A: Adapter>(socket: &Arc<Socket<A>>, room: Arc<str>) -> Self {
        let Ok(io) = SocketIo::from_connect_parts(socket, &None);
        Self::new(&io, room)
    }
}

impl State {
    fn next_number(&mut self) -> u64 {
        self.sequence += 1;
        self.sequence
    }

    /// Forgets the logouts that happened before the oldest attempt under way began.
    fn forget_logouts(&mut self) {
        match self.attempts.first() {
            Some(oldest) => self.logouts.retain(|_, logout| *logout > *oldest),
            None => self.logouts.clear(),
        }
    }
}

impl Registry {
    /// Begins to watch for logouts, for an attempt whose user is not known yet.
    pub(crate) fn watch(&'static self) -> LogoutWatch {
        let mut state = self.state();
        let began = state.next_number();
        state.attempts.insert(began);
        LogoutWatch {
            registry: self,
            began,
        }
    }

    /// Ends the sessions of a user with a code, and refuses the attempts that are under way.
    ///
    /// Returns all sessions of the user that are not dropped yet, including those that had ended
    /// before.
    pub(crate) fn log_out(&self, user: &UserOnServer, code: ErrorCode) -> Vec<LoggedOut> {
        let mut state = self.state();
        if !state.attempts.is_empty() {
            let now = state.next_number();
            state.logouts.insert(user.clone(), now);
        }

        let sessions = state.sessions.get(user).map_or(&[] as &[_], Vec::as_slice);
        let upgraded: Vec<_> = sessions
            .iter()
            .map(|open| (open.session.upgrade(), open.socket.upgrade()))
            .collect();
        for session in upgraded.iter().filter_map(|(session, _)| session.as_ref()) {
            // The lock is held meanwhile: a renewal that begins after this logout must not find the
            // session alive.
            session.state().end(code);
        }

        // Dropping a session, or the socket that holds it, takes the lock again.
        drop(state);
        upgraded
            .into_iter()
            .filter_map(|(session, socket)| {
                Some(LoggedOut {
                    session: session?,
                    socket: socket?,
                })
            })
            // A handler may hold a session that a renewal has replaced; its socket is that of the
            // new one.
            .filter(|logged_out| logged_out.session.state().check_alive().is_err())
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes an attempt notice logouts. The attempt holds it from before its lookup to its end.
pub(crate) struct LogoutWatch {
    registry: &'static Registry,
    began: u64,
}

impl LogoutWatch {
    /// Registers the session of a user, so that [`Registry::log_out`] finds it until the session is
    /// dropped.
    ///
    /// # Errors
    ///
    /// Returns `session_ended` if the user was logged out since the attempt began.
    pub(crate) fn register(
        &self,
        user: UserOnServer,
        session: &Arc<dyn Session>,
        socket: Weak<dyn Any + Send + Sync>,
    ) -> Result<(), ErrorCode> {
        let registry = self.registry;
        let mut state = registry.state();
        if state
            .logouts
            .get(&user)
            .is_some_and(|logout| *logout > self.began)
        {
            return Err(ErrorCode::SessionEnded);
        }

        let number = state.next_number();
        let open = OpenSession {
            number,
            session: Arc::downgrade(session),
            socket,
        };
        state.sessions.entry(user.clone()).or_default().push(open);
        drop(state);
        session.state().hold_registration(Registration {
            registry,
            user,
            number,
        });
        Ok(())
    }
}

impl Drop for LogoutWatch {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        let was_oldest = state.attempts.first() == Some(&self.began);
        state.attempts.remove(&self.began);
        if was_oldest {
            state.forget_logouts();
        }
    }
}

/// The entry of a session in the registry. The session holds it; dropping it removes the session
/// from the registry.
pub(crate) struct Registration {
    registry: &'static Registry,
    user: UserOnServer,
    number: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        if let Entry::Occupied(mut sessions) = state.sessions.entry(self.user.clone()) {
            sessions
                .get_mut()
                .retain(|session| session.number != self.number);
            if sessions.get().is_empty() {
                sessions.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        session::{GuestSession, SessionState},
    };

    fn registry() -> &'static Registry {
        Box::leak(Box::default())
    }

    fn user_on(server: usize, room: &str) -> UserOnServer {
        UserOnServer {
            server: ServerId {
                config: server,
                server: Sid::ZERO,
            },
            room: room.into(),
        }
    }

    fn user(room: &str) -> UserOnServer {
        user_on(1, room)
    }

    fn session() -> Arc<dyn Session> {
        Arc::new(GuestSession::<()>::new(SessionState::of_guest::<()>(
            Clock::system(),
        )))
    }

    /// A session and its socket, both open.
    fn open(
        registry: &'static Registry,
        user: UserOnServer,
    ) -> (Arc<dyn Session>, Arc<dyn Any + Send + Sync>) {
        let (session, socket): (_, Arc<dyn Any + Send + Sync>) = (session(), Arc::new(()));
        registry
            .watch()
            .register(user, &session, Arc::downgrade(&socket))
            .unwrap();
        (session, socket)
    }

    fn is_empty(registry: &Registry) -> bool {
        let state = registry.state();
        state.sessions.is_empty() && state.logouts.is_empty() && state.attempts.is_empty()
    }

    #[test]
    fn a_logout_ends_every_session_of_the_user_and_no_other() {
        let registry = registry();
        let (first, second) = (open(registry, user("ada")), open(registry, user("ada")));
        let (grace, elsewhere) = (
            open(registry, user("grace")),
            open(registry, user_on(2, "ada")),
        );

        assert_eq!(
            registry
                .log_out(&user("ada"), ErrorCode::SessionEnded)
                .len(),
            2
        );
        for (session, _) in [&first, &second] {
            assert_eq!(session.state().check_alive(), Err(ErrorCode::SessionEnded));
        }
        for (session, _) in [&grace, &elsewhere] {
            assert_eq!(session.state().check_alive(), Ok(()));
        }
    }

    #[test]
    fn an_attempt_that_began_before_a_logout_is_refused() {
        let registry = registry();
        let (socket, before) = (Arc::new(()), registry.watch());
        registry.log_out(&user("ada"), ErrorCode::SessionEnded);
        let after = registry.watch();
        let register = |watch: &LogoutWatch, user| {
            let socket: Arc<dyn Any + Send + Sync> = socket.clone();
            let session = session();
            watch.register(user, &session, Arc::downgrade(&socket))
        };

        assert_eq!(register(&before, user("ada")), Err(ErrorCode::SessionEnded));
        assert_eq!(register(&before, user("grace")), Ok(()));
        assert_eq!(register(&before, user_on(2, "ada")), Ok(()));
        assert_eq!(register(&after, user("ada")), Ok(()));
    }

    #[test]
    fn a_logout_is_remembered_as_long_as_an_attempt_may_have_missed_it() {
        let registry = registry();
        registry.log_out(&user("nobody"), ErrorCode::SessionEnded);
        assert!(is_empty(registry), "there was no attempt");

        let (first, second) = (registry.watch(), registry.watch());
        registry.log_out(&user("ada"), ErrorCode::SessionEnded);
        let third = registry.watch();
        drop(second);
        assert_eq!(registry.state().logouts.len(), 1);
        drop(first);
        assert!(
            registry.state().logouts.is_empty(),
            "the third began after it"
        );
        drop(third);
        assert!(is_empty(registry));
    }

    #[test]
    fn a_logout_stays_known_to_the_other_attempts_after_the_oldest_has_ended() {
        let registry = registry();
        let (oldest, other) = (registry.watch(), registry.watch());
        registry.log_out(&user("ada"), ErrorCode::SessionEnded);
        drop(oldest);

        let (session, socket): (_, Arc<dyn Any + Send + Sync>) = (session(), Arc::new(()));
        assert_eq!(
            other.register(user("ada"), &session, Arc::downgrade(&socket)),
            Err(ErrorCode::SessionEnded)
        );
    }

    #[test]
    fn a_session_is_known_until_it_is_dropped() {
        let registry = registry();
        let (session, socket) = open(registry, user("ada"));
        drop(open(registry, user("ada")));
        assert_eq!(
            registry
                .log_out(&user("ada"), ErrorCode::SessionEnded)
                .len(),
            1
        );
        drop(socket);
        assert_eq!(
            registry
                .log_out(&user("ada"), ErrorCode::SessionEnded)
                .len(),
            0
        );
        drop(session);
        assert!(is_empty(registry));
    }

    #[test]
    fn a_replaced_session_that_is_still_held_is_not_logged_out_again() {
        let registry = registry();
        let (replaced, _socket) = open(registry, user("ada"));
        replaced.state().replace().unwrap();
        assert_eq!(
            registry
                .log_out(&user("ada"), ErrorCode::SessionEnded)
                .len(),
            0
        );
    }
}
