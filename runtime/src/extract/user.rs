//! The extractors of the user.

use std::{any::type_name, fmt, marker::PhantomData, ops::Deref, sync::Arc, time::SystemTime};

use serde::{Serialize, Serializer};
use socketioxide::{
    adapter::Adapter,
    handler::{FromConnectParts, FromDisconnectParts, FromMessageParts, Value},
    socket::{DisconnectReason, Socket},
};

use super::{extract_from_session, login_required};
use crate::{
    error::{AuthError, ErrorCode},
    guard, log,
    policy::Policy,
    refusal,
    session::{Extraction, UserSession, store},
};

/// The user that the lookup found, for connect, message and disconnect handlers.
///
/// It derefs to `T`, and its clones share the user: `T` is never cloned.
///
/// An event of a guest is refused with `login_required`, and an event of a user that the [`Policy`]
/// `P` does not allow with `forbidden`. The client gets the refusal in the acknowledgement if it
/// asked for one, else as the event `unauthorized`. If the parameter belongs to a connect handler,
/// the socket is disconnected. A type that no middleware of the namespace stored is
/// `internal_error` to the client, and is logged as an error.
///
/// ```
/// use socketioxide::extract::{Data, SocketRef};
/// use socketioxide_jwt_auth::AuthUser;
///
/// struct User { name: String }
///
/// async fn post(socket: SocketRef, user: AuthUser<User>, Data(text): Data<String>) {
///     socket.broadcast().emit("post", &(&user.name, text)).await.ok();
/// }
///
/// async fn on_connect(socket: SocketRef) {
///     socket.on("post", post);
/// }
/// ```
pub struct AuthUser<T, P: Policy<T> = ()> {
    /// The user at the time of the extraction.
    user: Arc<T>,
    session: Arc<UserSession<T>>,
    policy: PhantomData<fn() -> P>,
}

impl<T, P: Policy<T>> AuthUser<T, P> {
    pub(crate) fn new(session: Arc<UserSession<T>>) -> Self {
        Self {
            user: session.user(),
            session,
            policy: PhantomData,
        }
    }

    /// Returns the shared user, to keep it longer than the handler runs.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use socketioxide_jwt_auth::AuthUser;
    /// # struct User;
    /// async fn on_connect(user: AuthUser<User>) {
    ///     let user: Arc<User> = user.into_arc();
    /// }
    /// ```
    pub fn into_arc(self) -> Arc<T> {
        self.user
    }

    /// Waits until the session ends, for whatever reason: its token expires, the user is logged
    /// out, or the client leaves. A renewal of the token does not end it.
    ///
    /// The future is independent of this value, and keeps neither the user nor the socket. It
    /// notices within a second that a client has left.
    ///
    /// ```
    /// use std::time::Duration;
    /// use socketioxide::extract::SocketRef;
    /// use socketioxide_jwt_auth::AuthUser;
    ///
    /// struct User;
    ///
    /// async fn watch_prices(socket: SocketRef, user: AuthUser<User>) {
    ///     let mut ended = std::pin::pin!(user.ended());
    ///     loop {
    ///         tokio::select! {
    ///             () = &mut ended => return,
    ///             () = tokio::time::sleep(Duration::from_secs(1)) => {
    ///                 socket.emit("price", &42).ok();
    ///             }
    ///         }
    ///     }
    /// }
    /// ```
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static + use<T, P> {
        self.session.state.ended()
    }

    /// Returns when the token expires (its `exp`, without leeway), or `None` if it does not expire.
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.session.state.expires_at()
    }
}

impl<T: Send + Sync + 'static, P: Policy<T>> AuthUser<T, P> {
    fn from_session<A: Adapter>(
        socket: &Socket<A>,
        extraction: Extraction,
    ) -> Result<Self, AuthError> {
        let session = store::user::<A, T>(socket, extraction)?
            .ok_or_else(|| login_required::<T>("AuthUser"))?;
        let user = Self::new(session);

        match guard::call("the policy", || P::allows(&user)) {
            Ok(true) => Ok(user),
            Ok(false) => Err(AuthError::from(ErrorCode::Forbidden).with_detail(format!(
                "the policy `{}` does not allow the user",
                type_name::<P>()
            ))),
            Err(error) => {
                log::refusal(socket, &error, "policy failed");
                Err(error)
            }
        }
    }
}

extract_from_session!(impl<T, P: Policy<T>> for AuthUser<T, P>);

impl<T, P: Policy<T>> Clone for AuthUser<T, P> {
    fn clone(&self) -> Self {
        Self {
            user: Arc::clone(&self.user),
            session: Arc::clone(&self.session),
            policy: PhantomData,
        }
    }
}

impl<T, P: Policy<T>> Deref for AuthUser<T, P> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.user
    }
}

impl<T, P: Policy<T>> AsRef<T> for AuthUser<T, P> {
    fn as_ref(&self) -> &T {
        self
    }
}

/// Serializes the user.
impl<T: Serialize, P: Policy<T>> Serialize for AuthUser<T, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.user.serialize(serializer)
    }
}

impl<T: fmt::Debug, P: Policy<T>> fmt::Debug for AuthUser<T, P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("AuthUser").field(&self.user).finish()
    }
}

/// The user, or `None` for a guest. A handler that takes it is called for both.
///
/// It refuses ended sessions, and types that no middleware stored, like [`AuthUser`]. It is what
/// other libraries write as `Option<AuthUser<T>>`, which is not an extractor here.
///
/// ```
/// use socketioxide::extract::SocketRef;
/// use socketioxide_jwt_auth::MaybeAuthUser;
///
/// struct User { name: String }
///
/// async fn on_connect(socket: SocketRef, MaybeAuthUser(user): MaybeAuthUser<User>) {
///     let name = user.as_ref().map_or("guest", |user| &user.name);
///     socket.emit("welcome", name).ok();
/// }
/// ```
#[derive(Debug)]
pub struct MaybeAuthUser<T>(pub Option<AuthUser<T>>);

impl<T> MaybeAuthUser<T> {
    /// Returns whether there is a user.
    pub fn logged_in(&self) -> bool {
        self.0.is_some()
    }
}

impl<T: Send + Sync + 'static> MaybeAuthUser<T> {
    fn from_session<A: Adapter>(
        socket: &Socket<A>,
        extraction: Extraction,
    ) -> Result<Self, AuthError> {
        Ok(Self(store::user(socket, extraction)?.map(AuthUser::new)))
    }
}

extract_from_session!(impl<T> for MaybeAuthUser<T>);

impl<T> Clone for MaybeAuthUser<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Deref for MaybeAuthUser<T> {
    type Target = Option<AuthUser<T>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
