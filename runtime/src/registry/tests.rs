use proptest::{collection::vec, prelude::*, sample::Index};
use socketioxide::{adapter::LocalAdapter, socket::Socket};

use super::*;
use crate::{
    clock::Clock,
    session::{Extras, GuestSession, Login, UserSession, rooms::SessionRooms},
};

fn server() -> Arc<Server> {
    server_with(Clock::system())
}

pub(super) fn server_with(clock: Clock) -> Arc<Server> {
    let config = Box::leak(Box::new(0_u8));
    let id = ServerId {
        config: std::ptr::from_ref(config).addr(),
        server: Sid::ZERO,
    };
    Arc::new(Server::new(id, clock))
}

pub(super) fn register_session(server: &Arc<Server>, session: &Arc<dyn Session>) {
    let watch = server.watch();
    watch.register(session, no_socket(), Sid::new()).unwrap();
}

fn rooms(user: &str, login: Option<&str>) -> SessionRooms {
    SessionRooms {
        user: Some(user.into()),
        login: login.map(Into::into),
        ..SessionRooms::default()
    }
}

fn session_in(rooms: SessionRooms) -> Arc<dyn Session> {
    let clock = Clock::system();
    let login = Login::begin(clock.now());
    let state = SessionState::of_token((), None, login, clock).with_extras(Extras {
        rooms,
        ..Extras::default()
    });
    Arc::new(UserSession::new((), state))
}

fn guest() -> Arc<dyn Session> {
    let clock = Clock::system();
    let login = Login::begin(clock.now());
    Arc::new(GuestSession::<()>::new(SessionState::of_guest::<()>(
        login, clock,
    )))
}

fn no_socket() -> Weak<dyn AnySocket> {
    Weak::<Socket<LocalAdapter>>::new()
}

fn open_on(server: &Arc<Server>, rooms: SessionRooms, connection: Sid) -> Arc<dyn Session> {
    let session = session_in(rooms);
    server
        .watch()
        .register(&session, no_socket(), connection)
        .unwrap();
    session
}

fn open(server: &Arc<Server>, user: &str) -> Arc<dyn Session> {
    open_on(server, rooms(user, None), Sid::new())
}

fn log_out(server: &Server, room: &str) -> LoggedOut {
    server
        .log_out(&Logout {
            room: &room.into(),
            code: ErrorCode::SessionEnded,
            others_of: None,
        })
        .unwrap()
}

fn log_out_others(server: &Server, caller: &Arc<dyn Session>) -> usize {
    let caller = caller.state();
    let kept = match &caller.rooms().login {
        Some(room) => Kept::Login(Arc::clone(room)),
        None => Kept::Connection(caller.connection().unwrap()),
    };
    let logged_out = server.log_out(&Logout {
        room: caller.rooms().user.as_ref().unwrap(),
        code: ErrorCode::SessionEnded,
        others_of: Some(OthersOf { caller, kept }),
    });
    logged_out.map_or(0, |logged_out| logged_out.ended)
}

fn is_open(session: &Arc<dyn Session>) -> bool {
    match session.state().check_alive() {
        Ok(()) => true,
        Err(code) => {
            assert_eq!(code, ErrorCode::SessionEnded);
            false
        }
    }
}

fn register(watch: &LogoutWatch, rooms: SessionRooms, connection: Sid) -> Result<(), ErrorCode> {
    watch.register(&session_in(rooms), no_socket(), connection)
}

fn is_empty(server: &Server) -> bool {
    let state = server.state();
    state.sessions.is_empty() && state.rooms.is_empty() && state.past_logouts.is_empty()
}

#[test]
fn a_logout_ends_every_session_of_the_user_and_no_other() {
    let (server, elsewhere) = (server(), server());
    let (first, second) = (open(&server, "ada"), open(&server, "ada"));
    let (grace, other) = (open(&server, "grace"), open(&elsewhere, "ada"));

    let logged_out = log_out(&server, "ada");
    assert_eq!((logged_out.sessions.len(), logged_out.ended), (2, 2));
    assert!(!is_open(&first) && !is_open(&second));
    assert!(is_open(&grace) && is_open(&other));

    let again = log_out(&server, "ada");
    assert_eq!((again.sessions.len(), again.ended), (2, 0));
}

#[test]
fn a_logout_of_a_login_ends_its_sessions_only() {
    let server = server();
    let (phone, tablet) = (rooms("ada", Some("phone")), rooms("ada", Some("tablet")));
    let on_phone = [
        open_on(&server, phone.clone(), Sid::new()),
        open_on(&server, phone, Sid::new()),
    ];
    let on_tablet = open_on(&server, tablet, Sid::new());

    assert_eq!(log_out(&server, "phone").ended, 2);
    assert!(!on_phone.iter().any(is_open));
    assert!(is_open(&on_tablet));
    assert_eq!(log_out(&server, "ada").ended, 1);
}

#[test]
fn a_logout_of_the_others_keeps_the_login_or_else_the_connection() {
    let server = server();
    let phone = rooms("ada", Some("phone"));
    let caller = open_on(&server, phone.clone(), Sid::new());
    let kept = open_on(&server, phone, Sid::new());
    let same_connection = open_on(
        &server,
        rooms("ada", Some("tablet")),
        caller.state().connection().unwrap(),
    );
    let (other, grace) = (open(&server, "ada"), open(&server, "grace"));
    assert_eq!(log_out_others(&server, &caller), 2);
    assert!(is_open(&caller) && is_open(&kept) && is_open(&grace));
    assert!(!is_open(&other) && !is_open(&same_connection));

    let connection = Sid::new();
    let caller = open_on(&server, rooms("bob", None), connection);
    let kept = open_on(&server, rooms("bob", Some("phone")), connection);
    let other = open(&server, "bob");
    assert_eq!(log_out_others(&server, &caller), 1);
    assert!(is_open(&caller) && is_open(&kept) && !is_open(&other));
}

#[test]
fn of_two_that_end_each_other_one_remains() {
    let server = server();
    let (first, second) = (open(&server, "ada"), open(&server, "ada"));
    assert_eq!(log_out_others(&server, &first), 1);
    assert_eq!(log_out_others(&server, &second), 0);
    assert!(is_open(&first) && !is_open(&second));
}

#[test]
fn an_attempt_that_began_before_a_logout_is_refused() {
    let (server, elsewhere) = (server(), server());
    let (before, there) = (server.watch(), elsewhere.watch());
    log_out(&server, "ada");
    let after = server.watch();
    let register = |watch: &LogoutWatch, user| register(watch, rooms(user, None), Sid::new());

    assert_eq!(register(&before, "ada"), Err(ErrorCode::SessionEnded));
    assert_eq!(register(&before, "grace"), Ok(()));
    assert_eq!(register(&there, "ada"), Ok(()));
    assert_eq!(register(&after, "ada"), Ok(()));
}

#[test]
fn an_attempt_is_refused_by_a_logout_of_the_others_unless_it_is_kept() {
    let server = server();
    let caller = open_on(&server, rooms("ada", Some("phone")), Sid::new());
    let watch = server.watch();
    let attempt = |login| register(&watch, rooms("ada", login), Sid::new());

    log_out_others(&server, &caller);
    assert_eq!(attempt(Some("phone")), Ok(()));
    assert_eq!(attempt(Some("tablet")), Err(ErrorCode::SessionEnded));
    assert_eq!(attempt(None), Err(ErrorCode::SessionEnded));

    // Another login that does the same, and a logout of all, count too.
    let tablet = open_on(&server, rooms("ada", Some("tablet")), Sid::new());
    log_out_others(&server, &tablet);
    assert_eq!(attempt(Some("phone")), Err(ErrorCode::SessionEnded));
    assert_eq!(attempt(Some("tablet")), Err(ErrorCode::SessionEnded));

    let connection = Sid::new();
    let caller = open_on(&server, rooms("bob", None), connection);
    log_out_others(&server, &caller);
    let attempt = |connection| register(&watch, rooms("bob", None), connection);
    assert_eq!(attempt(connection), Ok(()));
    assert_eq!(attempt(Sid::new()), Err(ErrorCode::SessionEnded));
    log_out(&server, "bob");
    assert_eq!(attempt(connection), Err(ErrorCode::SessionEnded));
}

#[test]
fn a_logout_is_remembered_as_long_as_an_attempt_may_have_missed_it() {
    let server = server();
    log_out(&server, "nobody");
    assert!(is_empty(&server), "there was no attempt");

    let (first, second) = (server.watch(), server.watch());
    log_out(&server, "ada");
    let third = server.watch();
    drop(second);
    assert_eq!(server.state().past_logouts.rooms(), 1);
    drop(first);
    assert_eq!(
        server.state().past_logouts.rooms(),
        0,
        "the third began after it"
    );
    drop(third);
    assert!(is_empty(&server));
}

#[test]
fn a_logout_stays_known_to_the_other_attempts_after_the_oldest_has_ended() {
    let server = server();
    let (oldest, other) = (server.watch(), server.watch());
    log_out(&server, "ada");
    drop(oldest);
    assert_eq!(
        register(&other, rooms("ada", None), Sid::new()),
        Err(ErrorCode::SessionEnded)
    );
}

#[test]
fn repeated_logouts_are_remembered_once() {
    let server = server();
    let _attempt = server.watch();
    let caller = open(&server, "ada");
    for _ in 0..100 {
        log_out_others(&server, &caller);
    }
    assert_eq!(server.state().past_logouts.number_in("ada"), 1);
    log_out(&server, "ada");
    log_out(&server, "ada");
    assert_eq!(server.state().past_logouts.number_in("ada"), 1);
}

#[test]
fn a_session_is_known_until_it_is_dropped() {
    let server = server();
    let session = open(&server, "ada");
    drop(open_on(&server, rooms("ada", Some("phone")), Sid::new()));
    assert_eq!(log_out(&server, "ada").sessions.len(), 1);

    let guest = guest();
    let watch = server.watch();
    watch.register(&guest, no_socket(), Sid::new()).unwrap();
    drop(watch);
    assert_eq!(server.state().sessions.len(), 2);
    drop((session, guest));
    assert!(is_empty(&server));
}

#[test]
fn a_replaced_session_that_is_still_held_is_not_logged_out_again() {
    let server = server();
    let replaced = open(&server, "ada");
    replaced.state().replace().unwrap();
    let logged_out = log_out(&server, "ada");
    assert_eq!((logged_out.sessions.len(), logged_out.ended), (0, 0));
}

#[derive(Debug, Clone)]
enum Step {
    Begin,
    End(Index),
    LogOut(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        2 => Just(Step::Begin),
        2 => any::<Index>().prop_map(Step::End),
        1 => (0..3_u8).prop_map(Step::LogOut),
    ];
    vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_attempt_is_refused_by_the_logouts_since_it_began_and_by_no_others(steps in steps()) {
        let server = server();
        // Each with the users who were logged out since.
        let mut under_way: Vec<(LogoutWatch, HashSet<u8>)> = Vec::new();

        for step in steps {
            match step {
                Step::Begin => under_way.push((server.watch(), HashSet::new())),
                Step::End(index) if !under_way.is_empty() => {
                    drop(under_way.swap_remove(index.index(under_way.len())));
                }
                Step::End(_) => {}
                Step::LogOut(user) => {
                    log_out(&server, &user.to_string());
                    for (_, logged_out) in &mut under_way {
                        logged_out.insert(user);
                    }
                }
            }

            for (watch, logged_out) in &under_way {
                for user in 0..3 {
                    let is_refused = register(watch, rooms(&user.to_string(), None), Sid::new()).is_err();
                    prop_assert_eq!(is_refused, logged_out.contains(&user));
                }
            }
            let remembered: HashSet<_> = under_way.iter().flat_map(|(_, logged_out)| logged_out).collect();
            prop_assert_eq!(server.state().past_logouts.rooms(), remembered.len());
        }

        drop(under_way);
        prop_assert!(is_empty(&server));
    }
}
