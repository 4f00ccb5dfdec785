//! Getting in: tokens, guests, lookups, extractors, refusals, namespaces and the README.

mod by_hand;
mod configuration;
mod connect;
mod extractors;
mod guests;
mod hostile;
mod leftovers;
mod limits;
mod log;
mod lookups;
mod namespaces;
mod panics;
mod policies;
mod protocol_4;
mod readme;
mod refusals;
mod reply;
mod token_sources;
