//! The handlers of a socket.

use std::{collections::BTreeMap, fmt::Display, sync::Arc};

use serde::Serialize;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State},
};
use socketioxide_jwt_auth::{AuthError, AuthUser, Reply, SocketAuth, jwt_auth};

use crate::{App, Outcome, db::User, devices, login::Claims, moderation};

/// Finds the user of a token's session. Returns `None` if the session has ended or the user is
/// suspended.
#[jwt_auth(
    secret_env = "JWT_SECRET",
    guest = true,
    authenticate_event = "authenticate",
    expiry_warning = "30s",
    leeway = "2s",
    user_key = |user: &User| user.id,
    session_key = |claims: &Claims| claims.sid.clone()
)]
pub(crate) async fn authenticate(
    claims: Claims,
    State(app): State<Arc<App>>,
) -> sqlx::Result<Option<User>> {
    app.db.user_of_session(&claims.sid).await
}

/// Called for users and for guests, which may read.
pub(crate) async fn on_connect(socket: SocketRef, io: SocketIo, State(app): State<Arc<App>>) {
    socket.on("post", post);
    devices::on_connect(&socket);
    moderation::on_connect(&socket);
    socket.on_login(on_login);
    socket.on_disconnect(on_disconnect);

    match app.db.history().await {
        Ok(history) => drop(socket.emit("history", &history)),
        Err(error) => tracing::error!(%error, "the history could not be loaded"),
    }
    tell_presence(&io, None).await;
    moderation::tell_suspensions(&app, [socket]).await;
}

async fn on_login(socket: SocketRef, io: SocketIo, State(app): State<Arc<App>>) {
    tell_presence(&io, None).await;
    moderation::tell_suspensions(&app, [socket]).await;
}

async fn on_disconnect(socket: SocketRef, io: SocketIo) {
    tell_presence(&io, Some(&socket)).await;
}

async fn post(
    io: SocketIo,
    user: AuthUser<User>,
    State(app): State<Arc<App>>,
    Data(text): Data<String>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        app.posts
            .check_key(&user.id)
            .map_err(|_| AuthError::denied("That was quick. Wait a moment."))?;
        let message = app.db.add_message(user.id, limited(&text, 1000)?).await?;
        broadcast(&io, "message", &message).await;
        Ok(())
    }
    .await;

    reply.send(outcome);
}

/// Returns the text without the spaces around it, if it has 1 to `length` characters.
pub(crate) fn limited(text: &str, length: usize) -> Result<&str, AuthError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > length {
        return Err(AuthError::denied(format!(
            "Write 1 to {length} characters."
        )));
    }
    Ok(text)
}

/// Tells all clients who is connected. `gone` is a socket that is being disconnected: `io.sockets()`
/// still returns it, and `io.emit` would report that it cannot be reached.
async fn tell_presence(io: &SocketIo, gone: Option<&SocketRef>) {
    let (mut users, mut guests) = (BTreeMap::new(), 0);

    for socket in io
        .sockets()
        .into_iter()
        .filter(|socket| gone.is_none_or(|gone| gone.id != socket.id))
    {
        match socket.auth_user::<User>() {
            Some(user) => drop(users.insert(user.id, user)),
            None => guests += 1,
        }
    }

    let presence = json!({ "users": users.into_values().collect::<Vec<_>>(), "guests": guests });
    match gone {
        Some(gone) => log_failure(
            "presence",
            gone.broadcast().emit("presence", &presence).await,
        ),
        None => broadcast(io, "presence", &presence).await,
    }
}

/// Sends an event to all clients. An error is only logged: if one client reads too slowly, the
/// others still get the event.
pub(crate) async fn broadcast<T: Serialize>(io: &SocketIo, event: &str, data: &T) {
    log_failure(event, io.emit(event, data).await);
}

fn log_failure(event: &str, outcome: Result<(), impl Display>) {
    if let Err(error) = outcome {
        tracing::warn!(event, %error, "some clients did not get an event");
    }
}
