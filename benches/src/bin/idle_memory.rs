//! What an idle authenticated socket costs against one of the same server without the middleware:
//! memory per socket.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin idle_memory [sockets]`. It needs
//! that many open files.

use socketioxide_jwt_auth_benches::{
    Kind, Load, RemoteServer, Result, in_an_hour, median, per, serve_if_asked,
};

const SOCKETS: usize = 5_000;
const ROUNDS: usize = 3;
const AT_ONCE: usize = 64;

/// Connections before the measurement, so that it does not count what is made once.
const WARM_UP: usize = 100;

const KINDS: [Kind; 3] = [Kind::Plain, Kind::Authenticated, Kind::Complete];

/// Bytes per socket.
#[derive(Clone, Copy)]
struct Memory {
    live: f64,
    resident: f64,
    tasks: f64,
}

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let sockets = std::env::args()
        .nth(1)
        .map_or(Ok(SOCKETS), |number| number.parse())?;

    let mut measured: [Vec<Memory>; KINDS.len()] = Default::default();
    for _ in 0..ROUNDS {
        for (kind, rounds) in KINDS.into_iter().zip(&mut measured) {
            rounds.push(measure(kind, sockets).await?);
        }
    }

    let medians = measured.map(|rounds| Memory {
        live: median(rounds.iter().map(|round| round.live).collect()),
        resident: median(rounds.iter().map(|round| round.resident).collect()),
        tasks: median(rounds.iter().map(|round| round.tasks).collect()),
    });
    print(&medians);
    Ok(())
}

/// A server of its own each time: memory that was once resident stays so.
async fn measure(kind: Kind, sockets: usize) -> Result<Memory> {
    let mut server = RemoteServer::start(kind).await?;
    let idle = server.report().await?;
    let load = Load {
        server: server.address(),
        clients: WARM_UP,
        at_once: AT_ONCE,
        expires_at: in_an_hour(),
    };
    load.connect_and_disconnect().await?;
    let before = server.settled(&idle).await?;

    let clients = Load {
        clients: sockets,
        ..load
    }
    .connect()
    .await?;
    let with_sockets = server.report().await?;
    if with_sockets.sockets != sockets {
        return Err(format!("{} sockets instead of {sockets}", with_sockets.sockets).into());
    }
    drop(clients);
    let difference =
        |before: u64, after: u64| per(after.cast_signed() - before.cast_signed(), sockets);
    Ok(Memory {
        live: difference(before.live_bytes as u64, with_sockets.live_bytes as u64),
        resident: difference(before.resident_bytes, with_sockets.resident_bytes),
        tasks: difference(before.alive_tasks as u64, with_sockets.alive_tasks as u64),
    })
}

fn print(medians: &[Memory; KINDS.len()]) {
    println!(
        "{:14} {:>11} {:>6} {:>11} {:>6} {:>6}",
        "per socket", "live heap", "ratio", "resident", "ratio", "tasks"
    );

    let plain = medians[0];
    for (kind, memory) in KINDS.into_iter().zip(medians) {
        println!(
            "{:14} {:>11.0} {:>6.3} {:>11.0} {:>6.3} {:>6.2}",
            format!("{kind:?}"),
            memory.live,
            memory.live / plain.live,
            memory.resident,
            memory.resident / plain.resident,
            memory.tasks,
        );
    }
}
