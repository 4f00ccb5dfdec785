use socketioxide::{SocketIo, extract::SocketRef};
use socketioxide_jwt_auth::{AuthUser, Policy};

struct User;
struct Robot;
struct IsAdmin;

impl Policy<Robot> for IsAdmin {
    fn allows(_: &Robot) -> bool {
        true
    }
}

async fn on_connect(_: SocketRef, _: AuthUser<User, IsAdmin>) {}

fn main() {
    let (_, io) = SocketIo::new_layer();
    io.ns("/", on_connect);
}
