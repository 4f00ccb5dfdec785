//! Users whose sockets are on several nodes, joined by the Redis adapter and a real Redis.

// The adapter of the example is tested here too.
#[path = "../../../../examples/cluster/src/adapter.rs"]
pub(crate) mod adapter;
mod concurrent_logout;
mod devices;
mod logout;
mod messages;
mod node;
mod outage;
pub(crate) mod redis;

use node::Node;
use redis::Redis;
use socketioxide_jwt_auth_tests::{Gate, Records, recorder};

/// Two nodes and their Redis.
struct Cluster {
    here: Node,
    there: Node,
    records: Records,
    gate: Gate,
    redis: Redis,
}

impl Cluster {
    /// Returns `None` if Redis is not installed.
    async fn start() -> Option<Self> {
        let redis = Redis::start()?;
        let ((recorder, records), gate) = (recorder(), Gate::closed());
        let here = Node::start(&redis.url(), recorder.clone(), gate.clone()).await;
        let there = Node::start(&redis.url(), recorder, gate.clone()).await;
        Some(Self {
            here,
            there,
            records,
            gate,
            redis,
        })
    }
}
