//! Connecting to a server that has many sockets against connecting to one that has few: the
//! server's computing time, and the clients' waiting.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin growth [sockets]`. It needs a tenth
//! more open files than sockets.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use socketioxide_jwt_auth_benches::{
    Client, Kind, Load, RemoteServer, Result, Tuning, Variant, in_an_hour, median, serve_if_asked,
    token,
};

const FEW: usize = 1_000;
const MANY: usize = 20_000;
const ROUNDS: usize = 11;
const CONNECTIONS_PER_ROUND: u32 = 1_000;
const AT_ONCE: usize = 32;

/// A server with idle sockets, and times per connection to it.
struct Crowd {
    server: RemoteServer,
    idle: Vec<Client>,
    clients: Vec<Duration>,
    computing: Vec<Duration>,
}

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let many = std::env::args()
        .nth(1)
        .map_or(Ok(MANY), |number| number.parse())?;
    let mut crowds = [Crowd::of(FEW).await?, Crowd::of(many).await?];

    for _ in 0..ROUNDS {
        for crowd in &mut crowds {
            crowd.round().await?;
        }
    }

    print(crowds);
    Ok(())
}

impl Crowd {
    async fn of(sockets: usize) -> Result<Self> {
        let server = RemoteServer::start(Variant {
            kind: Kind::Complete,
            tuning: Tuning::LayerAndBuffer,
        })
        .await?;
        let connecting = (0..sockets).map(|number| {
            let server = server.address();
            async move {
                let token = token(&format!("idle-{number}"), in_an_hour())?;
                Client::connect_from(source(number), server, &token).await
            }
        });
        let idle = stream::iter(connecting)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;

        let mut crowd = Self {
            server,
            idle,
            clients: Vec::new(),
            computing: Vec::new(),
        };
        // The first round opens what stays open; it does not count.
        crowd.round().await?;
        crowd.clients.clear();
        crowd.computing.clear();
        Ok(crowd)
    }

    async fn round(&mut self) -> Result<()> {
        let before = self.server.report().await?;
        let start = Instant::now();
        let load = Load {
            server: self.server.address(),
            clients: CONNECTIONS_PER_ROUND as usize,
            at_once: AT_ONCE,
            expires_at: in_an_hour(),
        };
        load.connect_and_disconnect().await?;
        self.clients.push(start.elapsed() / CONNECTIONS_PER_ROUND);

        let after = self.server.settled(&before).await?;
        if after.sockets != self.idle.len() {
            return Err(format!("{} sockets", after.sockets).into());
        }
        self.computing
            .push((after.cpu_time - before.cpu_time) / CONNECTIONS_PER_ROUND);
        Ok(())
    }
}

/// Returns the address of an idle client, which a thousand of them share.
fn source(client: usize) -> Ipv4Addr {
    let last = u8::try_from(2 + client / 1_000).unwrap_or(u8::MAX);
    Ipv4Addr::new(127, 0, 0, last)
}

fn print(crowds: [Crowd; 2]) {
    let medians = crowds.map(|crowd| {
        let sockets = crowd.idle.len();
        (sockets, median(crowd.clients), median(crowd.computing))
    });
    let (_, few_clients, few_computing) = medians[0];

    println!(
        "{:>12} {:>13} {:>6} {:>16} {:>6}",
        "open sockets", "clients' time", "ratio", "server's CPU", "ratio"
    );
    for (sockets, clients, computing) in medians {
        println!(
            "{sockets:>12} {clients:>13?} {:>6.3} {computing:>16?} {:>6.3}",
            clients.div_duration_f64(few_clients),
            computing.div_duration_f64(few_computing),
        );
    }
}
