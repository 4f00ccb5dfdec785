//! What is left of 200,000 connections once they are closed, half of which had hour-long tokens and
//! half of which were refused: memory and tasks must be flat.
//!
//! `cargo run --release -p socketioxide-jwt-auth-benches --bin soak [connections]`

use socketioxide_jwt_auth_benches::{
    Kind, Load, RemoteServer, Report, Result, Tuning, Variant, in_an_hour, per, serve_if_asked,
};

const CONNECTIONS: usize = 200_000;
const STEPS: usize = 10;
const AT_ONCE: usize = 64;

/// The control shows at once what it keeps, and each of its steps waits in vain for it to be let
/// go.
const STEPS_OF_CONTROL: usize = 2;

/// Far less than the least that one connection could leave behind, and more than the noise of hash
/// tables.
const FLAT: f64 = 8.0;

/// Refused connections before the first step: more than the limiter of refusals remembers, which
/// forgets the oldest for each new one.
const REFUSED_BEFORE: usize = 9_000;

/// The growth of a server from its first step, after which every table has its size, to its last.
struct Growth {
    bytes_per_connection: f64,
    /// For information: it follows the most connections that were ever open or kept at once, which
    /// depends on the speed of the machine.
    resident_bytes: u64,
    /// Against the idle server before all connections.
    tasks: usize,
}

impl Growth {
    fn is_flat(&self) -> bool {
        self.bytes_per_connection < FLAT && self.tasks == 0
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    if serve_if_asked().await? {
        return Ok(());
    }

    let connections = std::env::args()
        .nth(1)
        .map_or(Ok(CONNECTIONS), |number| number.parse())?;

    println!("The middleware, with everything that concerns a session's life:");
    let growth = soak(Kind::Complete, STEPS, connections / STEPS).await?;
    println!("The control, an application with a timer of its own that holds the socket:");
    let control = soak(
        Kind::Careless,
        STEPS_OF_CONTROL,
        connections / STEPS / STEPS,
    )
    .await?;

    if !growth.is_flat() {
        return Err("the middleware keeps something of closed connections".into());
    }
    if control.is_flat() {
        return Err("this benchmark does not see what the control keeps".into());
    }
    Ok(())
}

async fn soak(kind: Kind, steps: usize, connections_per_step: usize) -> Result<Growth> {
    let mut server = RemoteServer::start(Variant {
        kind,
        tuning: Tuning::ShortConnectTimeout,
    })
    .await?;
    println!(
        "{:>11} {:>14} {:>14} {:>6} {:>7}",
        "connections", "live heap", "resident", "tasks", "sockets"
    );
    let idle = server.report().await?;
    print(0, &idle);

    let load = Load {
        server: server.address(),
        clients: connections_per_step,
        at_once: AT_ONCE,
        expires_at: in_an_hour(),
    };
    if kind != Kind::Careless {
        let before = Load {
            clients: REFUSED_BEFORE,
            ..load
        };
        before.be_refused().await?;
    }

    let mut reports = Vec::new();
    for step in 1..=steps {
        if kind == Kind::Careless {
            load.connect_and_disconnect().await?;
        } else {
            let half = Load {
                clients: connections_per_step / 2,
                ..load
            };
            half.connect_and_disconnect().await?;
            half.be_refused().await?;
        }
        let report = server.settled(&idle).await?;
        print(step * connections_per_step, &report);
        reports.push(report);
    }

    let (first, last) = (reports[0], reports[steps - 1]);
    let bytes = last.live_bytes.cast_signed() - first.live_bytes.cast_signed();
    let growth = Growth {
        bytes_per_connection: per(bytes as i64, (steps - 1) * connections_per_step),
        resident_bytes: last.resident_bytes.saturating_sub(first.resident_bytes),
        tasks: last.alive_tasks.saturating_sub(idle.alive_tasks),
    };

    println!(
        "growth: {:.2} bytes per connection, {} bytes resident, {} tasks\n",
        growth.bytes_per_connection, growth.resident_bytes, growth.tasks
    );
    Ok(growth)
}

fn print(connections: usize, report: &Report) {
    let Report {
        live_bytes,
        resident_bytes,
        alive_tasks,
        sockets,
        ..
    } = report;
    println!(
        "{connections:>11} {live_bytes:>14} {resident_bytes:>14} {alive_tasks:>6} {sockets:>7}"
    );
}
