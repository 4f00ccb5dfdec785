//! A Socket.IO server with users, guests and forged tokens, and the clients that try it.

mod clients;

use std::{collections::HashMap, error::Error, sync::Arc};

use serde::Deserialize;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, MaybeAuthUser, jwt_auth};

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

struct User {
    name: String,
}

type Users = Arc<HashMap<String, String>>;

/// Finds the user that a verified token names.
#[jwt_auth(secret_env = "JWT_SECRET", guest = true)]
async fn authenticate(claims: Claims, State(users): State<Users>) -> Option<User> {
    let name = users.get(&claims.sub)?.clone();
    Some(User { name })
}

/// Takes users and guests.
async fn on_connect(socket: SocketRef, user: MaybeAuthUser<User>) {
    let name = user.as_ref().map_or("guest", |user| &user.name);
    socket.emit("welcome", name).ok();
    socket.on("post", post);
}

/// Takes users only: an event of a guest is refused with `login_required`.
async fn post(user: AuthUser<User>, Data(text): Data<String>, ack: AckSender) {
    ack.send(&format!("{} posted {text:?}", user.name)).ok();
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let users: Users = Arc::new(HashMap::from([("1".to_owned(), "Ada".to_owned())]));
    let (layer, io) = SocketIo::builder()
        .with_state(users)
        .ws_max_message_size(64 * 1024)
        .build_layer();

    let (issuer, address) = clients::settings(); // A deployment sets JWT_SECRET, and calls `authenticate::middleware()?`.
    let middleware = authenticate::builder().test_issuer(&issuer).build()?;
    io.ns("/", on_connect.with(middleware));

    let listener = tokio::net::TcpListener::bind(address).await?;
    tokio::spawn(clients::try_everything(listener.local_addr()?, issuer));
    axum::serve(listener, axum::Router::new().layer(layer)).await?;
    Ok(())
}
