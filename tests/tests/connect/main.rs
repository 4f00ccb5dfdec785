//! Connections: tokens, guests, lookups, extractors, refusals, namespaces, HTTP requests, the test kit, and the README.

mod authorisation;
mod cleanup;
mod configuration;
mod events;
mod extractors;
mod guests;
mod hostile_clients;
mod http;
mod limits;
mod log;
mod log_table;
mod lookups;
mod manual_lookup;
mod metrics;
mod namespaces;
mod own_errors;
mod panics;
mod policies;
mod protocol_4;
mod readme;
mod refusals;
mod refusals_in_the_log;
mod reply;
mod test_kit;
mod token_sources;
mod tokens;
