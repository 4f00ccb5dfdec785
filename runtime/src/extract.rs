//! What a handler takes: the user, maybe the user, the claims.

mod claims;
mod user;

use std::sync::Arc;

use socketioxide::{adapter::Adapter, extract::SocketRef, socket::Socket};

use crate::session::{self, Ended};
pub use claims::AuthClaims;
pub use user::{AuthUser, MaybeAuthUser};

/// The session of a socket, outside of a handler's parameters.
///
/// ```
/// use socketioxide::extract::SocketRef;
/// use socketioxide_jwt_auth::SocketAuth;
///
/// struct User { name: String }
///
/// async fn on_connect(socket: SocketRef) {
///     if let Some(user) = socket.auth_user::<User>() {
///         socket.emit("welcome", &user.name).ok();
///     }
/// }
/// ```
pub trait SocketAuth {
    /// The user of this socket; `None` for a guest, after the session has ended, and for a type that no middleware
    /// of the namespace stored (which is an error in `tracing`).
    fn auth_user<T: Send + Sync + 'static>(&self) -> Option<AuthUser<T>>;
}

impl<A: Adapter> SocketAuth for Socket<A> {
    fn auth_user<T: Send + Sync + 'static>(&self) -> Option<AuthUser<T>> {
        session::user(self, Ended::Refuse).ok().flatten().map(AuthUser::new)
    }
}

impl<A: Adapter> SocketAuth for Arc<Socket<A>> {
    fn auth_user<T: Send + Sync + 'static>(&self) -> Option<AuthUser<T>> {
        (**self).auth_user()
    }
}

impl<A: Adapter> SocketAuth for SocketRef<A> {
    fn auth_user<T: Send + Sync + 'static>(&self) -> Option<AuthUser<T>> {
        (**self).auth_user()
    }
}

/// Implements the extraction for the three kinds of handlers, and lets a refusal reach the client.
///
/// socketioxide drops a handler whose extractor fails without a word to the client.
macro_rules! extract_from_session {
    (impl<$($parameter:ident $(: $bound:path)?),*> for $type:ty) => {
        impl<A: Adapter, $($parameter: Send + Sync + 'static $(+ $bound)?),*> FromConnectParts<A> for $type {
            type Error = AuthError;

            fn from_connect_parts(socket: &Arc<Socket<A>>, _: &Option<Value>) -> Result<Self, AuthError> {
                Self::from_session(socket, Ended::Refuse).inspect_err(|error| refusal::refuse_connection(socket, error))
            }
        }

        impl<A: Adapter, $($parameter: Send + Sync + 'static $(+ $bound)?),*> FromMessageParts<A> for $type {
            type Error = AuthError;

            fn from_message_parts(
                socket: &Arc<Socket<A>>,
                value: &mut Value,
                ack_id: &Option<i64>,
            ) -> Result<Self, AuthError> {
                Self::from_session(socket, Ended::Refuse)
                    .inspect_err(|error| refusal::refuse_event(socket, value, ack_id, error))
            }
        }

        impl<A: Adapter, $($parameter: Send + Sync + 'static $(+ $bound)?),*> FromDisconnectParts<A> for $type {
            type Error = AuthError;

            fn from_disconnect_parts(socket: &Arc<Socket<A>>, _: DisconnectReason) -> Result<Self, AuthError> {
                Self::from_session(socket, Ended::StillCounts).inspect_err(|_| refusal::finish_disconnect(socket))
            }
        }
    };
}
use extract_from_session;
