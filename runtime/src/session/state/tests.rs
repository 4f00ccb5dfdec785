use std::time::Duration;

use super::*;

fn state_ending_at(at: SystemTime, clock: Clock) -> SessionState {
    let cause = EndCause::TokenExpired;
    let login = Login::begin(clock.now());
    SessionState::of_token((), None, login, clock).ending(Some(End { at, cause }))
}

fn guest(clock: Clock) -> SessionState {
    SessionState::of_guest::<()>(Login::begin(clock.now()), clock)
}

#[test]
fn a_session_ends_when_the_wall_clock_reaches_its_end() {
    let start = SystemTime::UNIX_EPOCH + Duration::from_hours(500_000);
    let (clock, time) = Clock::fixed(start);
    let state = state_ending_at(start + Duration::from_secs(60), clock);
    time.advance(Duration::from_secs(60) - Duration::from_nanos(1));
    assert_eq!(state.check_alive(), Ok(()));
    time.advance(Duration::from_nanos(1));
    assert_eq!(state.check_alive(), Err(ErrorCode::TokenExpired));
    assert_eq!(
        state.replace(),
        Err(ErrorCode::TokenExpired),
        "a renewal comes too late"
    );

    // A clock that was wrong is set right again.
    time.set(start);
    assert_eq!(state.check_alive(), Ok(()));
}

#[test]
fn what_comes_first_decides_over_a_session() {
    let (clock, _time) = Clock::fixed(SystemTime::UNIX_EPOCH);
    let ended = guest(clock.clone());
    assert!(ended.end(ErrorCode::SessionEnded));
    assert!(!ended.end(ErrorCode::TokenExpired));
    assert_eq!(ended.replace(), Err(ErrorCode::SessionEnded));

    let replaced = guest(clock);
    assert_eq!(replaced.replace(), Ok(()));
    assert!(!replaced.end(ErrorCode::SessionEnded));
    assert_eq!(replaced.check_alive(), Ok(()));
}

#[test]
fn a_renewal_continues_the_login_and_another_session_does_not() {
    let (clock, _time) = Clock::fixed(SystemTime::UNIX_EPOCH);
    let (session, other) = (guest(clock.clone()), guest(clock.clone()));
    let next = SessionState::of_token((), None, session.next_login(), clock.clone());
    let last = SessionState::of_token((), None, next.next_login(), clock);

    for (one, another) in [(&session, &next), (&next, &last), (&last, &session)] {
        assert!(one.is_same_login(another) && another.is_same_login(one));
    }
    assert!(session.is_same_login(&session) && other.is_same_login(&other));
    assert!(!other.is_same_login(&session) && !last.is_same_login(&other));
}
