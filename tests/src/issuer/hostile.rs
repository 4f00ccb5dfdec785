//! An issuer that misbehaves.

use std::net::{Ipv4Addr, SocketAddr};

use socketioxide_jwt_auth::{Verifier, VerifierBuilder};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::KEYS;
use crate::within;

/// A server that reads a request, and then hands the connection to the test.
#[derive(Debug)]
pub struct HostileIssuer {
    address: SocketAddr,
    requests: watch::Sender<usize>,
    task: JoinHandle<()>,
}

impl HostileIssuer {
    /// Starts a server that calls `respond` for each request.
    pub async fn start<F>(respond: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        Self::start_with_name(move |stream, _| respond(stream)).await
    }

    /// Starts a server that calls `respond` with its [`name`](Self::name) too.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn start_with_name<F>(
        respond: impl Fn(TcpStream, String) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let requests = watch::Sender::new(0);

        let count = requests.clone();
        let task = tokio::spawn(async move {
            // The connections end with this task.
            let mut connections = JoinSet::new();
            loop {
                let (mut stream, _) = listener.accept().await.expect("the listener works");
                read_request(&mut stream).await;
                count.send_modify(|requests| *requests += 1);
                connections.spawn(respond(stream, name_of(address)));
            }
        });
        Self {
            address,
            requests,
            task,
        }
    }

    /// Starts a server that writes these bytes and closes the connection.
    pub async fn writing(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |mut stream| {
            let bytes = bytes.clone();
            async move {
                // The client may close the connection early.
                stream.write_all(&bytes).await.ok();
            }
        })
        .await
    }

    /// Returns the name of the issuer (`iss`).
    pub fn name(&self) -> String {
        name_of(self.address)
    }

    /// Returns the URL of [`KEYS`].
    pub fn url(&self) -> String {
        format!("{}{KEYS}", self.name())
    }

    /// Returns settings of a verifier that fetches the keys of this issuer.
    pub fn verifier(&self) -> VerifierBuilder {
        Verifier::builder()
            .jwks_url(self.url())
            .algorithms(["EdDSA", "ES256", "RS256"])
    }

    /// Returns the number of requests.
    pub fn requests(&self) -> usize {
        *self.requests.borrow()
    }

    /// Waits until the server has received this number of requests.
    ///
    /// # Panics
    ///
    /// If it does not receive them in time.
    pub async fn wait_for_requests(&self, number: usize) {
        let mut requests = self.requests.subscribe();
        within(
            "requests",
            requests.wait_for(|requests| *requests >= number),
        )
        .await
        .expect("the issuer lives");
    }
}

impl Drop for HostileIssuer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn name_of(address: SocketAddr) -> String {
    format!("http://{address}")
}

async fn read_request(stream: &mut TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
}
