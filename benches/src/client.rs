use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::{SystemTime, UNIX_EPOCH},
};

use futures_util::{SinkExt, StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{Result, token};

/// A socket in `/` that does nothing.
#[derive(Debug)]
pub struct Client {
    socket: WebSocketStream<TcpStream>,
}

impl Client {
    /// Opens a connection and joins `/` with a token.
    ///
    /// See the protocols of [Engine.IO](https://socket.io/docs/v4/engine-io-protocol/) and
    /// [Socket.IO](https://socket.io/docs/v4/socket-io-protocol/).
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn connect(server: SocketAddr, token: &str) -> Result<Self> {
        Self::connect_with(server, &json!({ "token": token })).await
    }

    /// Opens a connection and joins `/` with any auth payload.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn connect_with(server: SocketAddr, auth: &Value) -> Result<Self> {
        Self::open(server).await?.join(auth).await
    }

    /// Connects from an address of the loopback interface. Where many connections to a server are
    /// open, the kernel searches long for a free port of an address.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or refuses.
    pub async fn connect_from(source: Ipv4Addr, server: SocketAddr, token: &str) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((source, 0).into())?;
        let stream = socket.connect(server).await?;

        let client = Self::open_on(stream, server).await?;
        client.join(&json!({ "token": token })).await
    }

    /// Opens a connection, asks for `/` with a token, and is refused. Drops the connection.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or does not refuse.
    pub async fn refused(server: SocketAddr, token: &str) -> Result<()> {
        let auth = json!({ "token": token });
        Self::refused_with(server, &auth).await.map(drop)
    }

    /// Opens a connection, asks for `/` with any auth payload, and is refused. The connection stays
    /// open.
    ///
    /// # Errors
    ///
    /// The server cannot be reached, or does not refuse.
    pub async fn refused_with(server: SocketAddr, auth: &Value) -> Result<Self> {
        let mut client = Self::open(server).await?;
        client.send(format!("40{auth}")).await?;
        client.expect("44{").await?;
        Ok(client)
    }

    async fn open(server: SocketAddr) -> Result<Self> {
        Self::open_on(TcpStream::connect(server).await?, server).await
    }

    async fn open_on(stream: TcpStream, server: SocketAddr) -> Result<Self> {
        let url = format!("ws://{server}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = client_async(url, stream).await?;
        let mut client = Self { socket };
        client.expect("0{").await?;
        Ok(client)
    }

    async fn join(mut self, auth: &Value) -> Result<Self> {
        self.send(format!("40{auth}")).await?;
        self.expect("40{").await?;
        Ok(self)
    }

    /// Leaves `/` and closes the connection, each in the way of its protocol. Dropping it does
    /// neither.
    ///
    /// # Errors
    ///
    /// The connection failed.
    pub async fn leave(mut self) -> Result<()> {
        self.send("41".to_owned()).await?;
        self.close().await
    }

    /// Closes the connection without leaving `/`.
    ///
    /// # Errors
    ///
    /// The connection failed.
    pub async fn close(mut self) -> Result<()> {
        self.socket.close(None).await?;
        while self.socket.try_next().await?.is_some() {}
        Ok(())
    }

    /// Emits an event that has no arguments, and gives what it is answered.
    ///
    /// # Errors
    ///
    /// The connection failed.
    pub async fn ask(&mut self, event: &str) -> Result<String> {
        self.send(format!(r#"420["{event}"]"#)).await?;
        self.expect("430").await
    }

    /// When it is told that its token has expired, and disconnected.
    ///
    /// # Errors
    ///
    /// It is told something else.
    pub async fn end(mut self) -> Result<SystemTime> {
        self.expect(r#"42["unauthorized",{"code":"token_expired""#)
            .await?;
        self.expect("41").await?;
        Ok(SystemTime::now())
    }

    async fn send(&mut self, packet: String) -> Result<()> {
        Ok(self.socket.send(Message::text(packet)).await?)
    }

    /// The rest of the next packet, which must begin like this.
    async fn expect(&mut self, start: &str) -> Result<String> {
        let packet = self.packet().await?;
        let rest = packet
            .strip_prefix(start)
            .ok_or_else(|| format!("expected {start}…, not {packet}"))?;
        Ok(rest.to_owned())
    }

    /// The next packet that is not a ping.
    async fn packet(&mut self) -> Result<String> {
        loop {
            let message = self
                .socket
                .next()
                .await
                .ok_or("the server closed the connection")??;
            match message.to_text()? {
                "2" => self.send("3".to_owned()).await?,
                packet => return Ok(packet.to_owned()),
            }
        }
    }
}

/// Many clients, of which a limited number connects at the same time.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Where they connect to.
    pub server: SocketAddr,
    /// How many there are.
    pub clients: usize,
    /// How many of them connect at the same time.
    pub at_once: usize,
    /// When their tokens expire.
    pub expires_at: SystemTime,
}

impl Load {
    /// Connects all of them, each as a user of its own.
    ///
    /// # Errors
    ///
    /// One of them could not connect.
    pub async fn connect(self) -> Result<Vec<Client>> {
        let connecting = (0..self.clients).map(|_| self.client());
        stream::iter(connecting)
            .buffer_unordered(self.at_once)
            .try_collect()
            .await
    }

    /// Connects all of them, and disconnects each at once: every other one without a word, as when
    /// a network is lost.
    ///
    /// # Errors
    ///
    /// One of them could not connect.
    pub async fn connect_and_disconnect(self) -> Result<()> {
        let visits = (0..self.clients).map(|number| async move {
            let client = self.client().await?;
            leave_or_drop(client, number).await
        });

        stream::iter(visits)
            .buffer_unordered(self.at_once)
            .try_collect()
            .await
    }

    /// Connects one client with each of these tokens, and disconnects it at once, like
    /// [`connect_and_disconnect`](Self::connect_and_disconnect).
    ///
    /// # Errors
    ///
    /// One of them could not connect.
    pub async fn visit_with(self, tokens: &[String]) -> Result<()> {
        let visits = tokens.iter().enumerate().map(|(number, token)| async move {
            let client = Client::connect(self.server, token).await?;
            leave_or_drop(client, number).await
        });

        stream::iter(visits)
            .buffer_unordered(self.at_once)
            .try_collect()
            .await
    }

    /// Connects all of them with tokens that are refused: every other one has expired, and the
    /// signatures of the rest are wrong.
    ///
    /// # Errors
    ///
    /// One of them was not refused.
    pub async fn be_refused(self) -> Result<()> {
        let attempts = (0..self.clients).map(|number| async move {
            let token = if number % 2 == 0 {
                token(&new_user(), UNIX_EPOCH)?
            } else {
                format!("{}A", token(&new_user(), self.expires_at)?)
            };
            Client::refused(self.server, &token).await
        });

        stream::iter(attempts)
            .buffer_unordered(self.at_once)
            .try_collect()
            .await
    }

    async fn client(self) -> Result<Client> {
        Client::connect(self.server, &token(&new_user(), self.expires_at)?).await
    }
}

/// Returns the name of a new user. What is kept for a user would not be seen if users came back.
fn new_user() -> String {
    static USERS: AtomicU64 = AtomicU64::new(0);
    format!("user-{}", USERS.fetch_add(1, Ordering::Relaxed))
}

/// Disconnects every other client without a word, as when a network is lost.
async fn leave_or_drop(client: Client, number: usize) -> Result<()> {
    if number.is_multiple_of(2) {
        client.leave().await
    } else {
        Ok(())
    }
}
