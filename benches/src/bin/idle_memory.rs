//! What an idle authenticated socket costs against one of the same server without the middleware:
//! memory per socket, with the settings of the guide to tuning and without.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin idle_memory [sockets]`. It needs
//! that many open files.

use socketioxide_jwt_auth_benches::{
    Kind, Load, RemoteServer, Result, Tuning, Variant, in_an_hour, median, per, serve_if_asked,
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

    let variants = Tuning::OF_THE_GUIDE
        .into_iter()
        .flat_map(|tuning| KINDS.map(|kind| Variant { kind, tuning }));
    let mut measured: Vec<_> = variants.map(|variant| (variant, Vec::new())).collect();
    for _ in 0..ROUNDS {
        for (variant, rounds) in &mut measured {
            rounds.push(measure(*variant, sockets).await?);
        }
    }

    let medians = measured.into_iter().map(|(variant, rounds)| {
        let median_of = |part: fn(&Memory) -> f64| median(rounds.iter().map(part).collect());
        let memory = Memory {
            live: median_of(|memory| memory.live),
            resident: median_of(|memory| memory.resident),
            tasks: median_of(|memory| memory.tasks),
        };
        (variant, memory)
    });
    print(&medians.collect::<Vec<_>>());
    Ok(())
}

/// A server of its own each time: memory that was once resident stays so.
async fn measure(variant: Variant, sockets: usize) -> Result<Memory> {
    let mut server = RemoteServer::start(variant).await?;
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

/// The ratios compare with the same settings without the middleware.
fn print(medians: &[(Variant, Memory)]) {
    println!(
        "{:14} {:20} {:>11} {:>6} {:>11} {:>6} {:>6}",
        "per socket", "settings", "live heap", "ratio", "resident", "ratio", "tasks"
    );

    for of_tuning in medians.chunks(KINDS.len()) {
        let (_, plain) = of_tuning[0];
        for (Variant { kind, tuning }, memory) in of_tuning {
            println!(
                "{:14} {:14} {:>11.0} {:>6.3} {:>11.0} {:>6.3} {:>6.2}",
                format!("{kind:?}"),
                format!("{tuning:?}"),
                memory.live,
                memory.live / plain.live,
                memory.resident,
                memory.resident / plain.resident,
                memory.tasks,
            );
        }
    }
}
