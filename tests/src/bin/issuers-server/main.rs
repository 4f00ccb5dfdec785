//! The server that `tests/issuers` sends the tokens of real issuers to.

mod config;
mod users;

use std::{error::Error, io};

use axum::Router;
use socketioxide::{SocketIo, handler::ConnectHandler};
use tokio::{io::AsyncReadExt, net::TcpListener};

use config::Config;
use users::on_connect;

fn app(config: &Config) -> Result<Router, Box<dyn Error>> {
    let users = config.middleware(false)?;
    let guests = config.middleware(true)?;
    let (layer, io) = SocketIo::new_layer();

    io.ns("/", on_connect.with(users.clone()));
    io.ns("/guests", on_connect.with(guests));
    io.dyn_ns("/rooms/{name}", on_connect.with(users))?;

    Ok(Router::new().layer(layer))
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
    // With the details of refusals, which tell why a test failed.
    tracing_subscriber::fmt()
        .with_env_filter("socketioxide_jwt_auth=debug")
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();

    let config = Config::from_args()?;
    let app = app(&config)?;
    let listener = TcpListener::bind(("127.0.0.1", config.port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        () = stdin_closed() => {}
    }
    Ok(())
}
