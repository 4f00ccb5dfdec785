//! A core for the servers and another one for the clients, so that neither waits for the other.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use crate::Result;

/// Where the thread of the clients runs, and where the servers that it starts run.
///
/// Both are the same core on a machine that has only one.
#[derive(Debug)]
pub struct Cores {
    servers: CpuSet,
    clients: CpuSet,
}

impl Cores {
    /// Takes the first and the last core that this thread may run on.
    ///
    /// # Errors
    ///
    /// The operating system does not say which.
    pub fn split() -> Result<Self> {
        let allowed = sched_getaffinity(None)?;
        let mut cores = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        let first = cores.next().ok_or("a thread runs on some core")?;
        let last = cores.next_back().unwrap_or(first);

        Ok(Self {
            servers: only(first),
            clients: only(last),
        })
    }

    /// Moves this thread to the core of the servers. A process that it starts stays there.
    ///
    /// # Errors
    ///
    /// The operating system does not allow it.
    pub fn enter_servers(&self) -> Result<()> {
        Ok(sched_setaffinity(None, &self.servers)?)
    }

    /// Moves this thread to the core of the clients.
    ///
    /// # Errors
    ///
    /// The operating system does not allow it.
    pub fn enter_clients(&self) -> Result<()> {
        Ok(sched_setaffinity(None, &self.clients)?)
    }
}

fn only(core: usize) -> CpuSet {
    let mut set = CpuSet::new();
    set.set(core);
    set
}
