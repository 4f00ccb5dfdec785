//! What can go wrong for a client.

use std::{error::Error, io, time::Duration};

use serde_json::Value;

/// Why [`TestClient::connect`](crate::TestClient::connect) returned no client.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The server answered with a `connect_error`.
    #[error("refused: {}", self.code())]
    ConnectError(
        /// The data of the packet: `{"message": …}`.
        Value,
    ),
    /// There was no answer: the server cannot be reached, or does not speak the protocol.
    #[error("the connection failed")]
    Failed(#[from] ClientError),
}

impl Refusal {
    /// Returns the message of the `connect_error`, which is the code of the refusal.
    ///
    /// Returns `connection_failed` if the server did not answer, and an empty string for a
    /// `connect_error` without a message.
    pub fn code(&self) -> &str {
        match self {
            Self::ConnectError(data) => data
                .get("message")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            Self::Failed(_) => "connection_failed",
        }
    }
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
