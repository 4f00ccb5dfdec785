//! Clients that print what they are told.

use std::time::Duration;

use rust_socketio::{
    Event, Payload,
    asynchronous::{self, ClientBuilder},
};
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::timeout,
};

use crate::Failure;

const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Client {
    name: &'static str,
    socket: asynchronous::Client,
    hearing: UnboundedReceiver<(&'static str, Payload)>,
    heard: Heard,
}

type Heard = UnboundedSender<(&'static str, Payload)>;

impl Client {
    /// A guest, if there is no token.
    pub(crate) async fn connect(name: &'static str, node: &str, token: Option<String>) -> Result<Self, Failure> {
        let (heard, hearing) = unbounded_channel();
        let mut builder = ClientBuilder::new(node).reconnect(false);
        if let Some(token) = token {
            builder = builder.auth(json!({ "token": token }));
        }
        for event in ["welcome", "message", "unauthorized"] {
            builder = builder.on(event, tell(heard.clone(), event));
        }
        builder = builder.on(Event::Close, tell(heard.clone(), "disconnected"));
        let socket = builder.connect().await?;
        let mut client = Self { name, socket, hearing, heard };
        client.print_next().await?;
        Ok(client)
    }

    pub(crate) async fn emit(&self, event: &str, data: Value) -> Result<(), Failure> {
        Ok(self.socket.emit(event, data).await?)
    }

    /// Emits an event, and prints the answer.
    pub(crate) async fn ask(&mut self, event: &'static str, data: Value) -> Result<(), Failure> {
        self.socket.emit_with_ack(event, data, PATIENCE, tell(self.heard.clone(), "answered")).await?;
        self.print_next().await
    }

    /// Waits for what it is told next, and prints it.
    pub(crate) async fn print_next(&mut self) -> Result<(), Failure> {
        let next = timeout(PATIENCE, self.hearing.recv()).await;
        let (event, payload) = next.map_err(|_| format!("{} is told nothing", self.name))?.ok_or("the client ended")?;
        match payload {
            Payload::Text(values) if event != "disconnected" => {
                println!("  {}: {event} {}", self.name, Value::Array(values));
            }
            _ => println!("  {}: {event}", self.name),
        }
        Ok(())
    }

    pub(crate) async fn leave(self) {
        // A client that was disconnected has nothing to leave.
        self.socket.disconnect().await.ok();
    }
}

/// A callback that passes on what the client heard.
fn tell(
    heard: Heard,
    event: &'static str,
) -> impl FnMut(Payload, asynchronous::Client) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync {
    move |payload, _| {
        heard.send((event, payload)).ok();
        Box::pin(async {})
    }
}
