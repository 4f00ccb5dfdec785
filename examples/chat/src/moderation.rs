//! What moderators do: delete messages, disconnect users and suspend them.

use std::{error::Error, sync::Arc};

use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State},
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, Policy, Reply, Revocation, SocketAuth, disconnect_user_because,
};
use tokio::join;

use crate::{
    App, Outcome,
    chat::{broadcast, limited},
    db::{Role, User},
};

struct Moderator;

impl Policy<User> for Moderator {
    fn allows(user: &User) -> bool {
        user.role >= Role::Moderator
    }
}

pub(crate) fn on_connect(socket: &SocketRef) {
    socket.on("delete", delete);
    socket.on("disconnect_user", disconnect);
    socket.on("suspend", suspend);
    socket.on("lift_suspension", lift_suspension);
}

async fn delete(
    io: SocketIo,
    _: AuthUser<User, Moderator>,
    State(app): State<Arc<App>>,
    Data(message): Data<i64>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        app.db.delete_message(message).await?;
        broadcast(&io, "deleted", &message).await;
        Ok(())
    }
    .await;

    reply.send(outcome);
}

async fn disconnect(
    io: SocketIo,
    moderator: AuthUser<User, Moderator>,
    State(app): State<Arc<App>>,
    Data((user, reason)): Data<(i64, String)>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        let reason = limited(&reason, 200)?;
        let user = find_below(&app, &moderator, user).await?;

        // The sessions end first, because a browser connects again as soon as its socket ends.
        app.db.end_sessions_of(user.id).await?;
        let why = AuthError::denied(format!("{} disconnected you: {reason}", moderator.name));
        disconnect_user_because(&io, user.id, &why).await?;
        Ok(())
    }
    .await;

    reply.send(outcome);
}

/// Suspends a user, in three steps:
///
/// 1. The database has the suspension. From now on the lookup and `/login` refuse the user, until
///    the suspension is lifted.
/// 2. The open sockets end, and show the reason.
/// 3. The access tokens that the user has are revoked, for HTTP routes, which look no user up. Tokens
///    that are issued later, after the suspension is lifted, are accepted.
async fn suspend(
    io: SocketIo,
    moderator: AuthUser<User, Moderator>,
    State(app): State<Arc<App>>,
    Data((user, reason)): Data<(i64, String)>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        let reason = limited(&reason, 200)?;
        let user = find_below(&app, &moderator, user).await?;

        app.db.set_suspension(user.id, Some(reason)).await?;
        app.db.end_sessions_of(user.id).await?;

        let why = AuthError::denied(format!("{} suspended you: {reason}", moderator.name));
        // Together, because a client that reads slowly holds up the first one. The revocation alone
        // would end the sockets too, but without the reason.
        let (disconnected, revoked) = join!(
            disconnect_user_because(&io, user.id, &why),
            app.revocations.revoke(Revocation::user(user.id)),
        );
        tell_suspensions(&app, io.sockets()).await;
        revoked?;
        disconnected?;
        Ok(())
    }
    .await;

    reply.send(outcome);
}

/// Lets a user log in again. The revocation stays: it concerns only tokens that were issued before
/// it was made, and ends when the last of them has expired.
async fn lift_suspension(
    io: SocketIo,
    moderator: AuthUser<User, Moderator>,
    State(app): State<Arc<App>>,
    Data(user): Data<i64>,
    reply: Reply,
) {
    let outcome: Outcome = async {
        let user = find_below(&app, &moderator, user).await?;
        app.db.set_suspension(user.id, None).await?;
        tell_suspensions(&app, io.sockets()).await;
        Ok(())
    }
    .await;

    reply.send(outcome);
}

/// Finds a user whose role is below that of the moderator.
async fn find_below(
    app: &App,
    moderator: &User,
    user: i64,
) -> Result<User, Box<dyn Error + Send + Sync>> {
    let user = app.db.user(user).await?;
    let user = user.filter(|user| user.role < moderator.role);
    user.ok_or_else(|| AuthError::denied("You may not do this to this user.").into())
}

/// Tells those of the sockets that belong to moderators who is suspended.
pub(crate) async fn tell_suspensions(app: &App, sockets: impl IntoIterator<Item = SocketRef>) {
    let moderators: Vec<_> = sockets
        .into_iter()
        .filter(|socket| {
            socket
                .auth_user::<User>()
                .is_some_and(|user| Moderator::allows(&user))
        })
        .collect();
    if moderators.is_empty() {
        return;
    }

    match app.db.suspensions().await {
        Ok(suspensions) => {
            for socket in moderators {
                // A client that is gone needs no list.
                socket.emit("suspensions", &suspensions).ok();
            }
        }
        Err(error) => tracing::error!(%error, "the suspensions could not be loaded"),
    }
}
