//! A small Socket.IO client for tests and demonstrations: protocol 5 over one WebSocket, without
//! reconnection.
//!
//! [`TestClient`] is what a test of a server needs. [`Connection`], [`EnginePacket`], [`Packet`]
//! and [`encode`] are the layer below it, for tests that choose every packet themselves.
//!
//! The protocols are those of [Engine.IO](https://socket.io/docs/v4/engine-io-protocol/) and
//! [Socket.IO](https://socket.io/docs/v4/socket-io-protocol/).

mod client;
mod connection;
mod error;
mod packet;

pub use client::{Connect, TestClient};
pub use connection::{Connection, Handshake};
pub use error::{ClientError, Refusal};
pub use packet::{Content, EnginePacket, Packet, encode};
