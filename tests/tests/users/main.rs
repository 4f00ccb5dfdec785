//! The sockets of a user, on one node and on several.

mod backchannel_logout;
mod cluster;
mod concurrent_logout;
mod logout_races;
mod one_node;
mod revocations;
