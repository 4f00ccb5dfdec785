//! What can go wrong for a client.

use std::{error::Error, io, time::Duration};

use serde_json::Value;

use crate::ErrorCode;

/// Why [`TestClient::connect`](super::TestClient::connect) returned no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The server answered with a `connect_error`.
    #[error("refused: {}", self.message())]
    ConnectError(
        /// The data of the packet: `{"message": …}`.
        Value,
    ),
    /// There was no answer: the server cannot be reached, or does not speak the protocol.
    #[error("the connection failed")]
    Failed(#[from] ClientError),
}

impl Refusal {
    /// Returns the code of the refusal, which can be compared with a string or with an
    /// [`ErrorCode`].
    ///
    /// A server sends one string in `connect_error`: the code, or the application's words for
    /// [`AuthError::denied`](crate::AuthError::denied). If that string has anything else than
    /// ASCII letters, digits, `_` and `-`, the code is `denied`.
    ///
    /// Returns `connection_failed` if the server did not answer, and an empty string for a
    /// `connect_error` without a message.
    pub fn code(&self) -> &str {
        match self {
            Self::ConnectError(_) if is_code(self.message()) => self.message(),
            Self::ConnectError(_) => ErrorCode::Denied.as_str(),
            Self::Failed(_) => "connection_failed",
        }
    }

    /// Returns what the server sent as the message of `connect_error`. Returns an empty string if
    /// it did not answer; the [source](Error::source) of this error says why.
    pub fn message(&self) -> &str {
        match self {
            Self::ConnectError(data) => data
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            Self::Failed(_) => "",
        }
    }
}

fn is_code(message: &str) -> bool {
    message
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
}

/// An error of a connection.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// No TCP connection.
    #[error("the server cannot be reached")]
    Unreachable(#[source] io::Error),
    /// The address, the query or a header is not valid in an HTTP request.
    #[error("the request is not valid")]
    InvalidRequest(#[source] Box<dyn Error + Send + Sync>),
    /// The WebSocket failed.
    #[error("the WebSocket failed")]
    WebSocket(#[source] Box<dyn Error + Send + Sync>),
    /// The server sent something that this client does not understand.
    #[error("not a packet that this client understands: {0:.200}")]
    UnknownPacket(String),
    /// The server sent an event or an acknowledgement with binary data, which this client does not
    /// support.
    #[error("this client does not support binary data, and the server sent {0:.200}")]
    BinaryPacket(
        /// The packet, without its binary data.
        String,
    ),
    /// The arguments of an event cannot be written as JSON.
    #[error("the arguments cannot be written as JSON")]
    Arguments(#[source] serde_json::Error),
    /// The server disconnected the client from its namespace, or closed the connection.
    #[error("disconnected while waiting for {0}")]
    Disconnected(
        /// What the client waited for.
        String,
    ),
    /// The time limit passed.
    #[error("no {what} within {limit:?}")]
    Timeout {
        /// What the client waited for.
        what: String,
        /// The time limit.
        limit: Duration,
    },
}
