//! Tests of the order of events, and of their end.

use std::sync::{Arc, OnceLock, mpsc};

use super::*;
use crate::{
    clock::Clock,
    session::{Extras, Login, rooms::SessionRooms},
};

const ENDED: ErrorCode = ErrorCode::SessionEnded;

fn guest() -> SessionState {
    let clock = Clock::system();
    SessionState::of_guest::<()>(Login::begin(clock.now()), clock)
}

fn user() -> SessionState {
    let clock = Clock::system();
    let login = Login::begin(clock.now());
    let rooms = SessionRooms {
        user: Some(rooms::of_user("a b&c=d/é+").into()),
        ..SessionRooms::default()
    };
    SessionState::of_token((), None, login, clock).with_extras(Extras {
        rooms,
        ..Extras::default()
    })
}

fn subject(session: &SessionState) -> Subject<'_> {
    Subject {
        namespace: "/",
        socket: Sid::ZERO,
        session: Some(session),
    }
}

fn reason() -> AuthError {
    AuthError::from(ENDED).with_detail("why")
}

/// Returns the events of a socket, and what is reported of them.
fn socket() -> (Arc<SocketEvents>, mpsc::Receiver<AuthEvent>) {
    let (sender, receiver) = mpsc::channel();
    let hook = move |event: &AuthEvent| sender.send(event.clone()).unwrap();
    (
        Events::new(Some(Box::new(hook))).of_socket().unwrap(),
        receiver,
    )
}

fn kinds(receiver: &mpsc::Receiver<AuthEvent>) -> Vec<AuthEventKind> {
    receiver.try_iter().map(|event| event.kind()).collect()
}

use AuthEventKind::{Accepted, Ended, Renewed};

#[test]
fn a_guest_and_a_login_are_accepted_and_a_renewal_is_renewed_and_the_end_comes_once() {
    let (socket, reported) = socket();
    let (guest, user) = (guest(), user());
    socket.accepted(&subject(&guest));
    socket.accepted(&subject(&user));
    socket.accepted(&subject(&user));
    socket.ended(&subject(&user), ENDED, &reason());
    socket.ended(&subject(&user), ErrorCode::TokenExpired, &reason());
    socket.accepted(&subject(&user));
    assert_eq!(kinds(&reported), [Accepted, Accepted, Renewed, Ended]);
}

#[test]
fn an_end_before_the_acceptance_comes_after_it() {
    let (socket, reported) = socket();
    let user = user();
    socket.ended(&subject(&user), ENDED, &reason());
    socket.ended(&subject(&user), ErrorCode::TokenExpired, &reason());
    assert_eq!(kinds(&reported), []);

    socket.accepted(&subject(&user));
    let events: Vec<_> = reported.try_iter().collect();
    assert_eq!(events.len(), 2);
    assert_eq!(events[0].kind(), Accepted);
    assert_eq!(events[0].code(), None);
    assert_eq!((events[1].kind(), events[1].code()), (Ended, Some(ENDED)));
    assert_eq!(events[1].user_key(), Some("a b&c=d/é+"));
    socket.ended(&subject(&user), ENDED, &reason());
    assert_eq!(kinds(&reported), []);
}

#[test]
fn an_end_before_the_acceptance_of_a_socket_that_is_refused_is_not_reported() {
    let (socket, reported) = socket();
    socket.ended(&subject(&user()), ENDED, &reason());
    drop(socket);
    assert_eq!(kinds(&reported), []);
}

#[test]
fn an_end_has_a_detail_only_if_it_is_of_its_code() {
    for (code, detail) in [(ENDED, Some("why")), (ErrorCode::TokenExpired, None)] {
        let (socket, reported) = socket();
        let user = user();
        socket.accepted(&subject(&user));
        socket.ended(&subject(&user), code, &reason());
        let end = reported.try_iter().last().unwrap();
        assert_eq!((end.code(), end.detail()), (Some(code), detail));
    }
}

/// A hook may cause the next event of the same socket, and must not wait for itself.
#[test]
fn an_event_that_the_hook_causes_comes_after_the_one_that_it_handles() {
    static SOCKET: OnceLock<Arc<SocketEvents>> = OnceLock::new();
    let (sender, reported) = mpsc::channel();
    let hook = move |event: &AuthEvent| {
        if event.kind() == Accepted {
            let socket = SOCKET.get().unwrap();
            socket.ended(&subject(&user()), ENDED, &reason());
        }
        sender.send(event.clone()).unwrap();
    };
    let socket = Events::new(Some(Box::new(hook))).of_socket().unwrap();
    let socket = SOCKET.get_or_init(|| socket);
    socket.accepted(&subject(&user()));
    assert_eq!(kinds(&reported), [Accepted, Ended]);
}

#[test]
fn an_event_of_another_thread_does_not_wait_for_a_hook_that_runs() {
    let (entered, is_entered) = mpsc::channel();
    let (leave, may_leave) = mpsc::channel::<()>();
    let may_leave = Mutex::new(may_leave);
    let (sender, reported) = mpsc::channel();
    let hook = move |event: &AuthEvent| {
        if event.kind() == Accepted {
            entered.send(()).unwrap();
            may_leave.lock().unwrap().recv().unwrap();
        }
        sender.send(event.clone()).unwrap();
    };

    let socket = Events::new(Some(Box::new(hook))).of_socket().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| socket.accepted(&subject(&user())));
        is_entered.recv().unwrap();
        socket.ended(&subject(&user()), ENDED, &reason());
        leave.send(()).unwrap();
    });
    assert_eq!(kinds(&reported), [Accepted, Ended]);
}

#[test]
fn a_panic_of_the_hook_does_not_stop_later_events() {
    let (sender, reported) = mpsc::channel();
    let hook = move |event: &AuthEvent| {
        sender.send(event.clone()).unwrap();
        panic!("on purpose");
    };
    let socket = Events::new(Some(Box::new(hook))).of_socket().unwrap();
    socket.accepted(&subject(&user()));
    socket.ended(&subject(&user()), ENDED, &reason());
    assert_eq!(kinds(&reported), [Accepted, Ended]);
}

#[test]
fn without_a_hook_and_metrics_a_socket_keeps_nothing() {
    let is_kept = Events::new(None).of_socket().is_some();
    assert_eq!(is_kept, cfg!(feature = "metrics"));
}
