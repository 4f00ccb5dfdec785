use tokio::{
    runtime::{Builder, Handle},
    time::advance,
};

use super::{super::tests as registry, *};
use crate::{
    clock::{Clock, TestClock},
    session::{End, EndCause, Login, SessionState, UserSession},
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

fn server() -> (Arc<Server>, Clock, TestClock) {
    let (clock, time) = Clock::fixed(SystemTime::now());
    (registry::server_with(clock.clone()), clock, time)
}

/// Opens a session that ends after this time.
fn open(server: &Arc<Server>, clock: &Clock, after: Duration) -> Arc<dyn Session> {
    let (now, cause) = (clock.now(), EndCause::TokenExpired);
    let state = SessionState::of_token((), None, Login::begin(now), clock.clone());
    let end = now.checked_add(after).map(|at| End { at, cause });
    let session: Arc<dyn Session> = Arc::new(UserSession::new((), state.ending(end)));
    registry::register_session(server, &session);
    session.state().start_timers();
    session
}

fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

/// Lets the tasks run that are ready.
async fn settle() {
    for _ in 0..20 {
        yield_now().await;
    }
}

fn has_fired(session: &Arc<dyn Session>) -> bool {
    !session.state().is_current()
}

#[tokio::test(start_paused = true)]
async fn a_moved_clock_is_noticed_within_a_second() {
    let (server, clock, time) = server();
    let session = open(&server, &clock, 2 * HOUR);
    settle().await;

    // The machine is suspended: the monotonic clock stands still.
    time.advance(2 * HOUR);
    advance(LONGEST_SLEEP - Duration::from_millis(1)).await;
    settle().await;
    assert!(!has_fired(&session));
    advance(Duration::from_millis(2)).await;
    settle().await;
    assert!(has_fired(&session));
}

#[tokio::test(start_paused = true)]
async fn a_timer_fires_when_the_wall_clock_says_so() {
    let (server, clock, time) = server();
    let session = open(&server, &clock, HOUR);
    settle().await;
    for _ in 0..200 {
        advance(LONGEST_SLEEP).await;
        settle().await;
    }
    assert!(!has_fired(&session), "the clock was set back");
    time.advance(HOUR);
    advance(LONGEST_SLEEP).await;
    settle().await;
    assert!(has_fired(&session));
}

#[tokio::test(start_paused = true)]
async fn an_earlier_timer_does_not_wait_for_a_later_one() {
    let (server, clock, time) = server();
    let later = open(&server, &clock, 20 * SECOND);
    settle().await;
    let soon = LONGEST_SLEEP / 4;
    let earlier = open(&server, &clock, soon);
    settle().await;
    time.advance(soon);
    advance(soon + Duration::from_millis(1)).await;
    settle().await;
    assert!(has_fired(&earlier) && !has_fired(&later));
}

#[tokio::test(start_paused = true)]
async fn many_sessions_share_one_task_and_the_last_one_ends_it() {
    let (server, clock, _time) = server();
    assert_eq!(tasks(), 0);
    let sessions: Vec<_> = (0..1000).map(|_| open(&server, &clock, HOUR)).collect();
    settle().await;
    assert_eq!(tasks(), 1);
    assert_eq!(server.state().timers.len(), 1000);

    drop(sessions);
    assert_eq!(server.state().timers.len(), 0);
    advance(LONGEST_SLEEP).await;
    settle().await;
    assert_eq!(tasks(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_queue_without_timers_has_no_task_and_starts_one_again() {
    let (server, clock, time) = server();
    for _ in 0..3 {
        let session = open(&server, &clock, SECOND);
        settle().await;
        assert_eq!(tasks(), 1);
        time.advance(SECOND);
        advance(SECOND + Duration::from_millis(1)).await;
        settle().await;
        assert!(has_fired(&session));
        assert_eq!(tasks(), 0);
    }
}

/// Otherwise every connection would wake it.
#[tokio::test(start_paused = true)]
async fn a_sleeping_task_is_woken_only_by_a_timer_before_its_next_look() {
    let (server, clock, _time) = server();
    let _first = open(&server, &clock, 2 * HOUR);
    settle().await;
    let planned = server.state().timers.next_look;
    assert_eq!(planned, Some(Instant::now() + LONGEST_SLEEP));

    advance(LONGEST_SLEEP / 2).await;
    let _earlier = open(&server, &clock, HOUR);
    settle().await;
    assert_eq!(server.state().timers.next_look, planned);

    let soon = LONGEST_SLEEP / 4;
    let _soon = open(&server, &clock, soon);
    settle().await;
    let planned = server.state().timers.next_look.unwrap();
    assert!(planned <= Instant::now() + soon);
}

/// The clock jumps while the task sleeps: what it had planned by the wall clock means nothing.
#[tokio::test(start_paused = true)]
async fn a_timer_that_is_due_soon_wakes_the_task_after_a_jump_of_the_clock() {
    let (server, clock, time) = server();
    let _later = open(&server, &clock, 2 * HOUR);
    settle().await;
    time.advance(HOUR);
    let pause = LONGEST_SLEEP / 4;
    let soon = open(&server, &clock, pause);
    settle().await;
    time.advance(pause);
    advance(pause + Duration::from_millis(1)).await;
    settle().await;
    assert!(has_fired(&soon));
}

#[tokio::test(start_paused = true)]
async fn many_timers_that_are_due_at_once_all_fire() {
    let (server, clock, time) = server();
    let sessions: Vec<_> = (0..1000).map(|_| open(&server, &clock, SECOND)).collect();
    settle().await;
    time.advance(SECOND);
    advance(SECOND + Duration::from_millis(1)).await;
    for _ in 0..100 {
        settle().await;
    }
    assert!(sessions.iter().all(has_fired));
}

#[tokio::test(start_paused = true)]
async fn a_session_that_is_replaced_or_dropped_leaves_no_timer() {
    let (server, clock, _time) = server();
    let replaced = open(&server, &clock, HOUR);
    drop(open(&server, &clock, HOUR));
    replaced.state().replace().unwrap();
    assert_eq!(server.state().timers.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_session_that_does_not_end_has_no_timer() {
    let (server, clock, _time) = server();
    let _session = open(&server, &clock, Duration::MAX);
    assert_eq!((server.state().timers.len(), tasks()), (0, 0));
}

#[test]
fn the_timers_go_on_after_the_runtime_of_the_task_has_ended() {
    let runtime = || {
        let mut builder = Builder::new_current_thread();
        builder.enable_time().start_paused(true).build().unwrap()
    };
    let (server, clock, time) = server();
    let first = runtime();
    let before = first.block_on(async {
        let session = open(&server, &clock, SECOND);
        settle().await;
        session
    });
    drop(first);

    runtime().block_on(async {
        let after = open(&server, &clock, HOUR);
        settle().await;
        time.advance(2 * SECOND);
        advance(2 * SECOND).await;
        settle().await;
        assert!(has_fired(&before) && !has_fired(&after));
    });
}
