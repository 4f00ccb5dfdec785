//! Two servers connected through Redis, and users who are connected to both.

mod adapter;
mod clients;
mod demonstration;
mod processes;
mod server;

use std::{env, error::Error};

type Failure = Box<dyn Error + Send + Sync>;

/// Runs a node if there is an address to listen on, else the demonstration of two nodes.
#[tokio::main]
async fn main() -> Result<(), Failure> {
    match env::args().nth(1) {
        Some(address) => server::serve(&address).await,
        None => demonstration::run().await,
    }
}
