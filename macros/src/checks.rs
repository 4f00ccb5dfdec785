//! What can be wrong with the options. Every mistake is reported, not only the first.

#[cfg(test)]
mod agreement;
mod combinations;
pub(crate) mod strings;
pub(crate) mod token_sources;
pub(crate) mod values;

use crate::{errors::Errors, parse::Entry};

/// Checks every value by itself, and then the options together.
pub(crate) fn check(entries: &mut [Entry], errors: &mut Errors) {
    for entry in entries.iter_mut() {
        values::check(entry, errors);
    }
    combinations::check(entries, errors);
}
