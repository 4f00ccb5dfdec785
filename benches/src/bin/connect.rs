//! Connecting with the middleware against connecting without: the server's computing time, and the
//! clients' waiting. The same clients with the same tokens come back in each round. The argument is
//! the URL of a Redis for revocations, which may be left out.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin connect redis://127.0.0.1:6379`

use std::{
    env,
    time::{Duration, Instant},
};

use socketioxide_jwt_auth_benches::{
    Kind, Load, RemoteServer, Result, in_an_hour, median, serve_if_asked, signed_token,
};

const ROUNDS: usize = 11;
const CONNECTIONS_PER_ROUND: u32 = 2_000;
const AT_ONCE: usize = 32;

const KINDS: [Kind; 7] = [
    Kind::Plain,
    Kind::Authenticated,
    Kind::Es256,
    Kind::Es256Cached,
    Kind::Complete,
    Kind::Revocations,
    Kind::RedisRevocations,
];

/// Times per connection.
#[derive(Default)]
struct Rounds {
    clients: Vec<Duration>,
    server: Vec<Duration>,
}

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let mut servers = Vec::new();
    let has_redis = env::args().nth(1).is_some();
    let kinds = KINDS
        .into_iter()
        .filter(|kind| has_redis || *kind != Kind::RedisRevocations);
    for kind in kinds {
        let mut server = RemoteServer::start(kind).await?;
        let tokens = tokens(kind)?;
        // The first round opens what stays open, and fills the cache; it does not count.
        round(&mut server, &tokens, &mut Rounds::default()).await?;
        servers.push((kind, server, tokens, Rounds::default()));
    }

    for _ in 0..ROUNDS {
        for (_, server, tokens, rounds) in &mut servers {
            round(server, tokens, rounds).await?;
        }
    }

    print(
        servers
            .into_iter()
            .map(|(kind, _, _, rounds)| (kind, rounds))
            .collect(),
    );
    Ok(())
}

/// A token of each client.
fn tokens(kind: Kind) -> Result<Vec<String>> {
    (0..CONNECTIONS_PER_ROUND)
        .map(|number| signed_token(kind.signature(), &format!("user-{number}"), in_an_hour()))
        .collect()
}

async fn round(server: &mut RemoteServer, tokens: &[String], rounds: &mut Rounds) -> Result<()> {
    let before = server.report().await?;
    let start = Instant::now();

    let load = Load {
        server: server.address(),
        clients: tokens.len(),
        at_once: AT_ONCE,
        expires_at: in_an_hour(),
    };
    load.visit_with(tokens).await?;
    rounds.clients.push(start.elapsed() / CONNECTIONS_PER_ROUND);

    let after = server.settled(&before).await?;
    rounds
        .server
        .push((after.cpu_time - before.cpu_time) / CONNECTIONS_PER_ROUND);
    Ok(())
}

fn print(measured: Vec<(Kind, Rounds)>) {
    let medians = measured
        .into_iter()
        .map(|(kind, rounds)| (kind, median(rounds.clients), median(rounds.server)));
    let medians: Vec<_> = medians.collect();
    let (_, plain_clients, plain_server) = medians[0];
    let (_, _, hs256_server) = medians[1];

    println!(
        "{:16} {:>13} {:>6} {:>16} {:>6} {:>16}",
        "per connection", "clients' time", "ratio", "server's CPU", "ratio", "to Authenticated"
    );

    for (kind, clients, server) in medians {
        println!(
            "{:16} {clients:>13?} {:>6.3} {server:>16?} {:>6.3} {:>16.3}",
            format!("{kind:?}"),
            clients.div_duration_f64(plain_clients),
            server.div_duration_f64(plain_server),
            server.div_duration_f64(hs256_server),
        );
    }
}
