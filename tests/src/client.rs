//! A client in one namespace.

use std::net::SocketAddr;

use serde_json::{Value, json};
use socketioxide_jwt_auth::testing::wire::encode;
use tokio::sync::Mutex;

use crate::{Raw, Received, polling::Polling};

/// Settings of a [`Client`].
#[derive(Debug)]
pub struct ClientBuilder {
    server: SocketAddr,
    namespace: String,
    query: String,
    headers: Vec<(String, String)>,
    auth: Option<Value>,
    polling: bool,
}

impl ClientBuilder {
    /// Prepares a client of a server.
    pub fn to(server: SocketAddr) -> Self {
        Self {
            server,
            namespace: "/".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            auth: None,
            polling: false,
        }
    }

    /// Sets the namespace. Defaults to `/`.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// Sets the query string, without `?`.
    pub fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// Adds an HTTP header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the auth payload.
    pub fn auth(mut self, auth: Value) -> Self {
        self.auth = Some(auth);
        self
    }

    /// Sets the auth payload to `{token}`.
    pub fn token(self, token: &str) -> Self {
        self.auth(json!({ "token": token }))
    }

    /// Uses HTTP long polling instead of a WebSocket.
    pub fn polling(mut self) -> Self {
        self.polling = true;
        self
    }

    /// Sends CONNECT, and does not wait for the answer.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached.
    pub async fn connect(self) -> Client {
        let query = if self.query.is_empty() {
            String::new()
        } else {
            format!("&{}", self.query)
        };
        let transport = if self.polling {
            Transport::Polling(Polling::open(self.server, &query, self.headers).await)
        } else {
            let headers = self
                .headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.clone()));
            Transport::WebSocket(Box::new(
                Raw::open_with(self.server, &query, &headers.collect::<Vec<_>>()).await,
            ))
        };

        let client = Client {
            namespace: self.namespace,
            transport: Mutex::new(transport),
        };
        let auth = self
            .auth
            .map(|payload| payload.to_string())
            .unwrap_or_default();
        client.send(encode(0, &client.namespace, None, auth)).await;
        client
    }

    /// Connects to the namespace.
    ///
    /// # Panics
    ///
    /// If the server refuses.
    pub async fn admitted(self) -> Client {
        let mut client = self.connect().await;
        client.expect(Received::Connected).await;
        client
    }

    /// Tries to connect, and returns the message of the `connect_error`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn refusal(self) -> String {
        match self.connect().await.next().await {
            Received::Refused(message) => message,
            other => panic!("expected a connect_error, got {other:?}"),
        }
    }
}

/// Carries the packets.
#[derive(Debug)]
enum Transport {
    WebSocket(Box<Raw>),
    Polling(Polling),
}

/// A client in one namespace.
#[derive(Debug)]
pub struct Client {
    namespace: String,
    /// Behind a lock, so that `emit` takes `&self`.
    transport: Mutex<Transport>,
}

impl Client {
    /// Returns what the client receives next.
    ///
    /// # Panics
    ///
    /// If nothing arrives in time, or a packet of another namespace.
    pub async fn next(&mut self) -> Received {
        let (namespace, received) = match self.transport.get_mut() {
            Transport::WebSocket(raw) => raw.next().await,
            Transport::Polling(polling) => polling.next().await,
        };
        if received != Received::Closed {
            assert_eq!(namespace, self.namespace, "{received:?}");
        }
        received
    }

    /// Asserts what the client receives next.
    ///
    /// # Panics
    ///
    /// If it receives something else.
    #[track_caller]
    pub fn expect(&mut self, received: Received) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move { assert_eq!(self.next().await, received, "at {caller}") }
    }

    /// Sends an event.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub async fn emit(&self, event: &str, argument: Value) {
        self.send(encode(2, &self.namespace, None, json!([event, argument])))
            .await;
    }

    /// Sends an event with an acknowledgement, which [`next`](Self::next) will return.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub async fn emit_with_ack(&self, event: &str, argument: Value) {
        self.send(encode(
            2,
            &self.namespace,
            Some(0),
            json!([event, argument]),
        ))
        .await;
    }

    /// Leaves its namespace and closes the connection.
    ///
    /// # Panics
    ///
    /// If it is not connected.
    pub async fn leave(&self) {
        self.send(encode(1, &self.namespace, None, "")).await;
        match &mut *self.transport.lock().await {
            Transport::WebSocket(raw) => raw.close().await,
            Transport::Polling(polling) => polling.send("1").await,
        }
    }

    async fn send(&self, packet: String) {
        match &mut *self.transport.lock().await {
            Transport::WebSocket(raw) => raw.send(&packet).await,
            Transport::Polling(polling) => polling.send(&packet).await,
        }
    }
}
