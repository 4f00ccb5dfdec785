//! How late the clients are told, and disconnected, when the tokens of many sockets expire at the
//! same instant.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin expiry [sockets]`

use std::time::{Duration, SystemTime};

use futures_util::future::try_join_all;
use socketioxide_jwt_auth_benches::{Client, Kind, Load, RemoteServer, Result, serve_if_asked};

const SOCKETS: usize = 1_000;
const AT_ONCE: usize = 64;

/// In which all of them must connect.
const LEAD: Duration = Duration::from_secs(5);

/// The middleware's default.
const LEEWAY: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let clients = std::env::args()
        .nth(1)
        .map_or(Ok(SOCKETS), |number| number.parse())?;
    let mut server = RemoteServer::start(Kind::Authenticated).await?;
    let idle = server.report().await?;

    let end = SystemTime::now() + LEAD;
    let load = Load {
        server: server.address(),
        clients,
        at_once: AT_ONCE,
        expires_at: end - LEEWAY,
    };
    let sockets = load.connect().await?;
    if SystemTime::now() >= end {
        return Err("not all sockets were connected before the first expired".into());
    }

    let ends = try_join_all(sockets.into_iter().map(Client::end)).await?;
    let mut delays = ends
        .into_iter()
        .map(|at| at.duration_since(end))
        .collect::<Result<Vec<_>, _>>()?;
    delays.sort_unstable();

    println!("disconnected after `exp` and leeway: {clients} sockets");
    println!(
        "first {:?}, median {:?}, last {:?}",
        delays[0],
        delays[clients / 2],
        delays[clients - 1]
    );

    let report = server.settled(&idle).await?;
    println!(
        "left on the server: {} sockets, {} tasks",
        report.sockets,
        report.alive_tasks - idle.alive_tasks
    );
    Ok(())
}
