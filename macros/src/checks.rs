//! Checks of the options. They report every mistake, not only the first.

#[cfg(test)]
mod agreement;
pub(crate) mod claim_values;
mod combinations;
pub(crate) mod strings;
pub(crate) mod token_sources;
pub(crate) mod values;

use crate::{errors::Errors, parse::Entry};

/// Checks each value, and then how the options go together.
pub(crate) fn check(entries: &mut [Entry], errors: &mut Errors) {
    for entry in entries.iter_mut() {
        values::check(entry, errors);
    }
    combinations::check(entries, errors);
}
