//! For servers with [`axum`](https://docs.rs/axum) (feature `axum`): logouts at the identity
//! provider, and a listener that hangs up on clients that do not read.

mod backchannel_logout;
pub(crate) mod hang_up;
pub(crate) mod issuer_rooms;
mod logout_request;
mod used_ids;

pub use backchannel_logout::backchannel_logout;
pub use hang_up::{HangUp, HangUpLayer, HangUpListener, HangUpService, HangUpStream};
