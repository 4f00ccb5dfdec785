//! The server that the JavaScript clients of `tests/interop` talk to.
//!
//! Protocol 4 connects every client to `/` first, so what `/` demands cannot be chosen by the
//! client's namespace. Therefore several Socket.IO servers listen on one port, each under its own
//! path and with its own `/`; the named namespaces are the same on all of them.

mod accounts;
mod directory;
mod handlers;
mod sessions;

use std::{error::Error, io};

use axum::Router;
use socketioxide::{SocketIo, extract::State, handler::ConnectHandler, layer::SocketIoLayer};
use socketioxide_jwt_auth::{ConfigError, JwtAuth, jwt_auth};
use tokio::{io::AsyncReadExt, net::TcpListener};

use accounts::{find_account, on_account};
use directory::{Claims, Directory, User};
use handlers::{on_admin, on_connect, on_member, open_to_all};
use sessions::{Gates, log_in, on_session};

#[jwt_auth(secret_env = "INTEROP_SECRET")]
async fn users(
    claims: Claims,
    State(directory): State<Directory>,
) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    directory.find(&claims.sub)
}

#[jwt_auth(secret_env = "INTEROP_SECRET", guest = true)]
fn guests(
    claims: Claims,
    State(directory): State<Directory>,
) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    directory.find(&claims.sub)
}

/// The middlewares, built once and shared by every server and namespace.
struct Auth {
    users: JwtAuth<users>,
    guests: JwtAuth<guests>,
    accounts: JwtAuth<find_account>,
    sessions: JwtAuth<log_in>,
    impatient: JwtAuth<log_in>,
}

impl Auth {
    fn from_env() -> Result<Self, ConfigError> {
        Ok(Self {
            users: users::middleware()?,
            guests: guests::middleware()?,
            accounts: find_account::middleware()?,
            sessions: log_in::middleware()?,
            impatient: log_in::builder().guest_timeout("2s").build()?,
        })
    }
}

fn server(path: &'static str, auth: &Auth) -> Result<(SocketIoLayer, SocketIo), Box<dyn Error>> {
    let (layer, io) = SocketIo::builder()
        .req_path(path)
        .with_state(Directory::new())
        .with_state(Gates::default())
        .build_layer();

    io.ns("/users", on_connect.with(auth.users.clone()));
    io.ns("/guests", on_connect.with(auth.guests.clone()));
    io.ns("/members", on_member.with(auth.guests.clone()));
    io.ns("/admins", on_admin.with(auth.guests.clone()));
    io.ns("/accounts", on_account.with(auth.accounts.clone()));
    io.dyn_ns("/tenants/{name}", on_connect.with(auth.users.clone()))?;
    io.dyn_ns("/sessions/{name}", on_session.with(auth.sessions.clone()))?;
    io.dyn_ns("/impatient/{name}", on_session.with(auth.impatient.clone()))?;

    Ok((layer, io))
}

fn app(auth: &Auth) -> Result<Router, Box<dyn Error>> {
    let (open_layer, open) = server("/open", auth)?;
    open.ns("/", open_to_all);
    let (users_layer, users) = server("/users", auth)?;
    users.ns("/", on_connect.with(auth.users.clone()));
    let (guests_layer, guests) = server("/guests", auth)?;
    guests.ns("/", on_connect.with(auth.guests.clone()));

    let (members_layer, members) = server("/members", auth)?;
    members.ns("/", on_member.with(auth.guests.clone()));
    let (sessions_layer, sessions) = server("/sessions", auth)?;
    sessions.ns("/", on_session.with(auth.sessions.clone()));
    Ok(Router::new()
        .layer(open_layer)
        .layer(users_layer)
        .layer(guests_layer)
        .layer(members_layer)
        .layer(sessions_layer))
}

/// Returns when stdin is closed. The process that started the server holds it, so the server ends
/// with that process.
async fn stdin_closed() {
    let mut stdin = tokio::io::stdin();
    let mut ignored = [0; 64];
    while matches!(stdin.read(&mut ignored).await, Ok(1..)) {}
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // Every event of the crate itself, so that the tests can look for what must not be in the log.
    // socketioxide's own events show auth payloads.
    tracing_subscriber::fmt()
        .with_env_filter("socketioxide_jwt_auth=trace")
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();

    let port: u16 = std::env::args().nth(1).map_or(Ok(0), |port| port.parse())?;
    let app = app(&Auth::from_env()?)?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        () = stdin_closed() => {}
    }
    Ok(())
}
