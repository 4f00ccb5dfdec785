//! What every event in the log has in common.

use std::borrow::Cow;

use socketioxide::{adapter::Adapter, socket::Socket};

use crate::{error::AuthError, guard};

/// A path that a client made up has any length.
const LONGEST_PATH: usize = 100;

/// The path of the socket's namespace, for a log.
///
/// Clients of protocol 4 append their query string to it, with the token. In a dynamic namespace a client may write
/// anything into the path, also its token.
pub(crate) fn namespace<A: Adapter>(socket: &Socket<A>) -> Cow<'_, str> {
    loggable(path(socket))
}

/// The path of the socket's namespace, without the query string that clients of protocol 4 append.
pub(crate) fn path<A: Adapter>(socket: &Socket<A>) -> &str {
    let path = socket.ns();
    path.split_once('?').map_or(path, |(path, _)| path)
}

fn loggable(path: &str) -> Cow<'_, str> {
    let looks_like_token = |segment: &str| segment.split('.').count() >= 3 && segment.contains("eyJ");
    if path.split(['/', '%', ' ', ',', ';', '=', ':']).any(looks_like_token) {
        return Cow::Borrowed("(a token)");
    }
    match path.char_indices().nth(LONGEST_PATH) {
        Some((end, _)) => Cow::Owned(format!("{}…", &path[..end])),
        None => Cow::Borrowed(path),
    }
}

/// Logs a refusal. The cause of a failure of the server is for its operator; a mistake of the client is not the
/// operator's business.
pub(crate) fn refusal<A: Adapter>(socket: &Socket<A>, error: &AuthError, what: &str) {
    let (namespace, socket, code) = (namespace(socket), socket.id, error.code());
    match std::error::Error::source(error) {
        Some(cause) => {
            let cause = guard::error_chain(cause);
            tracing::error!(namespace = &*namespace, %socket, code, cause, "{what}");
        }
        None => tracing::info!(namespace = &*namespace, %socket, code, "{what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_holds_a_token_is_not_logged() {
        for path in ["/eyJhbGciOiJIUzI1NiJ9.e30.c2ln", "/room/eyJh.eyJz.c2ln", "/a:eyJh.eyJz.c2ln/b", "/x%20eyJh.eyJz."] {
            assert_eq!(loggable(path), "(a token)", "{path}");
        }
    }

    #[test]
    fn other_paths_are_logged_up_to_a_length() {
        for path in ["/", "/admin", "/v1.2.3", "/eyJ"] {
            assert_eq!(loggable(path), path);
        }
        let long = format!("/{}", "é".repeat(500));
        assert_eq!(loggable(&long).chars().count(), LONGEST_PATH + 1);
    }
}
