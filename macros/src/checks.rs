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

/// The messages about a whole attribute, for unit tests.
#[cfg(test)]
mod testing {
    use proc_macro2::TokenStream;

    use crate::{checks, errors::Errors, parse::parse};

    pub(super) fn messages(attribute: TokenStream) -> Vec<String> {
        let mut errors = Errors::default();
        let mut entries = parse(attribute, &mut errors);
        checks::check(&mut entries, &mut errors);
        errors.messages()
    }

    #[track_caller]
    pub(super) fn assert_mistake(attribute: TokenStream, part: &str) {
        let messages = messages(attribute);
        assert!(
            messages.len() == 1 && messages[0].contains(part),
            "{messages:#?}"
        );
    }

    #[track_caller]
    pub(super) fn assert_accepted(attribute: TokenStream) {
        assert_eq!(messages(attribute), [""; 0]);
    }
}
