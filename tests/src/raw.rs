use std::{io, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest, handshake::client::Request},
};

use crate::{Told, within};

/// A websocket that sends exactly the packets that the test says, and reads what comes back.
///
/// See the protocols of [Engine.IO](https://socket.io/docs/v4/engine-io-protocol/) and
/// [Socket.IO](https://socket.io/docs/v4/socket-io-protocol/).
#[derive(Debug)]
pub struct Raw {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Raw {
    /// Opens a connection with a query string (which starts with `&`, if there is any) and headers.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached, or is no Engine.IO server.
    pub async fn open_with(server: SocketAddr, query: &str, headers: &[(&'static str, String)]) -> Self {
        let mut request = request(server, 4, query);
        for (name, value) in headers {
            request.headers_mut().append(*name, value.parse().expect("the header is right"));
        }
        Self::open(TcpStream::connect(server).await, request).await
    }

    /// Opens a connection as clients of protocol 4 do (1.x and 2.x), which are in `/` without asking.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached, or does not speak protocol 4.
    pub async fn open_protocol_4(server: SocketAddr, query: &str) -> Self {
        Self::open(TcpStream::connect(server).await, request(server, 3, query)).await
    }

    /// Opens a connection on which little fits between the server and a client that does not read.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached.
    pub async fn open_narrow(server: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be had");
        socket.set_recv_buffer_size(4096).expect("the size can be set");
        Self::open(socket.connect(server).await, request(server, 4, "")).await
    }

    async fn open(stream: io::Result<TcpStream>, request: Request) -> Self {
        let stream = MaybeTlsStream::Plain(stream.expect("the server can be reached"));
        let connecting = within("the websocket", tokio_tungstenite::client_async(request, stream)).await;
        let mut raw = Self { socket: connecting.expect("the server speaks websocket").0 };
        let opening = raw.packet().await.expect("the server opens");
        assert!(opening.starts_with("0{"), "not the opening of Engine.IO: {opening}");
        raw
    }

    /// Asks to be admitted to a namespace, with an auth payload as it is (which may be empty).
    pub async fn connect(&mut self, namespace: &str, payload: &str) {
        self.send(&format!("40{}{payload}", prefix(namespace))).await;
    }

    /// Asks to be admitted to a namespace with `{token}`.
    pub async fn connect_with_token(&mut self, namespace: &str, token: &str) {
        self.connect(namespace, &serde_json::json!({ "token": token }).to_string()).await;
    }

    /// Sends an event: a JSON list of its name and its arguments.
    pub async fn emit(&mut self, namespace: &str, event: &Value) {
        self.send(&format!("42{}{event}", prefix(namespace))).await;
    }

    /// Sends an event with an acknowledgement.
    pub async fn ask(&mut self, namespace: &str, number: u32, event: &Value) {
        self.send(&format!("42{}{number}{event}", prefix(namespace))).await;
    }

    /// Leaves a namespace.
    pub async fn leave(&mut self, namespace: &str) {
        self.send(&format!("41{}", prefix(namespace))).await;
    }

    /// Sends a packet as it is.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send(&mut self, packet: &str) {
        self.socket.send(Message::text(packet)).await.expect("the connection is open");
    }

    /// Sends the attachment of a binary packet.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub async fn send_binary(&mut self, bytes: &[u8]) {
        self.socket.send(Message::binary(bytes.to_vec())).await.expect("the connection is open");
    }

    /// What it is told next, and in which namespace.
    ///
    /// # Panics
    ///
    /// If it is told nothing in time, or something that is not understood.
    pub async fn next(&mut self) -> (String, Told) {
        match self.packet().await {
            None => (String::new(), Told::Closed),
            Some(packet) if packet == "1" => (String::new(), Told::Closed),
            Some(packet) => read(&packet).unwrap_or_else(|| panic!("not understood: {packet}")),
        }
    }

    /// Expects what it is told next.
    ///
    /// # Panics
    ///
    /// If it is told something else.
    #[track_caller]
    pub fn expect(&mut self, namespace: &str, told: Told) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move { assert_eq!(self.next().await, (namespace.to_owned(), told), "at {caller}") }
    }

    /// The next packet that is not a ping; `None` once the connection is closed.
    async fn packet(&mut self) -> Option<String> {
        loop {
            match within("a packet", self.socket.next()).await {
                Some(Ok(Message::Text(text))) if text.as_str() == "2" => self.send("3").await,
                Some(Ok(Message::Text(text))) => return Some(text.as_str().to_owned()),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }
}

/// Protocol 4 of Socket.IO goes over protocol 3 of Engine.IO, protocol 5 over 4.
fn request(server: SocketAddr, protocol: u8, query: &str) -> Request {
    let url = format!("ws://{server}/socket.io/?EIO={protocol}&transport=websocket{query}");
    url.into_client_request().expect("the url is right")
}

/// The default namespace is not written.
fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

fn read(packet: &str) -> Option<(String, Told)> {
    let (kind, rest) = packet.strip_prefix('4')?.split_at_checked(1)?;
    let (namespace, rest) = if rest.starts_with('/') { rest.split_once(',')? } else { ("/", rest) };
    let told = match kind {
        "0" => Told::Connected,
        "1" => Told::Disconnected,
        "2" => {
            let mut arguments: Vec<Value> = serde_json::from_str(rest).ok()?;
            Told::Event(arguments.remove(0).as_str()?.to_owned(), arguments)
        }
        "3" => Told::Ack(serde_json::from_str(rest.trim_start_matches(|c: char| c.is_ascii_digit())).ok()?),
        "4" => Told::from_connect_error(rest),
        _ => return None,
    };
    Some((namespace.to_owned(), told))
}
