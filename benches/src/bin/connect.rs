//! Connecting with the middleware against connecting without: the server's computing time, and the clients' waiting.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin connect`

use std::time::Instant;

use socketioxide_jwt_auth_benches::{Kind, Load, RemoteServer, Result, median, serve_if_asked};

const ROUNDS: usize = 11;
const CONNECTIONS_PER_ROUND: usize = 2_000;
const AT_ONCE: usize = 32;

const KINDS: [Kind; 3] = [Kind::Plain, Kind::Authenticated, Kind::Complete];

#[derive(Default)]
struct Rounds {
    seconds: Vec<f64>,
    cpu_ticks: Vec<u64>,
}

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }
    let mut servers = Vec::new();
    for kind in KINDS {
        let mut server = RemoteServer::start(kind).await?;
        // The first round opens what stays open; it does not count.
        round(&mut server, &mut Rounds::default()).await?;
        servers.push((kind, server, Rounds::default()));
    }
    for _ in 0..ROUNDS {
        for (_, server, rounds) in &mut servers {
            round(server, rounds).await?;
        }
    }
    print(servers.into_iter().map(|(kind, _, rounds)| (kind, rounds)).collect());
    Ok(())
}

async fn round(server: &mut RemoteServer, rounds: &mut Rounds) -> Result<()> {
    let before = server.report().await?;
    let start = Instant::now();
    let load = Load { server: server.address(), clients: CONNECTIONS_PER_ROUND, at_once: AT_ONCE };
    load.connect_and_disconnect().await?;
    rounds.seconds.push(start.elapsed().as_secs_f64());
    let after = server.settled(&before).await?;
    rounds.cpu_ticks.push(after.cpu_ticks - before.cpu_ticks);
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a measurement is not that exact")]
fn print(measured: Vec<(Kind, Rounds)>) {
    let medians: Vec<_> = measured
        .into_iter()
        .map(|(kind, rounds)| (kind, median(rounds.seconds), median(rounds.cpu_ticks) as f64))
        .collect();
    let (_, plain_seconds, plain_ticks) = medians[0];
    println!("{:14} {:>14} {:>6} {:>16} {:>6}", "", "connects/s", "ratio", "server CPU ticks", "ratio");
    for (kind, seconds, ticks) in medians {
        println!(
            "{:14} {:>14.0} {:>6.3} {:>16.0} {:>6.3}",
            format!("{kind:?}"),
            CONNECTIONS_PER_ROUND as f64 / seconds,
            plain_seconds / seconds,
            ticks,
            ticks / plain_ticks,
        );
    }
}
