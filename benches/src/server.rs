mod hand_written;

use std::{
    net::Ipv4Addr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use axum::Router;
use procfs::{WithCurrentSystemInfo, process::Process};
use rustix::time::{ClockId, clock_gettime};
use serde::Deserialize;
use socketioxide::{
    SocketIo, SocketIoBuilder,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthUser, CompactHandshakeLayer, JwtAuthBuilder, RedisRevocations, Revocations, jwt_auth,
};
use tokio::{
    io::{AsyncBufReadExt, BufReader, stdin},
    net::TcpListener,
    runtime::Handle,
    time::sleep,
};

use crate::{
    Report, Result, Signature, live_bytes,
    tokens::{PUBLIC_KEY, SECRET},
};

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
    /// The middleware with its defaults, for tokens that are signed with ES256.
    Es256,
    /// Tokens of ES256, with a cache of verified tokens.
    Es256Cached,
    /// Runs without the middleware; the application starts a timer that holds the socket for an
    /// hour.
    Careless,
    /// A middleware that an application writes for itself, without this crate.
    HandWritten,
}

/// What the server does about the memory of its sockets; see the guide to tuning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// Keeps the settings of socketioxide.
    Default,
    /// The layer.
    Layer,
    /// The layer, and a buffer of 1,024 bytes for what a WebSocket reads.
    LayerAndBuffer,
    /// The layer, and one of 256 bytes.
    LayerAndSmallBuffer,
    /// A `connect_timeout` of a second. socketioxide 0.18.9 keeps a connection that was refused and is
    /// closed until then: `soak` would have to wait 45 seconds at each step, and count them as
    /// resident.
    ShortConnectTimeout,
}

impl Tuning {
    /// The settings of the guide, from the most memory to the least.
    pub const OF_THE_GUIDE: [Self; 4] = [
        Self::Default,
        Self::Layer,
        Self::LayerAndBuffer,
        Self::LayerAndSmallBuffer,
    ];

    fn router(self, builder: SocketIoBuilder) -> (Router, SocketIo) {
        let builder = match self {
            Self::Default | Self::Layer => builder,
            Self::LayerAndBuffer => builder.ws_read_buffer_size(1024),
            Self::LayerAndSmallBuffer => builder.ws_read_buffer_size(256),
            Self::ShortConnectTimeout => builder.connect_timeout(Duration::from_secs(1)),
        };
        let (layer, io) = builder.build_layer();

        let router = Router::new().layer(layer);
        let router = match self {
            Self::Default | Self::ShortConnectTimeout => router,
            Self::Layer | Self::LayerAndBuffer | Self::LayerAndSmallBuffer => {
                router.layer(CompactHandshakeLayer::new())
            }
        };
        (router, io)
    }
}

/// A server that a benchmark can start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// What it does about tokens.
    pub kind: Kind,
    /// What it does about memory.
    pub tuning: Tuning,
}

impl Variant {
    /// The argument that says what a process shall serve.
    pub(crate) fn argument(self) -> String {
        format!("serve-{:?}-{:?}", self.kind, self.tuning).to_lowercase()
    }

    fn all() -> impl Iterator<Item = Self> {
        let tunings = Tuning::OF_THE_GUIDE
            .into_iter()
            .chain([Tuning::ShortConnectTimeout]);
        tunings.flat_map(|tuning| Kind::ALL.map(|kind| Self { kind, tuning }))
    }
}

impl From<Kind> for Variant {
    fn from(kind: Kind) -> Self {
        Self {
            kind,
            tuning: Tuning::Default,
        }
    }
}

impl Kind {
    const ALL: [Self; 9] = [
        Self::Plain,
        Self::Authenticated,
        Self::Complete,
        Self::Revocations,
        Self::RedisRevocations,
        Self::Es256,
        Self::Es256Cached,
        Self::Careless,
        Self::HandWritten,
    ];

    /// How the tokens of its clients are signed.
    pub fn signature(self) -> Signature {
        match self {
            Self::Es256 | Self::Es256Cached => Signature::ES256,
            _ => Signature::HS256,
        }
    }

    async fn add_namespace(self, io: &SocketIo) -> Result<()> {
        match self {
            Self::Plain => io.ns("/", on_connect_plain),
            Self::Careless => io.ns("/", on_connect_careless),
            Self::HandWritten => io.ns(
                "/",
                hand_written::on_connect.with(hand_written::check_token),
            ),
            Self::Authenticated => io.ns("/", on_connect.with(authenticate::middleware()?)),
            Self::Complete => io.ns("/", on_connect.with(complete().build()?)),
            Self::Es256 => io.ns("/", on_connect.with(es256().build()?)),
            Self::Es256Cached => {
                let builder = es256().token_cache(10_000);
                io.ns("/", on_connect.with(builder.build()?));
            }
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

fn es256() -> JwtAuthBuilder<authenticate> {
    authenticate::builder()
        .public_key(PUBLIC_KEY)
        .algorithm("ES256")
}

async fn on_connect_plain(socket: SocketRef) {
    socket.on("post", post);
    socket.on("ask", answer_anybody);
}

async fn on_connect(socket: SocketRef) {
    socket.on("post", post);
    socket.on("ask", answer_user);
}

async fn answer_anybody(ack: AckSender) {
    ack.send("an answer").ok();
}

async fn answer_user(_user: AuthUser<User>, ack: AckSender) {
    ack.send("an answer").ok();
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
    match Variant::all().find(|variant| argument == Some(variant.argument())) {
        Some(variant) => serve(variant).await.map(|()| true),
        None => Ok(false),
    }
}

/// Reports with one line of JSON for every line of its stdin, and ends with it.
async fn serve(Variant { kind, tuning }: Variant) -> Result<()> {
    // Pings would make idle sockets less idle. The first one is sent at once, and clients answer
    // pings only while they wait for something else.
    let builder = SocketIo::builder()
        .ping_interval(Duration::from_hours(1))
        .ping_timeout(Duration::from_hours(1));
    let (router, io) = tuning.router(builder);
    kind.add_namespace(&io).await?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, router).await });

    let mut requests = BufReader::new(stdin()).lines();
    while requests.next_line().await?.is_some() {
        println!("{}", serde_json::to_string(&report(&io)?)?);
    }
    Ok(())
}

fn report(io: &SocketIo) -> Result<Report> {
    // Counting many sockets takes long, and is not what a benchmark measures.
    static REPORTING: Mutex<Duration> = Mutex::new(Duration::ZERO);
    let mut reporting = REPORTING.lock().unwrap_or_else(PoisonError::into_inner);
    let cpu_time: Duration = clock_gettime(ClockId::ProcessCPUTime).try_into()?;
    let start: Duration = clock_gettime(ClockId::ThreadCPUTime).try_into()?;

    let report = Report {
        live_bytes: live_bytes(),
        resident_bytes: Process::myself()?.stat()?.rss_bytes().get(),
        cpu_time: cpu_time - *reporting,
        alive_tasks: Handle::current().metrics().num_alive_tasks(),
        sockets: io.sockets().len(),
    };

    let end: Duration = clock_gettime(ClockId::ThreadCPUTime).try_into()?;
    *reporting += end - start;
    Ok(report)
}
