use std::rc::Rc;

use socketioxide::{SocketIo, extract::SocketRef};
use socketioxide_jwt_auth::AuthUser;

async fn on_connect(_: SocketRef, _: AuthUser<Rc<str>>) {}

fn main() {
    let (_, io) = SocketIo::new_layer();
    io.ns("/", on_connect);
}
