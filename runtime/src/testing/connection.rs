//! Engine.IO over a WebSocket.

use std::fmt::Display;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderName, HeaderValue},
    },
};

use super::{ClientError, EnginePacket, Packet};

/// The HTTP request that opens a connection.
#[derive(Debug)]
pub struct Handshake(Request);

impl Handshake {
    /// Creates the request for a server (`host:port`), with a query string, which is empty or
    /// starts with `&`.
    ///
    /// Protocol 5 of Socket.IO goes over protocol 4 of Engine.IO, protocol 4 over 3.
    ///
    /// # Errors
    ///
    /// The server or the query cannot be part of a URL.
    pub fn new(
        server: impl Display,
        engine_protocol: u8,
        query: &str,
    ) -> Result<Self, ClientError> {
        let url =
            format!("ws://{server}/socket.io/?EIO={engine_protocol}&transport=websocket{query}");
        url.into_client_request()
            .map(Self)
            .map_err(|error| ClientError::InvalidRequest(error.into()))
    }

    /// Adds a header, beside those of the same name.
    ///
    /// # Errors
    ///
    /// The name or the value is not valid.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, ClientError> {
        let name = name
            .parse::<HeaderName>()
            .map_err(|error| ClientError::InvalidRequest(error.into()))?;
        let value = value
            .parse::<HeaderValue>()
            .map_err(|error| ClientError::InvalidRequest(error.into()))?;
        self.0.headers_mut().append(name, value);
        Ok(self)
    }
}

/// A connection that sends exactly what it is given, and answers pings while it is asked for the
/// next packet.
#[derive(Debug)]
pub struct Connection {
    socket: WebSocketStream<TcpStream>,
}

impl Connection {
    /// Opens the WebSocket, and waits for the server's first packet.
    ///
    /// # Errors
    ///
    /// The server refuses the request, or does not speak Engine.IO.
    pub async fn open(stream: TcpStream, handshake: Handshake) -> Result<Self, ClientError> {
        let (socket, _) = tokio_tungstenite::client_async(handshake.0, stream)
            .await
            .map_err(failed)?;
        let mut connection = Self { socket };

        match connection.next_text().await? {
            None => Err(ClientError::Disconnected("the first packet".to_owned())),
            Some(text) => match EnginePacket::parse(&text)? {
                EnginePacket::Open(_) => Ok(connection),
                _ => Err(ClientError::UnknownPacket(text)),
            },
        }
    }

    /// Sends a text as it is.
    ///
    /// # Errors
    ///
    /// The connection is closed.
    pub async fn send(&mut self, text: impl Into<String>) -> Result<(), ClientError> {
        self.socket
            .send(Message::text(text.into()))
            .await
            .map_err(failed)
    }

    /// Sends bytes, the attachment of a binary packet.
    ///
    /// # Errors
    ///
    /// The connection is closed.
    pub async fn send_binary(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        self.socket
            .send(Message::binary(bytes.to_vec()))
            .await
            .map_err(failed)
    }

    /// Returns the next packet of Socket.IO. Returns `None` once the connection is closed.
    ///
    /// # Errors
    ///
    /// The server sent something that is not understood.
    pub async fn next(&mut self) -> Result<Option<Packet>, ClientError> {
        while let Some(text) = self.next_text().await? {
            match EnginePacket::parse(&text)? {
                EnginePacket::Close => return Ok(None),
                // A connection that is closed says so when it is read next.
                EnginePacket::Ping => drop(self.send(EnginePacket::PONG).await),
                EnginePacket::Message(packet) => return Ok(Some(packet)),
                EnginePacket::Open(_) | EnginePacket::Other => {}
            }
        }
        Ok(None)
    }

    /// Closes the WebSocket. Does nothing if it is closed.
    pub async fn close(&mut self) {
        self.socket.close(None).await.ok();
    }

    /// Attachments are left out: the packets that they belong to are not supported.
    async fn next_text(&mut self) -> Result<Option<String>, ClientError> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(text.as_str().to_owned())),
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Ok(_)) => {}
                Some(Err(error)) if is_broken_protocol(&error) => return Err(failed(error)),
                Some(Err(_)) => return Ok(None),
            }
        }
    }
}

/// Returns whether the server sent an invalid WebSocket message. Every other error is the end of
/// the connection.
fn is_broken_protocol(error: &tungstenite::Error) -> bool {
    use tungstenite::{Error, error::ProtocolError::ResetWithoutClosingHandshake};
    match error {
        Error::Protocol(error) => *error != ResetWithoutClosingHandshake,
        Error::Capacity(_) | Error::Utf8(_) => true,
        _ => false,
    }
}

fn failed(error: tungstenite::Error) -> ClientError {
    ClientError::WebSocket(error.into())
}
