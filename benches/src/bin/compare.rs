//! This crate against no authentication, a middleware written by hand, and Socket.IO with Node.js:
//! the server's CPU time for a connection, an event and a refusal, and its memory per idle socket.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin compare [divisor]` measures
//! the full sizes or, with a divisor, smaller ones, and writes the results for `charts`.
//! `benches/run` does both.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

use futures_util::{StreamExt, TryStreamExt, future::try_join_all, stream};
use socketioxide_jwt_auth_benches::{
    Client, Comparison, Cores, Peer, RemoteServer, Report, Result, Row, Signature, in_an_hour,
    machine_load, per, serve_if_asked, signed_token, token,
};

/// How many clients connect at the same time, and how many emit events.
const AT_ONCE: usize = 32;

/// Rounds that do not count, in which a just-in-time compiler compiles, and allocators grow.
const WARM_UP_ROUNDS: usize = 5;

/// Connections before memory is measured, so that it does not count what is made once.
const WARM_UP_CONNECTIONS: usize = 200;

/// What is measured, on a quiet machine in about ten minutes.
struct Sizes {
    divisor: usize,
    rounds: usize,
    connections: usize,
    events: usize,
    memory_rounds: usize,
    sockets: usize,
}

impl Sizes {
    fn divided_by(divisor: usize) -> Self {
        let divided = |full: usize, least: usize| (full / divisor).max(least);
        Self {
            divisor,
            rounds: divided(21, 3),
            connections: divided(1_500, AT_ONCE),
            events: divided(30_000, AT_ONCE) / AT_ONCE * AT_ONCE,
            memory_rounds: divided(5, 3),
            sockets: divided(2_000, AT_ONCE),
        }
    }
}

/// What the chart of a scenario says.
struct Scenario {
    name: &'static str,
    title: &'static str,
    measure: &'static str,
    /// How often and with what.
    amount: String,
}

struct Contestant {
    peer: Peer,
    server: RemoteServer,
    /// The sockets that stay open.
    clients: Vec<Client>,
}

struct Contest {
    cores: Cores,
    sizes: Sizes,
    contestants: Vec<Contestant>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let divisor = env::args().nth(1).map_or(Ok(1), |number| number.parse())?;

    let mut contest = Contest {
        cores: Cores::split()?,
        sizes: Sizes::divided_by(divisor),
        contestants: Vec::new(),
    };
    contest.start().await?;
    contest.connect().await?;
    contest.refuse().await?;
    contest.event().await?;
    contest.idle_memory().await
}

impl Contest {
    async fn start(&mut self) -> Result<()> {
        for peer in Peer::ALL {
            if peer.is_installed() {
                let contestant = self.contestant(peer).await?;
                self.contestants.push(contestant);
            } else {
                eprintln!(
                    "left out until `npm ci` in benches/peers: {} with {}",
                    peer.name(),
                    peer.group()
                );
            }
        }
        Ok(())
    }

    async fn contestant(&self, peer: Peer) -> Result<Contestant> {
        self.cores.enter_servers()?;
        let server = RemoteServer::spawn(peer.command()?).await?;
        self.cores.enter_clients()?;
        Ok(Contestant {
            peer,
            server,
            clients: Vec::new(),
        })
    }

    async fn connect(&mut self) -> Result<()> {
        let connections = self.sizes.connections;
        let scenario = Scenario {
            name: "connect",
            title: "Connect and disconnect",
            measure: "the server's CPU time for a connection",
            amount: format!("{connections} connections, {AT_ONCE} at once"),
        };
        self.cpu_time(scenario, connections, async |contestant| {
            let visits = (0..connections).map(|_| contestant.visit());
            run(visits).await
        })
        .await
    }

    async fn refuse(&mut self) -> Result<()> {
        let connections = self.sizes.connections;
        let scenario = Scenario {
            name: "refuse",
            title: "Refuse a forged token",
            measure: "the server's CPU time for a connection with a token of another secret; \
                      without authentication it is let in",
            amount: format!("{connections} connections, {AT_ONCE} at once"),
        };
        self.cpu_time(scenario, connections, async |contestant| {
            if contestant.peer.authenticates() {
                let intrusions = (0..connections).map(|_| contestant.intrude());
                run(intrusions).await
            } else {
                let visits = (0..connections).map(|_| contestant.visit());
                run(visits).await
            }
        })
        .await
    }

    async fn event(&mut self) -> Result<()> {
        for contestant in &mut self.contestants {
            contestant.clients = contestant.connect(AT_ONCE).await?;
        }

        let events = self.sizes.events;
        let scenario = Scenario {
            name: "event",
            title: "Answer an event",
            measure: "the server's CPU time for an event with acknowledgement, whose handler takes \
                      the user",
            amount: format!("{events} events from {AT_ONCE} sockets"),
        };
        self.cpu_time(scenario, events, async |contestant| {
            let asking = contestant.clients.iter_mut();
            let asking = asking.map(|client| ask(client, events / AT_ONCE));
            try_join_all(asking).await.map(drop)
        })
        .await
    }

    /// Measures the CPU time of the servers per operation in turns. `load` makes all operations of
    /// a round.
    async fn cpu_time(
        &mut self,
        scenario: Scenario,
        operations: usize,
        load: impl AsyncFn(&mut Contestant) -> Result<()>,
    ) -> Result<()> {
        let load_average = machine_load()?;
        let mut rows: Vec<_> = self.contestants.iter().map(Contestant::row).collect();

        for round in 0..WARM_UP_ROUNDS + self.sizes.rounds {
            for (contestant, row) in self.contestants.iter_mut().zip(&mut rows) {
                let before = contestant.server.report().await?;
                load(contestant).await?;
                let after = contestant.server.without_new_sockets(&before).await?;

                check_sockets(&after, before.sockets)?;
                if round >= WARM_UP_ROUNDS {
                    let cpu_time = after.cpu_time - before.cpu_time;
                    let nanoseconds = i64::try_from(cpu_time.as_nanos())?;
                    row.rounds.push(per(nanoseconds, operations) / 1_000.0);
                }
            }
        }

        self.write(scenario, "µs", self.sizes.rounds, &load_average, rows)
    }

    /// Measures memory in turns, each time with a server of its own: memory that was once resident
    /// stays so.
    async fn idle_memory(&mut self) -> Result<()> {
        let load_average = machine_load()?;
        let (mut resident, mut live): (Vec<_>, Vec<_>) = self
            .contestants
            .drain(..)
            .map(|contestant| (contestant.row(), contestant.row()))
            .unzip();
        let peers = Peer::ALL.into_iter().filter(|peer| peer.is_installed());
        let peers: Vec<_> = peers.collect();

        for _ in 0..self.sizes.memory_rounds {
            for (index, peer) in peers.iter().enumerate() {
                let [before, after] = self.memory_of_sockets(*peer).await?;
                let growth = |from: u64, to: u64| {
                    per(to.cast_signed() - from.cast_signed(), self.sizes.sockets) / 1_024.0
                };
                resident[index]
                    .rounds
                    .push(growth(before.resident_bytes, after.resident_bytes));
                live[index]
                    .rounds
                    .push(growth(before.live_bytes as u64, after.live_bytes as u64));
            }
        }

        let scenario = |name, title, measure| Scenario {
            name,
            title,
            measure,
            amount: format!("{} sockets", self.sizes.sockets),
        };
        let rounds = self.sizes.memory_rounds;
        let of_resident = scenario(
            "idle_resident",
            "Resident memory of an idle socket",
            "what the server's process grows by for a socket, after a collection of garbage",
        );
        self.write(of_resident, "KiB", rounds, &load_average, resident)?;
        let of_live = scenario(
            "idle_heap",
            "Live heap of an idle socket",
            "what the server has allocated and not freed for a socket, after a collection of garbage",
        );
        self.write(of_live, "KiB", rounds, &load_average, live)
    }

    async fn memory_of_sockets(&self, peer: Peer) -> Result<[Report; 2]> {
        let mut contestant = self.contestant(peer).await?;
        let idle = contestant.server.report().await?;
        run((0..WARM_UP_CONNECTIONS).map(|_| contestant.visit())).await?;
        contestant.server.settled(&idle).await?;
        let before = contestant.server.report_without_garbage().await?;

        let clients = contestant.connect(self.sizes.sockets).await?;
        let after = contestant.server.report_without_garbage().await?;
        check_sockets(&after, clients.len())?;
        Ok([before, after])
    }

    fn write(
        &self,
        scenario: Scenario,
        unit: &str,
        rounds: usize,
        load_average: &str,
        rows: Vec<Row>,
    ) -> Result<()> {
        let comparison = Comparison {
            title: scenario.title.to_owned(),
            measure: scenario.measure.to_owned(),
            unit: unit.to_owned(),
            command: format!(
                "cargo run --release -p socketioxide-jwt-auth-benches --bin compare {}",
                self.sizes.divisor
            ),
            conditions: format!(
                "{rounds} rounds of {}; load average {load_average} before and {} after",
                scenario.amount,
                machine_load()?
            ),
            rows,
        };
        comparison.write(scenario.name)?;
        println!("{}", scenario.name);
        Ok(())
    }
}

impl Contestant {
    fn row(&self) -> Row {
        Row {
            group: self.peer.group().to_owned(),
            name: self.peer.name().to_owned(),
            role: self.peer.role(),
            rounds: Vec::new(),
        }
    }

    async fn client(&self) -> Result<Client> {
        let auth = self.peer.payload(&token(&next_user(), in_an_hour())?);
        Client::connect_with(self.server.address(), &auth).await
    }

    async fn connect(&self, clients: usize) -> Result<Vec<Client>> {
        stream::iter((0..clients).map(|_| self.client()))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    async fn visit(&self) -> Result<()> {
        self.client().await?.leave().await
    }

    async fn intrude(&self) -> Result<()> {
        let auth = self.peer.payload(&signed_token(
            Signature::Forged,
            &next_user(),
            in_an_hour(),
        )?);
        let client = Client::refused_with(self.server.address(), &auth).await?;
        client.close().await
    }
}

/// Returns the name of a user who has not connected before.
fn next_user() -> String {
    static USERS: AtomicU64 = AtomicU64::new(0);
    format!("user-{}", USERS.fetch_add(1, Ordering::Relaxed))
}

async fn run(connections: impl Iterator<Item = impl Future<Output = Result<()>>>) -> Result<()> {
    stream::iter(connections)
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}

async fn ask(client: &mut Client, times: usize) -> Result<()> {
    for _ in 0..times {
        let answer = client.ask("ask").await?;
        if answer != r#"["an answer"]"# {
            return Err(format!("an event was answered with {answer}").into());
        }
    }
    Ok(())
}

fn check_sockets(report: &Report, expected: usize) -> Result<()> {
    if report.sockets == expected {
        return Ok(());
    }
    Err(format!(
        "the server has {} sockets instead of {expected}",
        report.sockets
    )
    .into())
}
