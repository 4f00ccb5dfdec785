//! A client in one namespace.

use std::{collections::VecDeque, fmt, future::IntoFuture, pin::Pin, time::Duration};

use serde::Serialize;
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};

use super::{
    ClientError, Connection, Content, Handshake, Packet, Refusal, encode, packet::DEFAULT_NAMESPACE,
};

/// How long a client waits for an answer of the server.
const DEFAULT_LIMIT: Duration = Duration::from_secs(5);

/// A Socket.IO client in one namespace: protocol 5 over one WebSocket, without reconnection and
/// without binary data.
///
/// It reads, and answers the server's pings, only while one of its methods runs. Each of them waits
/// for [5 seconds](Connect::limit) at most. Dropping the client closes the connection.
///
/// ```no_run
/// # async fn example(server: std::net::SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
/// use serde_json::json;
/// use socketioxide_jwt_auth::{ErrorCode, testing::TestClient};
///
/// let mut client = TestClient::connect(server).token("…").await?;
/// let answer = client.emit_with_ack("post", "hello").await?;
/// assert_eq!(answer, json!(["posted"]));
/// assert_eq!(client.next_event("message").await?, json!(["hello"]));
/// client.disconnect().await?;
///
/// let refusal = TestClient::connect(server).await.unwrap_err();
/// assert_eq!(refusal.code(), ErrorCode::TokenMissing);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TestClient {
    connection: Connection,
    namespace: String,
    id: String,
    limit: Duration,
    next_id: u64,
    /// Events that arrived while the client waited for another packet.
    events: VecDeque<(String, Vec<Value>)>,
    disconnected: bool,
}

impl TestClient {
    /// Connects to a server: a socket address, `localhost:3000` or `http://localhost:3000`.
    ///
    /// Returns a builder that is awaited, with a client or a [`Refusal`] as the result. The server
    /// answers CONNECT before it calls its connect handler, so let the client wait for an event of
    /// that handler before it emits one.
    pub fn connect(server: impl ToString) -> Connect {
        Connect {
            server: server.to_string(),
            namespace: DEFAULT_NAMESPACE.to_owned(),
            query: String::new(),
            headers: Vec::new(),
            auth: None,
            limit: DEFAULT_LIMIT,
        }
    }

    /// Returns the id of the socket, which is that of `SocketRef` on the server.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Emits an event. An array or a tuple holds the arguments; anything else is the only argument.
    /// `[json!([1, 2])]` is one argument that is an array, and `json!([])` is none.
    ///
    /// # Errors
    ///
    /// The connection is closed, or the arguments cannot be written as JSON.
    pub async fn emit(
        &mut self,
        event: &str,
        arguments: impl Serialize,
    ) -> Result<(), ClientError> {
        self.send_event(None, event, arguments).await
    }

    /// Emits an event as [`emit`](Self::emit) does, and returns the arguments of its
    /// acknowledgement, an array.
    ///
    /// # Errors
    ///
    /// The server did not acknowledge it in time, or disconnected the client.
    pub async fn emit_with_ack(
        &mut self,
        event: &str,
        arguments: impl Serialize,
    ) -> Result<Value, ClientError> {
        let id = self.next_id;
        self.next_id += 1;
        self.send_event(Some(id), event, arguments).await?;

        self.wait_for(format!("acknowledgement of {event:?}"), |packet| {
            packet.id == Some(id) && matches!(packet.content, Content::Ack(_))
        })
        .await
    }

    /// Returns the arguments of the next event of this name, an array. Other events stay for later
    /// calls.
    ///
    /// # Errors
    ///
    /// None arrived in time, or before the server disconnected the client.
    pub async fn next_event(&mut self, name: &str) -> Result<Value, ClientError> {
        if let Some(index) = self.events.iter().position(|(event, _)| event == name)
            && let Some((_, arguments)) = self.events.remove(index)
        {
            return Ok(Value::Array(arguments));
        }

        self.wait_for(
            format!("event {name:?}"),
            |packet| matches!(&packet.content, Content::Event(event, _) if event == name),
        )
        .await
    }

    /// Waits until the server has disconnected the client. Events that come before that stay for
    /// [`next_event`](Self::next_event).
    ///
    /// # Errors
    ///
    /// The server did not disconnect the client in time.
    pub async fn disconnected(&mut self) -> Result<(), ClientError> {
        match self.wait_for("disconnection".to_owned(), |_| false).await {
            Err(ClientError::Disconnected(_)) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Leaves the namespace and closes the connection.
    ///
    /// # Errors
    ///
    /// The packet could not be sent in time. A client that was already disconnected is not an
    /// error.
    pub async fn disconnect(mut self) -> Result<(), ClientError> {
        let leaving = encode(1, &self.namespace, None, "");
        within(self.limit, "end of the connection".to_owned(), async {
            if !self.disconnected {
                // The server may have closed the connection, which is fine.
                self.connection.send(leaving).await.ok();
            }
            self.connection.close().await;
            Ok(())
        })
        .await
    }

    async fn send_event(
        &mut self,
        id: Option<u64>,
        name: &str,
        arguments: impl Serialize,
    ) -> Result<(), ClientError> {
        let mut elements = vec![Value::from(name)];
        match serde_json::to_value(arguments).map_err(ClientError::Arguments)? {
            Value::Array(arguments) => elements.extend(arguments),
            argument => elements.push(argument),
        }

        let packet = encode(2, &self.namespace, id, Value::Array(elements));
        within(
            self.limit,
            format!("room to send {name:?}"),
            self.connection.send(packet),
        )
        .await
    }

    /// Returns the arguments of the first event or acknowledgement that is wanted. Other events are
    /// kept; an acknowledgement that is not wanted is one for which the caller no longer waits.
    async fn wait_for(
        &mut self,
        what: String,
        mut is_wanted: impl FnMut(&Packet) -> bool,
    ) -> Result<Value, ClientError> {
        within(self.limit, what.clone(), async {
            while let Some(packet) = self.next_packet().await? {
                let wanted = is_wanted(&packet);
                match packet.content {
                    Content::Event(_, arguments) | Content::Ack(arguments) if wanted => {
                        return Ok(Value::Array(arguments));
                    }
                    Content::Event(name, arguments) => self.events.push_back((name, arguments)),
                    Content::Disconnect => self.disconnected = true,
                    Content::Ack(_) | Content::Connect(_) | Content::ConnectError(_) => {}
                }
            }
            Err(ClientError::Disconnected(what))
        })
        .await
    }

    /// Returns the next packet of the namespace. Returns `None` if the client is disconnected.
    async fn next_packet(&mut self) -> Result<Option<Packet>, ClientError> {
        while !self.disconnected {
            match self.connection.next().await? {
                Some(packet) if packet.namespace == self.namespace => return Ok(Some(packet)),
                Some(_) => {}
                None => self.disconnected = true,
            }
        }
        Ok(None)
    }
}

/// Settings of a [`TestClient`]. Await it to connect.
#[derive(Clone)]
#[must_use = "it connects when it is awaited"]
pub struct Connect {
    server: String,
    namespace: String,
    query: String,
    headers: Vec<(String, String)>,
    auth: Option<Value>,
    limit: Duration,
}

impl Connect {
    /// Sets the namespace. Defaults to `/`.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// Sets the auth payload.
    pub fn auth(mut self, payload: impl Into<Value>) -> Self {
        self.auth = Some(payload.into());
        self
    }

    /// Sets the auth payload to `{"token": …}`.
    pub fn token(self, token: impl Into<String>) -> Self {
        self.auth(json!({ "token": token.into() }))
    }

    /// Adds an HTTP header to the request that opens the connection.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the query of the request that opens the connection, encoded as in a URL, without `?`.
    pub fn query(mut self, query: impl Into<String>) -> Self {
        self.query = query.into();
        self
    }

    /// Sets how long the client waits for an answer, here and in every method. Defaults to 5
    /// seconds.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    async fn open(self) -> Result<TestClient, Refusal> {
        let mut connection = self.open_connection().await?;
        let auth = self
            .auth
            .map(|payload| payload.to_string())
            .unwrap_or_default();
        connection
            .send(encode(0, &self.namespace, None, auth))
            .await?;

        let id = wait_for_admission(&mut connection, &self.namespace).await?;
        Ok(TestClient {
            connection,
            namespace: self.namespace,
            id,
            limit: self.limit,
            next_id: 0,
            events: VecDeque::new(),
            disconnected: false,
        })
    }

    async fn open_connection(&self) -> Result<Connection, ClientError> {
        let server = host_and_port(&self.server)?;
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("&{}", self.query)
        };
        let mut handshake = Handshake::new(server, 4, &query)?;
        for (name, value) in &self.headers {
            handshake = handshake.header(name, value)?;
        }

        let stream = TcpStream::connect(server)
            .await
            .map_err(ClientError::Unreachable)?;
        Connection::open(stream, handshake).await
    }
}

/// Returns the part of an address that a TCP connection needs.
fn host_and_port(server: &str) -> Result<&str, ClientError> {
    let server = match server.split_once("://") {
        None => server,
        Some(("http" | "ws", server)) => server,
        Some(_) => {
            return Err(ClientError::InvalidRequest(
                "only http:// is supported".into(),
            ));
        }
    };
    Ok(server.trim_end_matches('/'))
}

/// Waits for the answer to CONNECT, and returns the id of the socket.
async fn wait_for_admission(
    connection: &mut Connection,
    namespace: &str,
) -> Result<String, Refusal> {
    while let Some(packet) = connection.next().await? {
        match packet.content {
            _ if packet.namespace != namespace => {}
            Content::Connect(id) => {
                let unknown = || ClientError::UnknownPacket("CONNECT without `sid`".to_owned());
                return Ok(id.ok_or_else(unknown)?);
            }
            Content::ConnectError(data) => return Err(Refusal::ConnectError(data)),
            // A client that is not in the namespace receives no other packets.
            Content::Disconnect | Content::Event(..) | Content::Ack(_) => {}
        }
    }
    Err(ClientError::Disconnected("the answer to CONNECT".to_owned()).into())
}

impl IntoFuture for Connect {
    type Output = Result<TestClient, Refusal>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let limit = self.limit;
        Box::pin(within(limit, "connection".to_owned(), self.open()))
    }
}

/// Leaves out what may hold a token.
impl fmt::Debug for Connect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Connect")
            .field("server", &self.server)
            .field("namespace", &self.namespace)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Waits for what must happen within the limit.
async fn within<T, E: From<ClientError>>(
    limit: Duration,
    what: String,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match timeout(limit, future).await {
        Ok(result) => result,
        Err(_) => Err(ClientError::Timeout { what, limit }.into()),
    }
}

#[cfg(test)]
mod tests;
