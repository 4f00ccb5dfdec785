use std::{net::SocketAddr, process::Stdio, time::Duration};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines},
    process::{Child, ChildStdin, ChildStdout, Command},
    time::{Instant, sleep},
};

use crate::{Result, Variant};

/// A server in a process of its own, so that what is measured is the server's and not the clients'.
#[derive(Debug)]
pub struct RemoteServer {
    address: SocketAddr,
    requests: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
    _process: Child,
}

/// What a server says about itself.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Report {
    /// The bytes that it has allocated and not yet freed.
    pub live_bytes: usize,
    /// The memory that it occupies.
    pub resident_bytes: u64,
    /// The time that it has computed.
    pub cpu_time: Duration,
    /// The tasks of its runtime that have not ended.
    pub alive_tasks: usize,
    /// The sockets in its namespace.
    pub sockets: usize,
}

/// How long a server may take to forget its clients.
const LONGEST_SETTLING: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

impl RemoteServer {
    /// Starts this program once more, as a server. It ends when this is dropped.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub async fn start(variant: impl Into<Variant>) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg(variant.into().argument())
            .args(std::env::args().skip(1));
        Self::spawn(command).await
    }

    /// Starts a server that prints its address, answers each line of its stdin with a [`Report`] in
    /// JSON, and ends with its stdin.
    ///
    /// # Errors
    ///
    /// It cannot be started.
    pub async fn spawn(mut command: Command) -> Result<Self> {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;

        let requests = process.stdin.take().ok_or("its stdin is piped")?;
        let mut answers =
            BufReader::new(process.stdout.take().ok_or("its stdout is piped")?).lines();
        let address = answers
            .next_line()
            .await?
            .ok_or("the server did not start")?
            .parse()?;

        Ok(Self {
            address,
            requests,
            answers,
            _process: process,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it says about itself now.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub async fn report(&mut self) -> Result<Report> {
        self.request(b"\n").await
    }

    /// Reports after a collection of garbage, if the server has a collector.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub async fn report_without_garbage(&mut self) -> Result<Report> {
        self.request(b"collect\n").await
    }

    async fn request(&mut self, line: &[u8]) -> Result<Report> {
        self.requests.write_all(line).await?;
        let line = self.answers.next_line().await?.ok_or("the server ended")?;
        Ok(serde_json::from_str(&line)?)
    }

    /// Asks until it has no more sockets and tasks than in an earlier report, at most for 10
    /// seconds, and returns its last report.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub async fn settled(&mut self, earlier: &Report) -> Result<Report> {
        self.wait_until(|report| {
            report.sockets <= earlier.sockets && report.alive_tasks <= earlier.alive_tasks
        })
        .await
    }

    /// Asks until it has no more sockets than in an earlier report, at most for 10 seconds, and returns
    /// its last report. It may have more tasks: socketioxide 0.18.9 keeps that of a connection that was
    /// refused and is closed for 45 seconds.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub async fn without_new_sockets(&mut self, earlier: &Report) -> Result<Report> {
        self.wait_until(|report| report.sockets <= earlier.sockets)
            .await
    }

    async fn wait_until(&mut self, is_settled: impl Fn(&Report) -> bool) -> Result<Report> {
        let deadline = Instant::now() + LONGEST_SETTLING;
        loop {
            let report = self.report().await?;
            if is_settled(&report) || Instant::now() > deadline {
                return Ok(report);
            }
            sleep(POLL).await;
        }
    }
}
