//! For servers with [`axum`](https://docs.rs/axum) (feature `axum`): logouts at the identity
//! provider.

mod backchannel_logout;
mod issuer_rooms;
mod logout_request;
mod used_ids;

pub use backchannel_logout::backchannel_logout;
