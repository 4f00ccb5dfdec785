use std::{fmt, net::SocketAddr};

use futures_util::FutureExt;
use rust_socketio::{
    Event, Payload, TransportType,
    asynchronous::{self, ClientBuilder},
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{LIMIT, Told, within};

/// How a client connects.
#[derive(Debug)]
pub struct Connecting {
    server: SocketAddr,
    namespace: String,
    query: String,
    headers: Vec<(String, String)>,
    auth: Option<Value>,
    polling: bool,
}

impl Connecting {
    pub(crate) fn to(server: SocketAddr) -> Self {
        Self {
            server,
            namespace: "/".to_owned(),
            query: String::new(),
            headers: Vec::new(),
            auth: None,
            polling: false,
        }
    }

    /// To this namespace; `/` if nothing is said.
    pub fn namespace(mut self, namespace: &str) -> Self {
        namespace.clone_into(&mut self.namespace);
        self
    }

    /// With a query string, without `?`.
    pub fn query(mut self, query: &str) -> Self {
        query.clone_into(&mut self.query);
        self
    }

    /// With an HTTP header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With an auth payload.
    pub fn auth(mut self, auth: Value) -> Self {
        self.auth = Some(auth);
        self
    }

    /// With `auth: {token}`.
    pub fn token(self, token: &str) -> Self {
        self.auth(json!({ "token": token }))
    }

    /// Over polling instead of websocket.
    pub fn polling(mut self) -> Self {
        self.polling = true;
        self
    }

    /// Connects, and waits for nothing but the transport.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached.
    pub async fn connect(self) -> Client {
        let (sender, told) = unbounded_channel();
        let mut builder = ClientBuilder::new(format!("http://{}/?{}", self.server, self.query))
            .namespace(self.namespace)
            .transport_type(if self.polling { TransportType::Polling } else { TransportType::Websocket })
            .reconnect(false);
        for (name, value) in self.headers {
            builder = builder.opening_header(name, value);
        }
        if let Some(auth) = self.auth {
            builder = builder.auth(auth);
        }
        let socket = within("the transport", listen(builder, &sender).connect()).await;
        Client { socket: socket.expect("the server can be reached"), told, sender }
    }

    /// Connects, and expects to be admitted.
    ///
    /// # Panics
    ///
    /// If it is not.
    pub async fn admitted(self) -> Client {
        let mut client = self.connect().await;
        client.expect(Told::Connected).await;
        client
    }

    /// Connects, and returns the message of the `connect_error`.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub async fn refusal(self) -> String {
        match self.connect().await.next().await {
            Told::Refused(message) => message,
            other => panic!("expected a connect_error, got {other:?}"),
        }
    }
}

fn listen(builder: ClientBuilder, sender: &UnboundedSender<Told>) -> ClientBuilder {
    let tell = |told: fn(Payload) -> Told| {
        let sender = sender.clone();
        move |payload: Payload, _: asynchronous::Client| {
            sender.send(told(payload)).ok();
            async {}.boxed()
        }
    };
    let events = sender.clone();
    builder
        .on(Event::Connect, tell(|_| Told::Connected))
        .on(Event::Close, tell(|_| Told::Disconnected))
        .on(Event::Error, tell(|payload| read_error(&payload)))
        .on_any(move |event, payload, _| {
            events.send(read_event(&event, payload)).ok();
            async {}.boxed()
        })
}

/// `rust_socketio` reports every trouble as an event of the name `error`.
fn read_error(payload: &Payload) -> Told {
    let Payload::Text(texts) = payload else { panic!("an error is a text") };
    let text = texts.first().and_then(Value::as_str).expect("an error is a text");
    match text.strip_prefix("Received an ConnectError frame: ") {
        Some(json) => Told::from_connect_error(json),
        None => Told::Closed,
    }
}

fn read_event(event: &Event, payload: Payload) -> Told {
    match payload {
        // An event without arguments is reported as the `message` of its own name.
        Payload::Text(mut arguments) if *event == Event::Message && arguments.len() == 1 => {
            Told::Event(arguments.remove(0).as_str().unwrap_or_default().to_owned(), Vec::new())
        }
        Payload::Text(arguments) => Told::Event(event.to_string(), arguments),
        other => panic!("an event of another kind: {other:?}"),
    }
}

/// A client of the crate `rust_socketio`, which records what it is told.
pub struct Client {
    socket: asynchronous::Client,
    told: UnboundedReceiver<Told>,
    sender: UnboundedSender<Told>,
}

impl Client {
    /// What it is told next.
    ///
    /// # Panics
    ///
    /// If it is told nothing in time.
    pub async fn next(&mut self) -> Told {
        within("something that the client is told", self.told.recv()).await.expect("the client lives")
    }

    /// Expects what it is told next.
    ///
    /// # Panics
    ///
    /// If it is told something else.
    #[track_caller]
    pub fn expect(&mut self, told: Told) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move { assert_eq!(self.next().await, told, "at {caller}") }
    }

    /// Sends an event.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub async fn emit(&self, event: &str, argument: Value) {
        self.socket.emit(event, argument).await.expect("the event can be sent");
    }

    /// Sends an event with an acknowledgement, which [`next`](Self::next) will return.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub async fn ask(&self, event: &str, argument: Value) {
        let sender = self.sender.clone();
        let callback = move |payload: Payload, _| {
            sender.send(read_ack(payload)).ok();
            async {}.boxed()
        };
        self.socket.emit_with_ack(event, argument, LIMIT, callback).await.expect("the event can be sent");
    }

    /// Leaves its namespace and closes the connection.
    ///
    /// # Panics
    ///
    /// If it is not connected.
    pub async fn leave(&self) {
        self.socket.disconnect().await.expect("the client is connected");
    }
}

/// The arguments come as one list.
fn read_ack(payload: Payload) -> Told {
    match payload {
        Payload::Text(mut arguments) => match arguments.pop() {
            Some(Value::Array(arguments)) => Told::Ack(arguments),
            other => panic!("an acknowledgement is a list: {other:?}"),
        },
        other => panic!("an acknowledgement of another kind: {other:?}"),
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Client(..)")
    }
}
