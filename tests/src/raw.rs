//! A connection that sends exactly the packets that the test gives it.

use std::{fmt::Display, io, net::SocketAddr, panic::Location};

use serde_json::Value;
use socketioxide_jwt_auth::testing::wire::{Connection, Handshake, encode};
use tokio::net::{TcpSocket, TcpStream};

use crate::{Received, unauthorized, within};

/// A WebSocket that sends exactly the packets that the test gives it, and returns what it receives.
///
/// See the protocols of [Engine.IO](https://socket.io/docs/v4/engine-io-protocol/) and
/// [Socket.IO](https://socket.io/docs/v4/socket-io-protocol/).
#[derive(Debug)]
pub struct Raw {
    connection: Connection,
}

impl Raw {
    /// Opens a connection with a query string (which starts with `&`, if there is any) and headers.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached, or does not speak Engine.IO.
    pub async fn open_with(server: SocketAddr, query: &str, headers: &[(&str, String)]) -> Self {
        let handshake = headers
            .iter()
            .fold(handshake(server, 4, query), |handshake, (name, value)| {
                handshake.header(name, value).expect("the header is right")
            });
        Self::open(TcpStream::connect(server).await, handshake).await
    }

    /// Opens a connection as clients of protocol 4 do (1.x and 2.x), which are in `/` without a
    /// CONNECT.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached, or does not speak protocol 4.
    pub async fn open_protocol_4(server: SocketAddr, query: &str) -> Self {
        Self::open(
            TcpStream::connect(server).await,
            handshake(server, 3, query),
        )
        .await
    }

    /// Opens a connection whose receive buffer is small, for a client that does not read.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached.
    pub async fn open_with_small_buffer(server: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be had");
        socket
            .set_recv_buffer_size(4096)
            .expect("the size can be set");
        Self::open(socket.connect(server).await, handshake(server, 4, "")).await
    }

    async fn open(stream: io::Result<TcpStream>, handshake: Handshake) -> Self {
        let stream = stream.expect("the server can be reached");
        let connection = within("the WebSocket", Connection::open(stream, handshake)).await;
        Self {
            connection: connection.expect("the server speaks Engine.IO"),
        }
    }

    /// Sends CONNECT for a namespace, with an auth payload as it is (which may be empty).
    pub async fn connect(&mut self, namespace: &str, payload: &str) {
        self.send_packet(0, namespace, None, payload).await;
    }

    /// Sends CONNECT for a namespace with `{token}`.
    pub async fn connect_with_token(&mut self, namespace: &str, token: &str) {
        self.connect(
            namespace,
            &serde_json::json!({ "token": token }).to_string(),
        )
        .await;
    }

    /// Sends an event: a JSON list of its name and its arguments.
    pub async fn emit(&mut self, namespace: &str, event: &Value) {
        self.send_packet(2, namespace, None, event).await;
    }

    /// Sends an event with an acknowledgement.
    pub async fn emit_with_ack(&mut self, namespace: &str, number: u32, event: &Value) {
        self.send_packet(2, namespace, Some(number.into()), event)
            .await;
    }

    /// Leaves a namespace.
    pub async fn leave(&mut self, namespace: &str) {
        self.send_packet(1, namespace, None, "").await;
    }

    async fn send_packet(
        &mut self,
        kind: u8,
        namespace: &str,
        id: Option<u64>,
        data: impl Display,
    ) {
        self.send(&encode(kind, namespace, id, data)).await;
    }

    /// Sends a packet as it is.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send(&mut self, packet: &str) {
        self.connection
            .send(packet)
            .await
            .expect("the connection is open");
    }

    /// Sends the attachment of a binary packet.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.connection
            .send_binary(bytes)
            .await
            .expect("the connection is open");
    }

    /// Closes the connection.
    pub(crate) async fn close(&mut self) {
        self.connection.close().await;
    }

    /// Returns what the client receives next, with the namespace.
    ///
    /// # Panics
    ///
    /// If nothing arrives in time, or a packet that cannot be parsed.
    pub async fn next(&mut self) -> (String, Received) {
        match within("a packet", self.connection.next()).await {
            Ok(Some(packet)) => (packet.namespace, packet.content.into()),
            Ok(None) => (String::new(), Received::Closed),
            Err(error) => panic!("{error}"),
        }
    }

    /// Asserts what the client receives next.
    ///
    /// # Panics
    ///
    /// If it receives something else.
    #[track_caller]
    pub fn expect(&mut self, namespace: &str, received: Received) -> impl Future<Output = ()> {
        self.expect_at(Location::caller(), namespace, received)
    }

    /// Asserts that the client is told next, by `unauthorized` with this code, why its session has
    /// ended, and is then disconnected.
    ///
    /// # Panics
    ///
    /// If it receives something else.
    #[track_caller]
    pub fn expect_ended(&mut self, namespace: &str, code: &str) -> impl Future<Output = ()> {
        let caller = Location::caller();
        async move {
            self.expect_at(caller, namespace, unauthorized(code)).await;
            self.expect_at(caller, namespace, Received::Disconnected)
                .await;
        }
    }

    async fn expect_at(&mut self, caller: &Location<'_>, namespace: &str, received: Received) {
        let expected = (namespace.to_owned(), received);
        assert_eq!(self.next().await, expected, "at {caller}");
    }
}

fn handshake(server: SocketAddr, engine_protocol: u8, query: &str) -> Handshake {
    Handshake::new(server, engine_protocol, query).expect("the query is right")
}
