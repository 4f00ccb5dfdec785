//! A session after its connection: expiry, renewal, disconnect, shutdown.

mod application_handlers;
mod disconnects;
mod expiry;
mod guest_timeout;
mod mass_expiry;
mod renewal;
mod renewal_races;
mod shutdown;
mod slow_reader;
