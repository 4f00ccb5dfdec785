//! The server that `tests/issuers` sends the tokens of real issuers to.

// The adapter of the example.
#[path = "../../../../examples/cluster/src/adapter.rs"]
mod adapter;
mod config;
mod users;

use std::{error::Error, io};

use axum::Router;
use socketioxide::{SocketIo, adapter::Adapter, handler::ConnectHandler};
use socketioxide_jwt_auth::{JwtAuth, axum::backchannel_logout};
use tokio::{io::AsyncReadExt, net::TcpListener};

use config::Config;
use users::{authenticate, on_connect};

async fn app(config: &Config) -> Result<Router, Box<dyn Error>> {
    let users = config.middleware(false)?;
    let guests = config.middleware(true)?;

    let Some(redis) = &config.redis else {
        let (layer, io) = SocketIo::new_layer();
        let router = router(config, &users, &io)?;
        io.ns("/", on_connect.with(users.clone()));
        io.ns("/guests", on_connect.with(guests));
        io.dyn_ns("/rooms/{name}", on_connect.with(users))?;
        return Ok(router.layer(layer));
    };

    let redis = adapter::connect(redis).await?;
    let builder = SocketIo::builder().with_adapter::<adapter::Adapter>(redis);
    let (layer, io) = builder.build_layer();
    let router = router(config, &users, &io)?;
    io.ns("/", on_connect.with(users.clone())).await?;
    io.ns("/guests", on_connect.with(guests)).await?;
    io.dyn_ns("/rooms/{name}", on_connect.with(users))?;
    Ok(router.layer(layer))
}

fn router<A: Adapter>(
    config: &Config,
    users: &JwtAuth<authenticate>,
    io: &SocketIo<A>,
) -> Result<Router, Box<dyn Error>> {
    let router = Router::new();

    if !config.backchannel_logout {
        return Ok(router);
    }
    Ok(router.route(
        "/backchannel-logout",
        backchannel_logout(users, io.clone())?,
    ))
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
    let app = app(&config).await?;
    let listener = TcpListener::bind(("127.0.0.1", config.port)).await?;
    println!("listening on http://{}", listener.local_addr()?);
    tokio::select! {
        served = async { axum::serve(listener, app).await } => served?,
        () = stdin_closed() => {}
    }
    Ok(())
}
