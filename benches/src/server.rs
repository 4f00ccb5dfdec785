use std::{net::Ipv4Addr, time::Duration};

use axum::Router;
use procfs::{WithCurrentSystemInfo, process::Process};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{JwtAuthBuilder, RedisRevocations, Revocations, jwt_auth};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    net::TcpListener,
    runtime::Handle,
    time::sleep,
};

use crate::{Report, Result, live_bytes, tokens::SECRET};

/// The claims of every token.
#[derive(Debug, Deserialize)]
pub struct Claims {
    sub: String,
}

/// Who a token belongs to.
#[derive(Debug)]
pub struct User {
    /// The `sub` of the token.
    pub name: String,
}

/// A lookup that waits for nothing.
#[jwt_auth(secret = SECRET)]
pub async fn authenticate(claims: Claims) -> Option<User> {
    Some(User { name: claims.sub })
}

/// What the server does about its clients' tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lets every client in, without the middleware.
    Plain,
    /// The middleware with nothing but its defaults, one of which is the timer of the expiry.
    Authenticated,
    /// The middleware with everything that concerns a session's life.
    Complete,
    /// The middleware with its defaults, and a store of revocations in memory.
    Revocations,
    /// The same with the Redis whose URL is the argument of the benchmark.
    RedisRevocations,
    /// Runs without the middleware; the application starts a timer that holds the socket for an
    /// hour.
    Careless,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Plain,
        Self::Authenticated,
        Self::Complete,
        Self::Revocations,
        Self::RedisRevocations,
        Self::Careless,
    ];

    /// The argument that says what a process shall serve.
    pub(crate) fn argument(self) -> String {
        format!("serve-{self:?}").to_lowercase()
    }

    async fn add_namespace(self, io: &SocketIo) -> Result<()> {
        match self {
            Self::Plain => io.ns("/", on_connect),
            Self::Careless => io.ns("/", on_connect_careless),
            Self::Authenticated => io.ns("/", on_connect.with(authenticate::middleware()?)),
            Self::Complete => io.ns("/", on_connect.with(complete().build()?)),
            Self::Revocations => {
                let builder = authenticate::builder().revocations(Revocations::in_memory());
                io.ns("/", on_connect.with(builder.build()?));
            }
            Self::RedisRevocations => {
                let url = std::env::args().nth(2).ok_or("the URL of a Redis")?;
                let store = RedisRevocations::connect(url).await?;
                let builder = authenticate::builder().revocations(store);
                io.ns("/", on_connect.with(builder.build()?));
            }
        }
        Ok(())
    }
}

fn complete() -> JwtAuthBuilder<authenticate> {
    authenticate::builder()
        .guest(true)
        .authenticate_event("authenticate")
        .expiry_warning("60s")
        .user_key(|user: &User| user.name.clone())
}

async fn on_connect(socket: SocketRef) {
    socket.on("post", post);
}

async fn post(socket: SocketRef, Data(text): Data<String>) {
    socket.broadcast().emit("post", &text).await.ok();
}

async fn on_connect_careless(socket: SocketRef) {
    socket.on("post", post);
    tokio::spawn(async move {
        sleep(Duration::from_hours(1)).await;
        socket.disconnect().ok();
    });
}

/// Serves, if this process was started by [`RemoteServer::start`](crate::RemoteServer::start).
///
/// # Errors
///
/// No port can be had.
pub async fn serve_if_asked() -> Result<bool> {
    let argument = std::env::args().nth(1);
    match Kind::ALL
        .into_iter()
        .find(|kind| argument == Some(kind.argument()))
    {
        Some(kind) => serve(kind).await.map(|()| true),
        None => Ok(false),
    }
}

/// Reports with one line of JSON for every line of its stdin, and ends with it.
async fn serve(kind: Kind) -> Result<()> {
    // Pings would make idle sockets less idle.
    let (layer, io) = SocketIo::builder()
        .ping_interval(Duration::from_hours(1))
        .build_layer();
    kind.add_namespace(&io).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, Router::new().layer(layer)).await });

    let mut requests = BufReader::new(stdin()).lines();
    while requests.next_line().await?.is_some() {
        println!("{}", serde_json::to_string(&report(&io)?)?);
    }
    Ok(())
}

fn report(io: &SocketIo) -> Result<Report> {
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    Ok(Report {
        live_bytes: live_bytes(),
        resident_bytes: Process::myself()?.stat()?.rss_bytes().get(),
        cpu_time: cpu.try_into()?,
        alive_tasks: Handle::current().metrics().num_alive_tasks(),
        sockets: io.sockets().len(),
    })
}
