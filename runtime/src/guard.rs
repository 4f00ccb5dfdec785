//! The guard around calls into the application: a panic there becomes `internal_error`, which
//! refuses the client.

use std::{
    any::Any,
    error::Error,
    iter, mem,
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
    catch(function).ok_or_else(|| panicked(name))
}

/// Calls a function of the application. Returns `None` if it panics.
pub(crate) fn catch<T>(function: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(function))
        .map_err(dispose)
        .ok()
}

/// Drops what a panic carries, which may panic again.
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(payload);
    }
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
        .map(move |result| result.map_err(dispose).map_err(|()| panicked(name)))
}

fn panicked(name: &str) -> AuthError {
    AuthError::internal(format!("{name} panicked"))
}

/// The limit of an error's causes, because one may be its own cause.
pub(crate) const MAX_CAUSES: usize = 32;

/// Returns the messages of an error and of its sources, for the log. The `Display` of an
/// application's error may panic.
pub(crate) fn error_chain(error: &(dyn Error + 'static)) -> String {
    let causes = iter::successors(Some(error), |error| source(*error)).take(MAX_CAUSES);
    let texts: Vec<_> = causes
        .map(|error| {
            let text = catch(|| error.to_string());
            text.unwrap_or_else(|| "an error whose `Display` panicked".to_owned())
        })
        .collect();
    texts.join(": ")
}

/// Returns the source of an application's error, whose code may panic.
pub(crate) fn source<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    catch(|| error.source()).flatten()
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

    #[derive(Debug)]
    struct Endless;

    impl fmt::Display for Endless {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("again")
        }
    }

    impl Error for Endless {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(self)
        }
    }

    #[test]
    fn an_error_that_is_its_own_cause_is_written_and_searched() {
        let again = vec!["again"; MAX_CAUSES].join(": ");
        assert_eq!(error_chain(&Endless), again);
        let error: Box<dyn Error + Send + Sync> = Box::new(Endless);
        assert_eq!(AuthError::from(error).code(), "internal_error");
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
