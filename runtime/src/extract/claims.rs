//! The extractor of the claims.

use std::{ops::Deref, sync::Arc};

use socketioxide::{
    adapter::Adapter,
    handler::{FromConnectParts, FromDisconnectParts, FromMessageParts, Value},
    socket::{DisconnectReason, Socket},
};

use super::{extract_from_session, login_required};
use crate::{
    error::AuthError,
    refusal,
    session::{Extraction, store},
};

/// The verified claims, for connect, message and disconnect handlers. It refuses guests and ended
/// sessions like [`AuthUser`](crate::AuthUser).
///
/// `C` is the claims type of the namespace's lookup.
///
/// ```
/// use socketioxide::extract::SocketRef;
/// use socketioxide_jwt_auth::AuthClaims;
///
/// #[derive(serde::Deserialize)]
/// struct Claims { sub: String }
///
/// async fn on_connect(socket: SocketRef, AuthClaims(claims): AuthClaims<Claims>) {
///     socket.join(claims.sub.clone());
/// }
/// ```
#[derive(Debug)]
pub struct AuthClaims<C>(pub Arc<C>);

impl<C: Send + Sync + 'static> AuthClaims<C> {
    fn from_session<A: Adapter>(
        socket: &Socket<A>,
        extraction: Extraction,
    ) -> Result<Self, AuthError> {
        let claims = store::claims(socket, extraction)?;
        Ok(Self(
            claims.ok_or_else(|| login_required::<C>("AuthClaims"))?,
        ))
    }
}

extract_from_session!(impl<C> for AuthClaims<C>);

impl<C> Clone for AuthClaims<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C> Deref for AuthClaims<C> {
    type Target = C;

    fn deref(&self) -> &C {
        &self.0
    }
}
