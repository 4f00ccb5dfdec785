//! The processes of the cluster, which end when this program ends.

use std::{
    env, io,
    net::{Ipv4Addr, TcpListener},
    process::Stdio,
};

use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

use crate::Failure;

/// A process that has started.
pub(crate) struct Process {
    // Killed when dropped.
    _child: Child,
    // The pipe stays open, because writing to a closed one would end the process.
    _said: Lines<BufReader<ChildStdout>>,
}

/// Starts a Redis on loopback that stores nothing on disk. Returns it with its URL.
pub(crate) async fn start_redis() -> Result<(Process, String), Failure> {
    let port = free_port()?.to_string();
    let mut command = Command::new("redis-server");
    command.args([
        "--bind",
        "127.0.0.1",
        "--port",
        &port,
        "--save",
        "",
        "--appendonly",
        "no",
    ]);

    let started = start(&mut command, "Ready to accept connections").await;
    let (redis, _) = started
        .map_err(|error| format!("redis-server (Debian: apt-get install redis-server): {error}"))?;
    Ok((redis, format!("redis://127.0.0.1:{port}")))
}

/// Starts this program once more, as a node of the cluster. Returns it with its address.
pub(crate) async fn start_node(redis: &str, secret: &str) -> Result<(Process, String), Failure> {
    let mut command = Command::new(env::current_exe()?);
    command
        .arg("127.0.0.1:0")
        .env("REDIS_URL", redis)
        .env("JWT_SECRET", secret);
    let (node, line) = start(&mut command, "listening on ").await?;
    let address = line.trim_start_matches("listening on ");
    Ok((node, format!("http://{address}")))
}

/// Starts a process and waits until it prints a line that contains `ready`.
async fn start(command: &mut Command, ready: &str) -> Result<(Process, String), Failure> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let said = child.stdout.take().ok_or("its output is piped")?;
    let mut said = BufReader::new(said).lines();

    while let Some(line) = said.next_line().await? {
        if line.contains(ready) {
            return Ok((
                Process {
                    _child: child,
                    _said: said,
                },
                line,
            ));
        }
    }

    Err("it ended before it was ready".into())
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port())
}
