//! Authentication as an application writes it for itself: `jsonwebtoken::decode` in a middleware,
//! and two extensions.

use std::sync::{Arc, LazyLock};

use jsonwebtoken::{DecodingKey, Validation, decode};
use serde::Deserialize;
use socketioxide::extract::{AckSender, Extension, SocketRef, TryData};

use super::{Claims, User};
use crate::tokens::SECRET;

static KEY: LazyLock<DecodingKey> = LazyLock::new(|| DecodingKey::from_secret(SECRET.as_bytes()));
static VALIDATION: LazyLock<Validation> = LazyLock::new(Validation::default);

#[derive(Deserialize)]
pub(super) struct Auth {
    token: String,
}

pub(super) async fn check_token(
    socket: SocketRef,
    TryData(auth): TryData<Auth>,
) -> Result<(), &'static str> {
    let auth = auth.map_err(|_| "no token")?;
    let token = decode::<Claims>(&auth.token, &KEY, &VALIDATION).map_err(|_| "invalid token")?;

    let user = User {
        name: token.claims.sub.clone(),
    };
    socket.extensions.insert(Arc::new(token.claims));
    socket.extensions.insert(Arc::new(user));
    Ok(())
}

pub(super) async fn on_connect(socket: SocketRef) {
    socket.on("post", super::post);
    socket.on("ask", answer_user);
}

async fn answer_user(_user: Extension<Arc<User>>, ack: AckSender) {
    ack.send("an answer").ok();
}
