//! Finds the refusal inside of an application's error.

use std::{cell::RefCell, error::Error, io};

use super::AuthError;
use crate::guard;

thread_local! {
    /// The errors that were displayed while [`shown_by`] runs on this thread.
    static DISPLAYED: RefCell<Option<Vec<Found>>> = const { RefCell::new(None) };
}

/// Returns the first [`AuthError`] among an error and its sources.
///
/// `anyhow::Error` and `#[error(transparent)]` of thiserror show an error as their own: its
/// `source()` is theirs, so it is not among their sources. They are recognized by their `Display`,
/// which is that of the error.
pub(super) fn find(error: &(dyn Error + 'static)) -> Option<Found> {
    let mut next = Some(error);
    for _ in 0..guard::MAX_CAUSES {
        let error = next?;
        let own = match error.downcast_ref::<AuthError>() {
            Some(own) => Some(Found::new(own)),
            None => shown_by(error),
        };
        if own.is_some() {
            return own;
        }

        // The source of an `io::Error` is that of the error inside it, which is left out.
        let inside = error.downcast_ref().and_then(io::Error::get_ref);
        next = inside
            .map(|inside| inside as _)
            .or_else(|| guard::source(error));
    }
    None
}

/// An [`AuthError`] that was found inside of another error.
pub(super) struct Found {
    /// The error without its source.
    pub(super) copy: AuthError,
    pub(super) has_cause: bool,
}

impl Found {
    fn new(error: &AuthError) -> Self {
        Self {
            copy: error.without_source(),
            has_cause: error.source().is_some(),
        }
    }
}

/// Returns the [`AuthError`] whose `Display` is all that an error shows.
fn shown_by(error: &(dyn Error + 'static)) -> Option<Found> {
    DISPLAYED.set(Some(Vec::new()));
    let text = guard::catch(|| error.to_string());
    let displayed = DISPLAYED.take().unwrap_or_default();

    let text = text?;
    displayed
        .into_iter()
        .find(|found| found.copy.to_string() == text)
}

/// Notes that an error is displayed.
pub(super) fn displayed(error: &AuthError) {
    DISPLAYED.with_borrow_mut(|displayed| {
        if let Some(displayed) = displayed {
            displayed.push(Found::new(error));
        }
    });
}
