//! Sessions that begin, are renewed and end on an open socket.

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State},
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, ErrorCode, MaybeAuthUser, SocketAuth, disconnect_user,
    disconnect_user_because, jwt_auth, user_room,
};
use socketioxide_jwt_auth_tests::Gate;

use crate::{
    directory::{Directory, User},
    handlers::{describe, whoami},
};

#[derive(Deserialize)]
pub(crate) struct SessionClaims {
    sub: String,
    /// The lookup waits until a client opens this gate.
    gate: Option<String>,
}

/// Gates by name, created at first use.
#[derive(Clone, Default)]
pub(crate) struct Gates(Arc<Mutex<HashMap<String, Gate>>>);

impl Gates {
    fn get(&self, name: String) -> Gate {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(name).or_insert_with(Gate::closed).clone()
    }
}

#[jwt_auth(
    secret_env = "INTEROP_SECRET",
    guest = true,
    authenticate_event = "authenticate",
    leeway = "0s",
    expiry_warning = "1s",
    user_key = |user: &User| user.name.clone()
)]
pub(crate) async fn log_in(
    claims: SessionClaims,
    State(directory): State<Directory>,
    State(gates): State<Gates>,
) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    if let Some(gate) = claims.gate {
        gates.get(gate).pass().await;
    }
    directory.find(&claims.sub)
}

pub(crate) async fn on_session(socket: SocketRef, user: MaybeAuthUser<User>) {
    socket.on_login(on_login);
    socket.on("whoami", whoami);
    socket.on("expires at", expires_at);
    socket.on("open gate", open_gate);
    socket.on("write to user", write_to_user);
    socket.on("log out everywhere", log_out_everywhere);
    socket.on("log out because", log_out_because);
    socket.on("remove user", remove_user);
    socket.on_disconnect(on_disconnect);
    socket.emit("session", &describe(&user)).ok();
}

async fn on_login(socket: SocketRef, user: MaybeAuthUser<User>) {
    socket.emit("login", &describe(&user)).ok();
}

/// Tells the sockets that stay what the extractors return while a session ends.
async fn on_disconnect(socket: SocketRef, user: MaybeAuthUser<User>) {
    let alive = socket.auth_user::<User>().is_some();
    let name = user.0.as_ref().map(|user| &user.name);
    socket
        .broadcast()
        .emit("left", &json!({ "name": name, "alive": alive }))
        .await
        .ok();
}

async fn expires_at(ack: AckSender, user: AuthUser<User>) {
    let since_1970 = user
        .expires_at()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    ack.send(&since_1970.map(|duration| duration.as_secs()))
        .ok();
}

async fn open_gate(ack: AckSender, Data(name): Data<String>, State(gates): State<Gates>) {
    gates.get(name).open_once();
    ack.send(&()).ok();
}

async fn write_to_user(io: SocketIo, Data((name, text)): Data<(String, String)>) {
    for namespace in io.nsps() {
        namespace
            .to(user_room(&name))
            .emit("letter", &text)
            .await
            .ok();
    }
}

async fn log_out_everywhere(io: SocketIo, user: AuthUser<User>) {
    disconnect_user(&io, &user.name).await.ok();
}

/// As `log_out_everywhere`, but the sockets are told why.
async fn log_out_because(io: SocketIo, user: AuthUser<User>) {
    let reason = AuthError::from(ErrorCode::SessionEnded);
    disconnect_user_because(&io, &user.name, &reason).await.ok();
}

async fn remove_user(io: SocketIo, ack: AckSender, Data(name): Data<String>) {
    let removed =
        disconnect_user_because(&io, name, &AuthError::denied("removed by a moderator")).await;
    ack.send(&removed.is_ok()).ok();
}
