//! The sockets of a user, on one node and on several.

mod cluster;
mod logouts_under_way;
mod users;
