//! What happens when a server is lost: all of its clients come back at once. Measures a restart with
//! the middleware against one without, in turns, and computes from it how long a cluster takes.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin storm [clients]`. It needs that many
//! open files.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use socketioxide_jwt_auth_benches::{
    Client, Comparison, Kind, Load, RemoteServer, Result, Role, Row, Tuning, Variant, in_an_hour,
    machine_load, median, serve_if_asked, token,
};

const CLIENTS: usize = 10_000;
const ROUNDS: usize = 5;
const AT_ONCE_BEFORE: usize = 64;

const KINDS: [Kind; 2] = [Kind::Plain, Kind::Authenticated];

/// The sockets of the cluster that is computed.
const SOCKETS: u32 = 1_000_000;

/// What socket.io-client waits before its first attempt: a second, with half of it as jitter to
/// either side. It gives an attempt up after 20 seconds.
const FIRST_ATTEMPTS: (f64, f64) = (0.5, 1.5);
const CONNECT_TIMEOUT: f64 = 20.0;

/// A restart, from the moment at which the new server listens.
#[derive(Clone, Copy)]
struct Storm {
    half: Duration,
    last: Duration,
    server_per_client: Duration,
}

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let clients = std::env::args()
        .nth(1)
        .map_or(Ok(CLIENTS), |number| number.parse())?;

    let load_average = machine_load()?;
    let mut measured: [Vec<Storm>; KINDS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (kind, storms) in KINDS.into_iter().zip(&mut measured) {
            storms.push(restart(kind, clients).await?);
        }
    }

    write(&measured, clients, &load_average)?;
    let medians = measured.map(|storms| Storm {
        half: median(storms.iter().map(|storm| storm.half).collect()),
        last: median(storms.iter().map(|storm| storm.last).collect()),
        server_per_client: median(storms.iter().map(|storm| storm.server_per_client).collect()),
    });
    print(&medians);
    compute(medians[1].server_per_client);
    Ok(())
}

/// Ends a server with clients, starts another one, and lets all clients connect at once. Fails if
/// one of them is refused.
async fn restart(kind: Kind, clients: usize) -> Result<Storm> {
    let variant = Variant {
        kind,
        tuning: Tuning::LayerAndBuffer,
    };
    let lost = RemoteServer::start(variant).await?;
    let load = Load {
        server: lost.address(),
        clients,
        at_once: AT_ONCE_BEFORE,
        expires_at: in_an_hour(),
    };
    let connected = load.connect().await?;
    drop(lost);
    drop(connected);

    let mut server = RemoteServer::start(variant).await?;
    let address = server.address();
    let tokens = (0..clients).map(|number| token(&format!("user-{number}"), in_an_hour()));
    let tokens = tokens.collect::<Result<Vec<_>>>()?;
    let before = server.report().await?;
    let start = Instant::now();

    let connecting = tokens.iter().map(|token| async move {
        let client = Client::connect(address, token).await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>((client, start.elapsed()))
    });
    let connected: Vec<_> = stream::iter(connecting)
        .buffer_unordered(clients)
        .try_collect()
        .await?;

    let after = server.report().await?;
    if after.sockets != clients {
        return Err(format!("{} sockets instead of {clients}", after.sockets).into());
    }
    let times = connected.iter().map(|(_, time)| *time);
    Ok(Storm {
        half: median(times.clone().collect()),
        last: times.max().unwrap_or_default(),
        server_per_client: (after.cpu_time - before.cpu_time) / u32::try_from(clients)?,
    })
}

/// Writes the results for `charts`.
fn write(measured: &[Vec<Storm>; KINDS.len()], clients: usize, load_average: &str) -> Result<()> {
    let rows = |value: fn(&Storm) -> f64| {
        let variants = [
            ("no authentication", Role::Baseline),
            ("this crate, defaults", Role::Ours),
        ];
        let row = |((name, role), storms): ((&str, Role), &Vec<Storm>)| Row {
            group: "socketioxide".to_owned(),
            name: name.to_owned(),
            role,
            rounds: storms.iter().map(value).collect(),
        };
        variants.into_iter().zip(measured).map(row).collect()
    };
    let comparison = |measure: &str, unit: &str, rows| -> Result<_> {
        Ok(Comparison {
            title: format!("All {clients} clients connect at once"),
            measure: measure.to_owned(),
            unit: unit.to_owned(),
            command: format!(
                "cargo run --release -p socketioxide-jwt-auth-benches --bin storm {clients}"
            ),
            conditions: format!(
                "{ROUNDS} rounds, clients and server share the cores; load average {load_average} \
                 before and {} after",
                machine_load()?
            ),
            rows,
        })
    };

    let cpu = rows(|storm| storm.server_per_client.as_secs_f64() * 1e6);
    comparison("the server's CPU time for a client", "µs", cpu)?.write("storm_cpu")?;
    let last = rows(|storm| storm.last.as_secs_f64());
    comparison("the time until all are connected", "s", last)?.write("storm_time")
}

fn print(medians: &[Storm; KINDS.len()]) {
    println!(
        "{:14} {:>12} {:>12} {:>6} {:>16} {:>6}",
        "restart", "half", "all", "ratio", "CPU per client", "ratio"
    );

    let plain = medians[0];
    for (kind, storm) in KINDS.into_iter().zip(medians) {
        println!(
            "{:14} {:>12.1?} {:>12.1?} {:>6.3} {:>16.1?} {:>6.3}",
            format!("{kind:?}"),
            storm.half,
            storm.last,
            storm.last.div_duration_f64(plain.last),
            storm.server_per_client,
            storm
                .server_per_client
                .div_duration_f64(plain.server_per_client),
        );
    }
}

/// Prints how long it takes until all sockets of a lost node are back on the others, if each node
/// has so many cores. The attempts arrive evenly, and wait in the order of their arrival.
fn compute(cpu_per_client: Duration) {
    println!("\n{SOCKETS} sockets, one node is lost:");
    println!(
        "{:>6} {:>6} {:>16} {:>12} {:>14}",
        "nodes", "cores", "clients a node", "all back", "longest wait"
    );

    let (earliest, latest) = FIRST_ATTEMPTS;
    for (nodes, cores) in [(2, 4), (4, 4), (8, 4), (20, 4), (20, 1)] {
        let clients = f64::from(SOCKETS) / f64::from(nodes) / f64::from(nodes - 1);
        let work = clients * cpu_per_client.as_secs_f64() / f64::from(cores);
        let wait = (work - (latest - earliest)).max(0.0);
        let verdict = if wait > CONNECT_TIMEOUT {
            "  clients give up, and try again"
        } else {
            ""
        };
        println!(
            "{nodes:>6} {cores:>6} {clients:>16.0} {:>10.1} s {wait:>12.1} s{verdict}",
            latest + wait
        );
    }
}
