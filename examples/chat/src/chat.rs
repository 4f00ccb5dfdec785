//! What happens on a socket.

use std::{collections::BTreeMap, error::Error, sync::Arc};

use governor::DefaultKeyedRateLimiter;
use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State},
    socket::Sid,
};
use socketioxide_jwt_auth::{AuthError, AuthUser, Policy, SocketAuth, disconnect_user, jwt_auth, user_room};

use crate::{
    db::{Db, Role, User},
    login::Claims,
};

#[derive(Clone)]
pub(crate) struct Chat {
    pub(crate) db: Db,
    pub(crate) posts: Arc<DefaultKeyedRateLimiter<i64>>,
}

/// Finds the user whose login a token belongs to, unless it was revoked.
#[jwt_auth(
    secret_env = "JWT_SECRET",
    guest = true,
    authenticate_event = "authenticate",
    leeway = "2s",
    user_key = |user: &User| user.id
)]
pub(crate) async fn authenticate(
    claims: Claims,
    State(chat): State<Chat>,
) -> Result<Option<User>, Box<dyn Error + Send + Sync>> {
    let user = chat.db.user_of_session(&claims.sid).await?;
    Ok(user.map(User::check_blocked).transpose()?)
}

/// Those who may delete messages and remove users.
struct Moderator;

impl Policy<User> for Moderator {
    fn allows(user: &User) -> bool {
        user.role >= Role::Moderator
    }
}

/// For guests, too: they read.
pub(crate) async fn on_connect(socket: SocketRef, io: SocketIo, State(chat): State<Chat>) {
    socket.on("hello", hello);
    socket.on("post", post);
    socket.on("delete", delete);
    socket.on("remove", remove);
    socket.on_disconnect(on_disconnect);
    match chat.db.history().await {
        Ok(history) => drop(socket.emit("history", &history)),
        Err(error) => tracing::error!(%error, "no history"),
    }
    tell_presence(&io, None).await;
}

async fn on_disconnect(socket: SocketRef, io: SocketIo) {
    tell_presence(&io, Some(socket.id)).await;
}

/// Sent by the page once it has logged in on the open socket: now others can see who it is.
async fn hello(io: SocketIo, _: AuthUser<User>) {
    tell_presence(&io, None).await;
}

async fn post(io: SocketIo, user: AuthUser<User>, State(chat): State<Chat>, Data(text): Data<String>, ack: AckSender) {
    let posted = async {
        chat.posts.check_key(&user.id).map_err(|_| AuthError::denied("That was quick. Wait a moment."))?;
        let text = text.trim();
        if text.is_empty() || text.chars().count() > 1000 {
            return Err(AuthError::denied("A message has 1 to 1000 characters."));
        }
        let message = chat.db.add_message(user.id, text).await.map_err(AuthError::internal)?;
        broadcast(&io, "message", &message).await;
        Ok(())
    };
    answer(ack, posted.await);
}

async fn delete(
    io: SocketIo,
    _: AuthUser<User, Moderator>,
    State(chat): State<Chat>,
    Data(id): Data<i64>,
    ack: AckSender,
) {
    let deleted = async {
        chat.db.delete_message(id).await.map_err(AuthError::internal)?;
        broadcast(&io, "deleted", &id).await;
        Ok(())
    };
    answer(ack, deleted.await);
}

#[derive(Deserialize)]
struct Removal {
    user: i64,
    reason: String,
}

async fn remove(
    io: SocketIo,
    moderator: AuthUser<User, Moderator>,
    State(chat): State<Chat>,
    Data(Removal { user, reason }): Data<Removal>,
    ack: AckSender,
) {
    let removed = async {
        let other = chat.db.user(user).await.map_err(AuthError::internal)?;
        let other = other.filter(|other| other.role < moderator.role);
        let other = other.ok_or(AuthError::denied("You cannot remove this user."))?;
        if reason.trim().is_empty() || reason.chars().count() > 200 {
            return Err(AuthError::denied("A reason has 1 to 200 characters."));
        }
        let why = format!("{} removed you for ten minutes: {}", moderator.name, reason.trim());
        chat.db.block(other.id, &why).await.map_err(AuthError::internal)?;
        io.to(user_room(other.id)).emit("removed", &why).await.ok();
        if let Err(error) = disconnect_user(&io, other.id).await {
            tracing::warn!(user = other.id, %error, "removed, but still connected");
        }
        Ok(())
    };
    answer(ack, removed.await);
}

/// A refusal of ours looks like one of the middleware's.
fn answer(ack: AckSender, result: Result<(), AuthError>) {
    let answer = match result {
        Ok(()) => json!({}),
        Err(error) => {
            tracing::info!(?error, "refused");
            json!({ "error": error })
        }
    };
    ack.send(&answer).ok();
}

#[derive(Serialize)]
struct Presence<'a> {
    users: Vec<&'a User>,
    guests: usize,
}

async fn tell_presence(io: &SocketIo, gone: Option<Sid>) {
    let sockets: Vec<_> = io.sockets().into_iter().filter(|socket| Some(socket.id) != gone).collect();
    let online: Vec<_> = sockets.iter().filter_map(|socket| socket.auth_user::<User>()).collect();
    let users: BTreeMap<i64, &User> = online.iter().map(|user| (user.id, &**user)).collect();
    let presence = Presence { users: users.into_values().collect(), guests: sockets.len() - online.len() };
    broadcast(io, "presence", &presence).await;
}

/// One client that reads too slowly is no failure of the others.
async fn broadcast<T: Serialize>(io: &SocketIo, event: &str, data: &T) {
    if let Err(error) = io.emit(event, data).await {
        tracing::warn!(event, %error, "not everybody was told");
    }
}
