//! The extractors of handlers: user, optional user, claims and reply.

mod claims;
mod reply;
mod user;

use std::any::type_name;

use socketioxide::{adapter::Adapter, handler::ConnectHandler, socket::Socket};

use crate::{
    error::{AuthError, ErrorCode},
    session::{Extraction, login_handler, store},
};
pub use claims::AuthClaims;
pub use reply::Reply;
pub use user::{AuthUser, MaybeAuthUser};

/// Access to the session of a socket, for code that is not a handler with extractors.
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
    /// The adapter of the server.
    type Adapter: Adapter;

    /// Returns the user of this socket. Returns `None` for a guest, after the session has ended,
    /// and for a type that no middleware of the namespace stored (which is logged as an error).
    fn auth_user<T: Send + Sync + 'static>(&self) -> Option<AuthUser<T>>;

    /// Registers a handler with connect extractors that is called after this guest has logged in
    /// with the `authenticate_event`, and not after a renewal. A later call replaces the handler.
    ///
    /// ```
    /// use socketioxide::extract::SocketRef;
    /// use socketioxide_jwt_auth::{AuthUser, SocketAuth};
    ///
    /// struct User { name: String }
    ///
    /// async fn on_connect(socket: SocketRef) {
    ///     socket.on_login(welcome);
    /// }
    ///
    /// async fn welcome(socket: SocketRef, user: AuthUser<User>) {
    ///     socket.emit("welcome", &user.name).ok();
    /// }
    /// ```
    fn on_login<H, T>(&self, handler: H)
    where
        H: ConnectHandler<Self::Adapter, T>,
        T: Send + Sync + 'static;
}

impl<A: Adapter> SocketAuth for Socket<A> {
    type Adapter = A;

    fn auth_user<T: Send + Sync + 'static>(&self) -> Option<AuthUser<T>> {
        store::user(self, Extraction::Any)
            .ok()
            .flatten()
            .map(AuthUser::new)
    }

    fn on_login<H, T>(&self, handler: H)
    where
        H: ConnectHandler<A, T>,
        T: Send + Sync + 'static,
    {
        login_handler::register(self, move |socket| handler.call(socket, None));
    }
}

/// Refuses a guest, because a handler takes this extractor with this type.
fn login_required<T>(extractor: &str) -> AuthError {
    AuthError::from(ErrorCode::LoginRequired).with_detail(format!(
        "a guest, and the handler takes `{extractor}<{}>`",
        type_name::<T>()
    ))
}

/// Implements the extraction for the three kinds of handlers, and tells the client about a refusal.
///
/// socketioxide tells it nothing: it only skips a handler whose extractor fails.
macro_rules! extract_from_session {
    (impl<$($parameter:ident $(: $bound:path)?),*> for $type:ty) => {
        impl<A: Adapter, $($parameter: Send + Sync + 'static $(+ $bound)?),*> FromConnectParts<A> for $type {
            type Error = AuthError;

            fn from_connect_parts(socket: &Arc<Socket<A>>, _: &Option<Value>) -> Result<Self, AuthError> {
                Self::from_session(socket, Extraction::Any).inspect_err(|error| refusal::refuse_connection(socket, error))
            }
        }

        impl<A: Adapter, $($parameter: Send + Sync + 'static $(+ $bound)?),*> FromMessageParts<A> for $type {
            type Error = AuthError;

            fn from_message_parts(
                socket: &Arc<Socket<A>>,
                value: &mut Value,
                ack_id: &Option<i64>,
            ) -> Result<Self, AuthError> {
                Self::from_session(socket, Extraction::Event)
                    .inspect_err(|error| refusal::refuse_event(socket, value, ack_id, error))
            }
        }

        impl<A: Adapter, $($parameter: Send + Sync + 'static $(+ $bound)?),*> FromDisconnectParts<A> for $type {
            type Error = AuthError;

            fn from_disconnect_parts(socket: &Arc<Socket<A>>, _: DisconnectReason) -> Result<Self, AuthError> {
                Self::from_session(socket, Extraction::Disconnect).inspect_err(|_| refusal::finish_disconnect(socket))
            }
        }
    };
}
use extract_from_session;
