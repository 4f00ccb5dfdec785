use socketioxide::{SocketIo, extract::SocketRef};
use socketioxide_jwt_auth::{AuthUser, MaybeAuthUser};

struct User;

async fn on_connect(socket: SocketRef, _: Option<AuthUser<User>>) {
    socket.on("read", async |_: MaybeAuthUser<User>| ());
}

fn main() {
    let (_, io) = SocketIo::new_layer();
    io.ns("/", on_connect);
}
