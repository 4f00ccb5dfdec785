//! Keys from a URL, over real sockets, from issuers that behave well or not.

mod cache;
mod client;
mod configuration;
mod hostile;
mod log;
mod outage;
mod redirects;
mod sets;
mod slow;
mod stampede;
mod tls;
