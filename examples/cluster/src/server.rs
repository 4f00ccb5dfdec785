//! The server that every node of the cluster runs.

use std::env;

use axum::{Router, routing::get};
use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, MaybeAuthUser, Policy, RedisRevocations, Reply, Revocation,
    axum::HttpUser, disconnect_user_because, jwt_auth, user_room,
};
use tokio::net::TcpListener;

use crate::{
    Failure,
    adapter::{self, Adapter},
};

#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    admin: bool,
}

struct User {
    name: String,
    admin: bool,
}

struct Admin;

impl Policy<User> for Admin {
    fn allows(user: &User) -> bool {
        user.admin
    }
}

/// Finds the user. A deployment would query a database that all nodes share, and refuse banned
/// users.
#[jwt_auth(
    secret_env = "JWT_SECRET",
    guest = true,
    authenticate_event = "authenticate",
    user_key = |user: &User| &user.name,
)]
async fn authenticate(claims: Claims) -> Option<User> {
    Some(User {
        name: claims.sub,
        admin: claims.admin,
    })
}

async fn on_connect(socket: SocketRef<Adapter>, user: MaybeAuthUser<User>) {
    socket.on("message", message);
    socket.on("log_out", log_out);
    socket.on("revoke", revoke);
    let name = user.as_ref().map_or("guest", |user| &user.name);
    socket.emit("welcome", name).ok();
}

#[derive(Deserialize)]
struct Message {
    to: String,
    text: String,
}

/// Sends a message to all sockets of a user, on every node.
async fn message(io: SocketIo<Adapter>, user: AuthUser<User>, Data(message): Data<Message>) {
    let room = io.to(user_room(&message.to));
    if let Err(error) = room.emit("message", &(&user.name, &message.text)).await {
        eprintln!(
            "a message to {:?} did not reach all nodes: {error}",
            message.to
        );
    }
}

/// Tells all sockets of a user, on every node, that they are logged out, and disconnects them. An
/// error goes to the log; even then the sockets of this node are disconnected.
async fn log_out(
    io: SocketIo<Adapter>,
    _: AuthUser<User, Admin>,
    Data(name): Data<String>,
    reply: Reply<Adapter>,
) {
    let reason = AuthError::denied("logged out by an administrator");
    reply.send(
        disconnect_user_because(&io, &name, &reason)
            .await
            .map(|_| "done"),
    );
}

/// Revokes all tokens that a user has, on every node. It ends the sockets that are open with them,
/// and HTTP routes and new connections refuse them.
async fn revoke(
    _: AuthUser<User, Admin>,
    State(revocations): State<RedisRevocations>,
    Data(name): Data<String>,
    reply: Reply<Adapter>,
) {
    let revoked = revocations.revoke(Revocation::user(name)).await;
    reply.send(revoked.map(|()| "done"));
}

/// An HTTP route for the same tokens: returns the name of the user, unless the token was revoked.
async fn who_am_i(user: HttpUser<authenticate>) -> String {
    user.name.clone()
}

/// Runs the server until the process ends. All nodes need the same `JWT_SECRET` and `REDIS_URL`.
pub(crate) async fn serve(address: &str) -> Result<(), Failure> {
    let redis = env::var("REDIS_URL").map_err(|error| format!("REDIS_URL: {error}"))?;
    let adapter = adapter::connect(&redis).await?;
    // A connection of its own: it takes any version of RESP, and is tried again for ever, too.
    let revocations = RedisRevocations::connect(&redis).await?;
    let middleware = authenticate::builder()
        .revocations(revocations.clone())
        .build()?;

    let builder = SocketIo::builder().ws_max_message_size(64 * 1024);
    let (layer, io) = builder
        .with_adapter::<Adapter>(adapter)
        .with_state(revocations)
        .build_layer();
    io.ns("/", on_connect.with(middleware.clone())).await?;

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let routes = Router::new()
        .route("/me", get(who_am_i))
        .with_state(middleware)
        .layer(layer);
    axum::serve(listener, routes).await?;
    Ok(())
}
