//! What the benchmarks share: a server in a process of its own, clients that are nothing but a
//! `WebSocket`, and a view of the heap.

mod client;
mod comparison;
mod cores;
mod heap;
mod peer;
mod remote;
mod server;
mod statistics;
mod tokens;

pub use client::{Client, Load};
pub use comparison::{Comparison, Role, Row, machine_load, results_directory};
pub use cores::Cores;
pub use heap::{ALLOCATOR, allocations, live_bytes};
pub use peer::Peer;
pub use remote::{RemoteServer, Report};
pub use server::{Claims, Kind, Tuning, User, Variant, authenticate, serve_if_asked};
pub use statistics::{median, per, quartiles};
pub use tokens::{Signature, in_an_hour, signed_token, token};

/// A benchmark gives up at the first error.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;
