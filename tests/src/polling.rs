//! Engine.IO over HTTP long polling.

use std::{collections::VecDeque, net::SocketAddr};

use reqwest::{Client, RequestBuilder, Response, StatusCode};
use socketioxide_jwt_auth::testing::wire::EnginePacket;

use crate::{Received, within};

/// Separates the packets of one response.
const SEPARATOR: char = '\x1e';

/// A connection that fetches packets by one request after another, and sends each packet by a
/// request.
#[derive(Debug)]
pub(crate) struct Polling {
    http: Client,
    url: String,
    headers: Vec<(String, String)>,
    /// Packets of the latest response that were not returned yet.
    packets: VecDeque<EnginePacket>,
}

impl Polling {
    /// Opens a connection with a query string (which starts with `&`, if there is any) and headers.
    ///
    /// # Panics
    ///
    /// If the server cannot be reached, or does not speak Engine.IO.
    pub(crate) async fn open(
        server: SocketAddr,
        query: &str,
        headers: Vec<(String, String)>,
    ) -> Self {
        let url = format!("http://{server}/socket.io/?EIO=4&transport=polling{query}");
        let mut polling = Self {
            http: Client::new(),
            url,
            headers,
            packets: VecDeque::new(),
        };

        match polling.packet().await {
            Some(EnginePacket::Open(parameters)) => {
                polling.url += &format!(
                    "&sid={}",
                    parameters["sid"].as_str().expect("a connection has an id")
                );
                polling
            }
            other => panic!("not the opening of Engine.IO: {other:?}"),
        }
    }

    /// Sends a packet as it is.
    ///
    /// # Panics
    ///
    /// If the connection is closed.
    pub(crate) async fn send(&self, packet: &str) {
        let response = self
            .request(self.http.post(&self.url).body(packet.to_owned()))
            .await;
        assert!(
            response.status().is_success(),
            "the connection is open: {}",
            response.status()
        );
    }

    /// Returns what the client receives next, with the namespace.
    ///
    /// # Panics
    ///
    /// If nothing arrives in time, or a packet that cannot be parsed.
    pub(crate) async fn next(&mut self) -> (String, Received) {
        loop {
            match self.packet().await {
                Some(EnginePacket::Message(packet)) => {
                    return (packet.namespace, packet.content.into());
                }
                Some(EnginePacket::Close) | None => return (String::new(), Received::Closed),
                Some(EnginePacket::Ping) => self.send(EnginePacket::PONG).await,
                Some(EnginePacket::Open(_) | EnginePacket::Other) => {}
            }
        }
    }

    /// Returns the next packet. Returns `None` once the server no longer knows the connection.
    async fn packet(&mut self) -> Option<EnginePacket> {
        if self.packets.is_empty() {
            let response = self.request(self.http.get(&self.url)).await;
            if response.status() == StatusCode::BAD_REQUEST {
                return None;
            }
            assert!(response.status().is_success(), "{}", response.status());

            let text = response.text().await.expect("packets are text");
            let packets = text.split(SEPARATOR).map(EnginePacket::parse);
            self.packets = packets
                .collect::<Result<_, _>>()
                .unwrap_or_else(|error| panic!("{error}"));
        }

        self.packets.pop_front()
    }

    async fn request(&self, request: RequestBuilder) -> Response {
        let request = self.headers.iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        });
        within("an answer over HTTP", request.send())
            .await
            .expect("the server can be reached")
    }
}
