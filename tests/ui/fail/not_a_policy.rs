use socketioxide::{SocketIo, extract::SocketRef};
use socketioxide_jwt_auth::AuthUser;

struct User;
struct IsAdmin;

async fn on_connect(socket: SocketRef) {
    socket.on("delete", async |_: AuthUser<User, IsAdmin>| ());
}

fn main() {
    let (_, io) = SocketIo::new_layer();
    io.ns("/", on_connect);
}
