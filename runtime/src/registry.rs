//! The open sessions of each server of this process, and the logouts that refuse attempts under way.
//!
//! socketioxide finds a socket only after its connect middlewares have run, and an adapter finds it
//! only by its rooms. A logout must end a session as soon as the lookup has found its user, and
//! must refuse an attempt whose lookup began before the logout. So this registry keeps sessions,
//! attempts and logouts in one order.

mod last_server;
mod past_logouts;
mod registration;
mod revocations;
mod timers;

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use slab::Slab;
use socketioxide::{SocketIo, adapter::Adapter, socket::Sid};
use tokio::sync::Semaphore;

use crate::{
    clock::Clock,
    error::ErrorCode,
    session::{Session, SessionState, revocable::Revocable, rooms::Kept, socket::AnySocket},
};

pub(crate) use last_server::LastServer;
use past_logouts::{LogoutNumber, PastLogouts};
pub(crate) use registration::Registration;
use revocations::Stores;
pub(crate) use timers::Timer;
use timers::TimerQueue;

static SERVERS: Mutex<BTreeMap<ServerId, Weak<Server>>> = Mutex::new(BTreeMap::new());

/// Identifies a server of the process, by the address of its configuration and its id. Neither
/// would be enough: an address may be used again, and clones of one configuration have the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ServerId {
    config: usize,
    server: Sid,
}

impl ServerId {
    fn of<A: Adapter>(io: &SocketIo<A>) -> Self {
        Self {
            config: std::ptr::from_ref(io.config()).addr(),
            server: *io.config().server_id,
        }
    }
}

/// What this crate keeps of a server, as long as it has sessions or attempts, or a middleware
/// whose last attempt was there.
pub(crate) struct Server {
    id: ServerId,
    clock: Clock,
    state: Mutex<State>,
    /// Limits how many re-checks run at a time, so that they do not flood a database.
    recheck_permits: Arc<Semaphore>,
}

/// How many re-checks of a server run at a time.
const CONCURRENT_RECHECKS: usize = 16;

/// The place of a session in the registry, which another session may get after its end.
pub(crate) type Slot = usize;

#[derive(Default)]
struct State {
    /// The open sessions, also those of guests, and those about which the store of revocations is
    /// being asked.
    sessions: Slab<Weak<dyn Session>>,
    /// The sessions in each room.
    rooms: BTreeSet<(Arc<str>, Slot)>,
    /// The logouts that refuse attempts under way.
    past_logouts: PastLogouts,
    timers: TimerQueue,
    stores: Stores,
}

/// A logout of the sockets in a room.
pub(crate) struct Logout<'a> {
    pub(crate) room: &'a Arc<str>,
    pub(crate) code: ErrorCode,
    /// Set if only the other sessions of a user are ended.
    pub(crate) others_of: Option<OthersOf<'a>>,
}

/// The session that asks for the end of all others of its user.
pub(crate) struct OthersOf<'a> {
    pub(crate) caller: &'a SessionState,
    pub(crate) kept: Kept,
}

/// The sessions that a logout found.
#[derive(Default)]
pub(crate) struct LoggedOut {
    /// Those that are not dropped yet, including those that had ended before.
    pub(crate) sessions: Vec<Arc<dyn Session>>,
    /// The number of those that this logout ended.
    pub(crate) ended: usize,
}

impl State {
    fn sessions_in(&self, room: &Arc<str>) -> Vec<Arc<dyn Session>> {
        let (first, last) = ((Arc::clone(room), 0), (Arc::clone(room), Slot::MAX));
        self.rooms
            .range(first..=last)
            .filter_map(|(_, slot)| self.sessions.get(*slot)?.upgrade())
            .collect()
    }
}

impl Server {
    fn with_id(id: ServerId) -> Arc<Self> {
        let mut servers = servers();
        if let Some(server) = servers.get(&id).and_then(Weak::upgrade) {
            return server;
        }

        let server = Arc::new(Self::new(id, Clock::system()));
        servers.insert(id, Arc::downgrade(&server));
        server
    }

    /// Returns a server, or `None` if nothing of it is kept.
    pub(crate) fn find<A: Adapter>(io: &SocketIo<A>) -> Option<Arc<Self>> {
        servers().get(&ServerId::of(io)).and_then(Weak::upgrade)
    }

    fn new(id: ServerId, clock: Clock) -> Self {
        Self {
            id,
            clock,
            state: Mutex::default(),
            recheck_permits: Arc::new(Semaphore::new(CONCURRENT_RECHECKS)),
        }
    }

    /// Begins to watch for logouts, for an attempt whose user is not known yet.
    pub(crate) fn watch(self: &Arc<Self>) -> LogoutWatch {
        let mut state = self.state();
        let last_logout = state.past_logouts.begin_attempt();
        LogoutWatch {
            server: Arc::clone(self),
            last_logout,
        }
    }

    /// Ends the sessions in a room, and refuses the attempts that are under way.
    ///
    /// Returns `None`, and ends nothing, if the session that asks for the end of the others has
    /// ended itself: of two that ask at once one remains.
    pub(crate) fn log_out(&self, logout: &Logout<'_>) -> Option<LoggedOut> {
        let mut state = self.state();
        let others_of = logout.others_of.as_ref();
        if others_of.is_some_and(|others| others.caller.check_alive().is_err()) {
            return None;
        }
        let kept = others_of.map(|others| others.kept.clone());
        state.past_logouts.remember(logout.room, kept);

        // The lock is held meanwhile: a renewal that begins after this logout must not find the
        // session alive.
        let mut sessions = state.sessions_in(logout.room);
        // A socket has two sessions of one login while that of a renewal replaces the one before.
        let mut ended = HashSet::new();
        for session in &sessions {
            if !logout.keeps(session.state()) && session.state().end(logout.code) {
                ended.insert(session.state().login_address());
            }
        }
        let ended = ended.len();

        // Dropping a session, or the socket that holds it, takes the lock again.
        drop(state);
        // A handler may hold a session that a renewal has replaced; its socket is that of the new
        // one.
        sessions.retain(|session| session.state().check_alive().is_err());
        Some(LoggedOut { sessions, ended })
    }

    /// Returns the open sessions in a room.
    pub(crate) fn sessions_in(&self, room: &Arc<str>) -> Vec<Weak<dyn Session>> {
        let sessions = self.state().sessions_in(room);
        sessions
            .iter()
            .filter(|session| session.state().is_current())
            .map(Arc::downgrade)
            .collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut servers = servers();
        // The next server of this id may be there already.
        if servers
            .get(&self.id)
            .is_some_and(|server| server.strong_count() == 0)
        {
            servers.remove(&self.id);
        }
    }
}

fn servers() -> MutexGuard<'static, BTreeMap<ServerId, Weak<Server>>> {
    SERVERS.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Logout<'_> {
    fn keeps(&self, session: &SessionState) -> bool {
        self.others_of.as_ref().is_some_and(|others| {
            // The caller's session may have been renewed meanwhile, with another key.
            session.is_same_login(others.caller)
                || session
                    .connection()
                    .is_some_and(|connection| others.kept.keeps(session.rooms(), connection))
        })
    }
}

/// Makes an attempt notice logouts. The attempt holds it from before its lookup to its end.
pub(crate) struct LogoutWatch {
    server: Arc<Server>,
    /// The last logout before the attempt.
    last_logout: LogoutNumber,
}

impl LogoutWatch {
    /// Makes revocations find a session, until it is dropped. Logouts do not find it yet.
    ///
    /// The store must be asked afterwards: what it knows by then is not told.
    pub(crate) fn hear_revocations(
        &self,
        session: &Arc<dyn Session>,
        revocable: &Revocable,
        socket: Weak<dyn AnySocket>,
        connection: Sid,
    ) {
        let keys = revocable.entry_keys(session.state().token());
        let mut state = self.server.lock_with_listener(revocable.store());
        session.state().set_pending(true);
        let slot = self.insert(&mut state, session, socket, connection);
        state.stores.insert(revocable.store_id(), slot, keys);
    }

    fn insert(
        &self,
        state: &mut State,
        session: &Arc<dyn Session>,
        socket: Weak<dyn AnySocket>,
        connection: Sid,
    ) -> Slot {
        let slot = state.sessions.insert(Arc::downgrade(session));
        session.state().hold_registration(Registration {
            server: Arc::clone(&self.server),
            slot,
            socket,
            connection,
        });
        slot
    }

    /// Registers a session, so that [`Server::log_out`] finds it until the session is dropped.
    ///
    /// # Errors
    ///
    /// Returns `session_ended` if the session was logged out since the attempt began, and
    /// `token_revoked` if it was revoked since [`hear_revocations`](Self::hear_revocations).
    pub(crate) fn register(
        &self,
        session: &Arc<dyn Session>,
        socket: Weak<dyn AnySocket>,
        connection: Sid,
    ) -> Result<(), ErrorCode> {
        let rooms = session.state().rooms();
        let mut state = self.server.state();
        let past = &state.past_logouts;
        if past.is_logged_out(rooms, connection, self.last_logout) {
            return Err(ErrorCode::SessionEnded);
        }

        let slot = if let Some(slot) = session.state().slot() {
            session.state().check_alive()?;
            session.state().set_pending(false);
            slot
        } else {
            self.insert(&mut state, session, socket, connection)
        };
        for room in rooms.iter() {
            state.rooms.insert((Arc::clone(room), slot));
        }
        Ok(())
    }
}

impl Drop for LogoutWatch {
    fn drop(&mut self) {
        let mut state = self.server.state();
        state.past_logouts.end_attempt(self.last_logout);
    }
}

#[cfg(test)]
mod tests;
