//! The guard around calls into the application: a panic there becomes `internal_error`, which
//! refuses the client.

use std::{
    error::Error,
    panic::{AssertUnwindSafe, catch_unwind},
};

use futures_util::FutureExt;

use crate::error::AuthError;

/// Calls a function of the application. The log names it by `name`.
///
/// # Errors
///
/// Returns `internal_error` if it panics. The error leaves the panic's message out, because that
/// may hold a secret.
pub(crate) fn call<T>(name: &str, function: impl FnOnce() -> T) -> Result<T, AuthError> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|_| panicked(name))
}

/// Awaits a future of the application.
///
/// # Errors
///
/// Returns `internal_error` if it panics.
///
/// Not an `async fn`: that would hold the future twice, as an argument and while it runs.
pub(crate) fn future<T>(
    name: &str,
    future: impl Future<Output = T>,
) -> impl Future<Output = Result<T, AuthError>> {
    AssertUnwindSafe(future)
        .catch_unwind()
        .map(move |result| result.map_err(|_| panicked(name)))
}

fn panicked(name: &str) -> AuthError {
    AuthError::internal(format!("{name} panicked"))
}

/// Returns the messages of an error and of its sources, for the log. The `Display` of an
/// application's error may panic.
pub(crate) fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut texts = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
        texts.push(text.unwrap_or_else(|_| "an error whose `Display` panicked".to_owned()));
        next = source(error);
    }
    texts.join(": ")
}

/// Returns the source of an application's error, whose code may panic.
pub(crate) fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    catch_unwind(AssertUnwindSafe(|| error.source())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use futures_util::FutureExt;

    use super::*;

    #[derive(Debug)]
    struct Broken;

    impl fmt::Display for Broken {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("on purpose");
        }
    }

    impl Error for Broken {}

    #[test]
    fn a_panic_becomes_internal_error_and_names_the_function() {
        let error = call("`user_key`", || -> () { panic!("with a secret") }).unwrap_err();
        assert_eq!(error.code(), "internal_error");
        assert_eq!(error_chain(error.source().unwrap()), "`user_key` panicked");
        assert_eq!(call("it", || 1).unwrap(), 1);
    }

    #[test]
    fn a_panic_of_a_future_becomes_internal_error() {
        let error = future("the lookup", async { panic!("with a secret") })
            .now_or_never()
            .unwrap();
        let error: Result<(), _> = error;
        assert_eq!(error.unwrap_err().code(), "internal_error");
        assert_eq!(
            future("it", async { 1 }).now_or_never().unwrap().unwrap(),
            1
        );
    }

    #[test]
    fn an_error_chain_is_written_even_if_a_part_panics() {
        assert_eq!(error_chain(&Broken), "an error whose `Display` panicked");
        let error = AuthError::internal(io::Error::other("the disk is full"));
        assert_eq!(error_chain(&error), "internal_error: the disk is full");
        let error = AuthError::internal(Broken);
        assert_eq!(
            error_chain(&error),
            "internal_error: an error whose `Display` panicked"
        );
    }
}
