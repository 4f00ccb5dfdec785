//! What the log entries of this crate share: the namespace, shortened strings, and refusals.

use std::borrow::Cow;

use socketioxide::{adapter::Adapter, socket::Socket};

use crate::{
    error::{AuthError, ErrorCode},
    events::{Events, Subject},
    guard,
    rate_limit::limiter,
    session::{Session, SessionState, socket::AnySocket, store},
    token::{self, Elsewhere, TokenSource},
};

/// The limit of a client's string in the log, in characters.
const LONGEST_TEXT: usize = 100;

/// Returns the path of the socket's namespace for the log, without a token.
///
/// Clients of protocol 4 append their query string to the path, and a query string may hold a
/// token. In a dynamic namespace the client chooses the path, so it may hold a token too.
pub(crate) fn namespace<A: Adapter>(socket: &Socket<A>) -> Cow<'_, str> {
    loggable(path(socket))
}

/// Returns the path of the socket's namespace, without the query string that clients of protocol 4
/// append.
pub(crate) fn path<A: Adapter>(socket: &Socket<A>) -> &str {
    let path = socket.ns();
    path.split_once('?').map_or(path, |(path, _)| path)
}

/// Returns a string that the client sent, such as the name of an event, for the log: shortened if
/// it is long, and replaced if it holds a token.
pub(crate) fn loggable(text: &str) -> Cow<'_, str> {
    if token::contains_jwt(text) {
        return Cow::Borrowed("(a token)");
    }
    match text.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// Returns a string that the client sent, in quotes, for the operator: like [`loggable`], with
/// escapes for control characters, which count.
pub(crate) fn excerpt(text: &str) -> String {
    if token::contains_jwt(text) {
        return "(a token)".to_owned();
    }

    let mut shown = String::from("\"");
    let mut length = 0;
    for character in text.chars() {
        let before = shown.len();
        match character {
            '\'' => shown.push(character),
            _ => shown.extend(character.escape_debug()),
        }

        length += shown[before..].chars().count();
        if length > LONGEST_TEXT {
            shown.truncate(before);
            shown.push('…');
            break;
        }
    }
    shown.push('"');
    shown
}

/// Returns strings for the operator: the first few of them, each as an [`excerpt`].
pub(crate) fn excerpts(strings: &[impl AsRef<str>]) -> String {
    const SHOWN: usize = 5;
    let mut shown: Vec<_> = strings
        .iter()
        .take(SHOWN)
        .map(|string| excerpt(string.as_ref()))
        .collect();
    if strings.len() > SHOWN {
        shown.push(format!("and {} more", strings.len() - SHOWN));
    }
    shown.join(", ")
}

/// Logs a refusal: at ERROR and with its cause if the server failed, at INFO if the client made the
/// mistake, and at DEBUG past the limit of attempts, of which a client can cause thousands in a
/// second.
///
/// The detail is in the same entry if the configuration may be what is wrong, and at DEBUG in an
/// entry of its own otherwise.
pub(crate) fn refusal<A: Adapter>(socket: &Socket<A>, error: &AuthError, what: &str) {
    let (namespace, socket, code) = (&*namespace(socket), socket.id, error.code().as_str());
    let detail = error.detail();

    if let Some(cause) = std::error::Error::source(error) {
        let cause = guard::error_chain(cause);
        tracing::error!(namespace, %socket, code, detail, cause, "{what}");
    } else if error.code() == ErrorCode::TooManyAttempts {
        tracing::debug!(namespace, %socket, code, detail, "{what}");
    } else if error.code().may_be_configuration() {
        tracing::info!(namespace, %socket, code, detail, "{what}");
    } else {
        tracing::info!(namespace, %socket, code, "{what}");
        if let Some(detail) = detail {
            tracing::debug!(namespace, %socket, code, detail, "why: {what}");
        }
    }
}

/// Logs and reports that a connection, a login or a renewal is refused.
pub(crate) fn refused<A: Adapter>(
    socket: &Socket<A>,
    events: &Events,
    error: &AuthError,
    what: &str,
) {
    refusal(socket, error, what);

    let session = store::of_socket(socket);
    let subject = Subject {
        namespace: &namespace(socket),
        socket: socket.id,
        session: session.as_deref().map(Session::state),
    };
    events.refused(&subject, error);
}

/// Logs and reports that a client was let in, and whether as a guest or as a user.
pub(crate) fn admitted<A: Adapter>(socket: &Socket<A>, session: &dyn Session, what: &str) {
    let kind = if session.state().is_guest() {
        "guest"
    } else {
        "user"
    };
    tracing::debug!(namespace = &*namespace(socket), socket = %socket.id, "as" = kind, "{what}");

    if let Some(events) = session.state().events() {
        events.accepted(&Subject {
            namespace: &namespace(socket),
            socket: socket.id,
            session: Some(session.state()),
        });
    }
}

/// Logs and reports that a session was ended. Nothing may hold a lock meanwhile: the hook of the
/// application runs.
pub(crate) fn ended(
    socket: &dyn AnySocket,
    session: &SessionState,
    reason: &AuthError,
    what: &str,
) {
    tracing::info!(
        namespace = &*socket.namespace(),
        socket = %socket.connection(),
        code = reason.code().as_str(),
        detail = reason.detail(),
        "{what}"
    );
    report_end(socket, session, reason);
}

/// Logs and reports that an extractor of the connect handler has ended a session.
pub(crate) fn ended_by_extractor<A: Adapter>(
    socket: &Socket<A>,
    session: Option<&SessionState>,
    reason: &AuthError,
) {
    refusal(socket, reason, "connection refused");
    if let Some(session) = session {
        report_end(socket, session, reason);
    }
}

/// Does nothing if the session was not ended, but replaced by a renewal.
fn report_end(socket: &dyn AnySocket, session: &SessionState, reason: &AuthError) {
    if let (Some(events), Some(code)) = (session.events(), session.ended_with()) {
        let subject = Subject {
            namespace: &socket.namespace(),
            socket: socket.connection(),
            session: Some(session),
        };
        events.ended(&subject, code, reason);
    }
}

/// Logs that a client without a token has put one in a place that is not among the sources. Says
/// so once for each connection, whose clients can join thousands of namespaces.
pub(crate) fn elsewhere<A: Adapter>(
    socket: &Socket<A>,
    place: Option<&Elsewhere>,
    sources: &[TokenSource],
) {
    let Some(place) = place.filter(|_| limiter().first_hint(socket.id)) else {
        return;
    };
    tracing::info!(
        namespace = &*namespace(socket),
        socket = %socket.id,
        "token under another name: {}",
        place.beside(sources)
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "eyJhbGciOiJIUzI1NiJ9";

    #[test]
    fn a_text_that_holds_a_token_is_not_logged() {
        for before in ["", "/", "/room/", "/a:", "/x%20"] {
            for after in ["", "/b", "?c"] {
                let text = format!("{before}{HEADER}.e30.c2ln{after}");
                assert_eq!(loggable(&text), "(a token)", "{text}");
            }
        }
    }

    #[test]
    fn an_excerpt_is_escaped_and_short_and_holds_no_token() {
        assert_eq!(excerpt("it's"), "\"it's\"");
        assert_eq!(excerpt("a\n\"\u{202e}é"), "\"a\\n\\\"\\u{202e}é\"");
        assert_eq!(excerpt(""), "\"\"");
        assert_eq!(excerpt(&format!("{HEADER}.e30.c2ln")), "(a token)");
        assert_eq!(
            excerpt(&"é".repeat(100)),
            format!("\"{}\"", "é".repeat(100))
        );
        assert_eq!(
            excerpt(&"é".repeat(101)),
            format!("\"{}…\"", "é".repeat(100))
        );
        assert!(excerpt(&"\u{10fffe}".repeat(500)).chars().count() <= LONGEST_TEXT + 3);
    }

    #[test]
    fn other_texts_are_logged_up_to_a_length() {
        for text in ["/", "/admin", "/v1.2.3", "/eyJ", "chat.message.new"] {
            assert_eq!(loggable(text), text);
        }
        let long = format!("/{}", "é".repeat(500));
        assert_eq!(loggable(&long).chars().count(), LONGEST_TEXT + 1);
    }
}
