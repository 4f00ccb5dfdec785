//! What happens to a session after its connection: expiry, renewal, leaving, shutdown.

mod expiry;
mod guest_timeout;
mod leaving;
mod mass_expiry;
mod own_handlers;
mod renewal;
mod renewal_races;
mod shutdown;
mod slow_reader;
