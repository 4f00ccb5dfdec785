//! What the namespaces of users do.

use axum::body::Bytes;
use serde_json::{Value, json};
use socketioxide::extract::{AckSender, Data, SocketRef};
use socketioxide_jwt_auth::{All, AnyOf, AuthClaims, AuthUser, MaybeAuthUser, Not};

use crate::{
    accounts::account_number,
    directory::{Admins, Claims, Owners, User},
};

pub(crate) fn describe(user: &MaybeAuthUser<User>) -> Value {
    json!({ "logged_in": user.logged_in(), "name": user.0.as_ref().map(|user| &user.name) })
}

pub(crate) async fn open_to_all(socket: SocketRef) {
    socket.on("echo", echo);
    socket.emit("session", &()).ok();
}

pub(crate) async fn on_connect(socket: SocketRef, user: MaybeAuthUser<User>) {
    add_events(&socket);
    socket.emit("session", &describe(&user)).ok();
}

pub(crate) async fn on_member(socket: SocketRef, user: AuthUser<User>) {
    add_events(&socket);
    socket
        .emit("session", &describe(&MaybeAuthUser(Some(user))))
        .ok();
}

pub(crate) async fn on_admin(socket: SocketRef, user: AuthUser<User, Admins>) {
    add_events(&socket);
    socket.emit("session", &user.name).ok();
}

/// Call it before `session` is emitted: socketioxide drops an event that has no handler yet, so
/// clients wait for `session` before they emit one.
fn add_events(socket: &SocketRef) {
    socket.on("whoami", whoami);
    socket.on("subject", subject);
    socket.on("post", post);
    socket.on("upload", upload);
    socket.on("download", download);
    socket.on("close shop", close_shop);
    socket.on("enter shop", enter_shop);
    socket.on("sell shop", sell_shop);
    socket.on("hang picture", hang_picture);
    socket.on("account number", account_number);
    socket.on_disconnect(on_disconnect);
}

async fn on_disconnect(socket: SocketRef, user: AuthUser<User>) {
    socket.broadcast().emit("left", &user.name).await.ok();
}

async fn echo(ack: AckSender, Data(value): Data<Value>) {
    ack.send(&value).ok();
}

pub(crate) async fn whoami(ack: AckSender, user: MaybeAuthUser<User>) {
    ack.send(&describe(&user)).ok();
}

async fn subject(ack: AckSender, claims: AuthClaims<Claims>) {
    ack.send(&claims.sub).ok();
}

async fn close_shop(ack: AckSender, user: AuthUser<User, Admins>) {
    ack.send(&user.name).ok();
}

async fn enter_shop(ack: AckSender, user: AuthUser<User, Not<Owners>>) {
    ack.send(&user.name).ok();
}

async fn sell_shop(ack: AckSender, user: AuthUser<User, All<(Admins, Owners)>>) {
    ack.send(&user.name).ok();
}

async fn hang_picture(
    ack: AckSender,
    user: AuthUser<User, AnyOf<(Owners, Admins)>>,
    Data(bytes): Data<Bytes>,
) {
    ack.send(&json!({ "by": user.name, "bytes": bytes.to_vec() }))
        .ok();
}

async fn post(socket: SocketRef, ack: AckSender, user: AuthUser<User>, Data(text): Data<String>) {
    socket
        .emit("posted", &json!({ "by": user.name, "text": text }))
        .ok();
    ack.send(&text).ok();
}

async fn upload(ack: AckSender, user: AuthUser<User>, Data(bytes): Data<Bytes>) {
    ack.send(&json!({ "by": user.name, "bytes": bytes.to_vec() }))
        .ok();
}

async fn download(ack: AckSender, _: AuthUser<User>) {
    ack.send(&Bytes::from_static(&[0, 1, 127, 128, 255])).ok();
}
