//! The errors of socketioxide as refusals, so that `?` works in a function that returns
//! `Result<_, AuthError>`.

use socketioxide::{
    AckError, AdapterError, BroadcastError, EmitWithAckError, NsInsertError, ParserError,
    SendError, SocketError, extract::ExtensionNotFound,
};

use super::AuthError;

macro_rules! from_errors {
    ($($error:ty $(, $parameter:ident)*;)*) => {$(
        /// A failure of the server: the client gets `internal_error`, and the cause goes to
        /// `tracing`.
        impl<$($parameter),*> From<$error> for AuthError {
            fn from(error: $error) -> Self {
                // As text, because some of these errors are not `Sync`.
                Self::internal(error.to_string())
            }
        }
    )*};
}

from_errors! {
    AckError;
    AdapterError;
    BroadcastError;
    EmitWithAckError;
    NsInsertError;
    ParserError;
    SendError;
    SocketError;
    ExtensionNotFound<T>, T;
}
