//! The users that tokens name, and what their sockets do.

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    adapter::Adapter,
    extract::{AckSender, SocketRef},
};
use socketioxide_jwt_auth::{MaybeAuthUser, jwt_auth};

#[derive(Deserialize)]
pub(crate) struct Claims {
    iss: Option<String>,
    sub: Subject,
}

/// A subject, which is a number where the setting `numeric_subject` accepts one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Subject {
    Name(String),
    Number(u64),
}

pub(crate) struct User {
    issuer: Option<String>,
    name: String,
}

/// Every subject of an accepted token is a user.
#[jwt_auth(
    keys_at_runtime,
    algorithm = "RS256",
    authenticate_event = "authenticate"
)]
pub(crate) fn authenticate(claims: Claims) -> Option<User> {
    Some(User {
        issuer: claims.iss,
        name: match claims.sub {
            Subject::Name(name) => name,
            Subject::Number(number) => number.to_string(),
        },
    })
}

pub(crate) async fn on_connect<A: Adapter>(socket: SocketRef<A>, user: MaybeAuthUser<User>) {
    socket.on("whoami", whoami::<A>);
    // Clients wait for this event, because socketioxide drops events that have no handler yet.
    socket.emit("session", &describe(&user)).ok();
}

async fn whoami<A: Adapter>(ack: AckSender<A>, user: MaybeAuthUser<User>) {
    ack.send(&describe(&user)).ok();
}

fn describe(user: &MaybeAuthUser<User>) -> Value {
    match &user.0 {
        Some(user) => json!({ "user": user.name, "issuer": user.issuer }),
        None => json!({ "user": null }),
    }
}
