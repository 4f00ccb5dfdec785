//! A session after its connection: expiry, renewal, disconnect, shutdown.

mod announcement;
mod application_handlers;
mod deaf_clients;
mod devices;
mod disconnect_handlers;
mod disconnects;
mod ended;
mod events;
mod expiry;
mod guest_timeout;
mod mass_expiry;
mod max_session;
mod recheck;
mod renewal;
mod renewal_limits;
mod renewal_races;
mod revocations;
mod shutdown;
mod slow_reader;
