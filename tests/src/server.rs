//! A server on loopback.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use socketioxide::{SocketIo, SocketIoBuilder};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Client, ClientBuilder, Gate, Raw, Records, recorder, within};

/// A server on a free port, which ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    /// Adds namespaces, and inspects them.
    pub io: SocketIo,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// Starts a server without namespaces.
    pub async fn start() -> Self {
        Self::with(SocketIo::builder()).await
    }

    /// Starts a server whose handlers and lookups can take a [`Recorder`](crate::Recorder) and a
    /// [`Gate`], which is closed.
    pub async fn with_gate() -> (Self, Records, Gate) {
        let (recorder, records) = recorder();
        let gate = Gate::closed();
        let builder = SocketIo::builder()
            .with_state(recorder)
            .with_state(gate.clone());
        (Self::with(builder).await, records, gate)
    }

    /// Starts a server from a builder, for example with states.
    pub async fn with(builder: SocketIoBuilder) -> Self {
        Self::with_router(builder, |router| router).await
    }

    /// Starts a server with a changed router, for example with more HTTP layers.
    ///
    /// # Panics
    ///
    /// If no port is free.
    pub async fn with_router(
        builder: SocketIoBuilder,
        finish: impl FnOnce(Router) -> Router,
    ) -> Self {
        let (layer, io) = builder.build_layer();
        let router = finish(Router::new().layer(layer));

        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener
            .local_addr()
            .expect("a bound listener has an address");
        let task = tokio::spawn(async move {
            axum::serve(listener, router)
                .await
                .expect("the server works")
        });

        Self { io, address, task }
    }

    /// Returns the address on which the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Prepares a client.
    pub fn client(&self) -> ClientBuilder {
        ClientBuilder::to(self.address)
    }

    /// Opens a client of `/` with this token.
    pub async fn client_with_token(&self, token: &str) -> Client {
        self.client().token(token).connect().await
    }

    /// Opens a client of `/` without a token.
    pub async fn guest(&self) -> Client {
        self.client().connect().await
    }

    /// Opens a connection that sends exactly what the test gives it.
    pub async fn raw(&self) -> Raw {
        Raw::open_with(self.address, "", &[]).await
    }

    /// Returns the number of sockets in a namespace.
    ///
    /// # Panics
    ///
    /// If there is no such namespace.
    pub fn sockets_in(&self, namespace: &str) -> usize {
        self.io
            .of(namespace)
            .expect("the namespace exists")
            .sockets()
            .len()
    }

    /// Waits until at most this number of tasks is alive on the runtime of the test. Timers are
    /// tasks.
    pub async fn wait_for_tasks_at_most(number: usize) {
        let tasks = tokio::runtime::Handle::current().metrics();
        let ended = async {
            while tasks.num_alive_tasks() > number {
                tokio::task::yield_now().await;
            }
        };
        within("the end of tasks", ended).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
