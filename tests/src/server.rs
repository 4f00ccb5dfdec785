use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use socketioxide::{SocketIo, SocketIoBuilder};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::{Client, ClientBuilder, Raw, within};

/// A server on a port of its own, which ends with the test.
#[derive(Debug)]
pub struct Server {
    /// For adding namespaces, and for looking at them.
    pub io: SocketIo,
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    /// A server without any namespace.
    pub async fn start() -> Self {
        Self::with(SocketIo::builder()).await
    }

    /// A server that has states, say.
    pub async fn with(builder: SocketIoBuilder) -> Self {
        Self::with_router(builder, |router| router).await
    }

    /// A server whose HTTP layers are the test's own.
    ///
    /// # Panics
    ///
    /// If no port can be had.
    pub async fn with_router(builder: SocketIoBuilder, finish: impl FnOnce(Router) -> Router) -> Self {
        let (layer, io) = builder.build_layer();
        let router = finish(Router::new().layer(layer));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let task = tokio::spawn(async move { axum::serve(listener, router).await.expect("the server works") });
        Self { io, address, task }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A client that is to be told how to connect.
    pub fn client(&self) -> ClientBuilder {
        ClientBuilder::to(self.address)
    }

    /// A client of `/` with this token.
    pub async fn client_with_token(&self, token: &str) -> Client {
        self.client().token(token).connect().await
    }

    /// A client of `/` without a token.
    pub async fn guest(&self) -> Client {
        self.client().connect().await
    }

    /// A connection that sends exactly what the test says.
    pub async fn raw(&self) -> Raw {
        Raw::open_with(self.address, "", &[]).await
    }

    /// The number of sockets in a namespace.
    ///
    /// # Panics
    ///
    /// If there is no such namespace.
    pub fn sockets_in(&self, namespace: &str) -> usize {
        self.io.of(namespace).expect("the namespace exists").sockets().len()
    }

    /// Waits until no more than so many tasks live on the test's runtime: timers are tasks.
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
