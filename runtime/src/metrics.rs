//! The events as metrics, for whatever recorder of the `metrics` facade the application has
//! installed. Does nothing without the feature `metrics`.

use crate::events::AuthEvent;

#[cfg(feature = "metrics")]
mod facade;

/// Whether events are counted.
pub(crate) const ENABLED: bool = cfg!(feature = "metrics");

/// Gives the recorder the units and descriptions.
pub(crate) fn describe() {
    #[cfg(feature = "metrics")]
    facade::describe();
}

/// Counts an event.
pub(crate) fn count(event: &AuthEvent) {
    #[cfg(feature = "metrics")]
    facade::count(event);
    #[cfg(not(feature = "metrics"))]
    let _ = event;
}

/// Changes the number of sockets that have a session.
pub(crate) fn change_open_sessions(by: f64) {
    #[cfg(feature = "metrics")]
    facade::change_open_sessions(by);
    #[cfg(not(feature = "metrics"))]
    let _ = by;
}

/// What takes time.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    Authentication,
    Lookup,
}

/// Awaits a future and records how long it took. A future that is dropped is not recorded.
#[cfg(feature = "metrics")]
pub(crate) fn timed<F: Future>(step: Step, future: F) -> impl Future<Output = F::Output> {
    use futures_util::FutureExt;

    let began = std::time::Instant::now();
    future.inspect(move |_| facade::record_time(step, began.elapsed()))
}

/// Returns the future.
#[cfg(not(feature = "metrics"))]
pub(crate) fn timed<F: Future>(step: Step, future: F) -> F {
    let _ = step;
    future
}
