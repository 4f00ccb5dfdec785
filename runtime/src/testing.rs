//! Tools for the tests of an application: tokens, users without a socket, and a Socket.IO client.
//! Needs the feature `testing`.
//!
//! ```toml
//! [dev-dependencies]
//! socketioxide-jwt-auth = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A [`TestIssuer`] signs tokens with a random key of its own, which no server accepts unless its
//! builder is given that issuer. So nothing here weakens a server, even if its build has the
//! feature.
//!
//! # A server and its clients
//!
//! [`TestClient`] is a real client, so the whole way is tested: the lookup, the refusals and the
//! handlers.
//!
//! ```
//! # use axum::Router;
//! # use serde_json::json;
//! # use socketioxide::{SocketIo, extract::{AckSender, Data, SocketRef}, handler::ConnectHandler};
//! # use socketioxide_jwt_auth::{AuthUser, ErrorCode, jwt_auth, testing::{TestClient, TestIssuer}};
//! # use tokio::net::TcpListener;
//! # #[derive(serde::Deserialize)]
//! # struct Claims { sub: String }
//! # struct User { name: String }
//! # #[jwt_auth(secret_env = "JWT_SECRET")]
//! # async fn authenticate(claims: Claims) -> Option<User> {
//! #     (claims.sub == "1").then(|| User { name: "Ada".to_owned() })
//! # }
//! # async fn on_connect(socket: SocketRef, user: AuthUser<User>) {
//! #     socket.on("post", post);
//! #     socket.emit("welcome", &user.name).ok();
//! # }
//! async fn post(user: AuthUser<User>, Data(text): Data<String>, ack: AckSender) {
//!     ack.send(&format!("{} posted {text:?}", user.name)).ok();
//! }
//!
//! // #[tokio::test]
//! async fn users_post_and_others_are_refused() -> Result<(), Box<dyn std::error::Error>> {
//!     let issuer = TestIssuer::new();
//!     let (layer, io) = SocketIo::new_layer();
//!     io.ns("/", on_connect.with(authenticate::builder().test_issuer(&issuer).build()?));
//!
//!     let listener = TcpListener::bind("127.0.0.1:0").await?;
//!     let server = listener.local_addr()?;
//!     tokio::spawn(async { axum::serve(listener, Router::new().layer(layer)).await });
//!
//!     let mut ada = TestClient::connect(server).token(issuer.token("1").sign()).await?;
//!     assert_eq!(ada.next_event("welcome").await?, json!(["Ada"]));
//!     assert_eq!(ada.emit_with_ack("post", "hello").await?, json!([r#"Ada posted "hello""#]));
//!
//!     let forged = issuer.token("1").forged().sign();
//!     let refusal = TestClient::connect(server).token(forged).await.unwrap_err();
//!     assert_eq!(refusal.code(), ErrorCode::TokenSignatureInvalid);
//!     Ok(())
//! }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! #     users_post_and_others_are_refused().await
//! # }
//! ```
//!
//! # A handler's logic
//!
//! The lookup is a function that a test can call as it is. The logic of a handler is tested without
//! a socket by [`AuthUser::for_test`](crate::AuthUser::for_test):
//!
//! ```
//! use socketioxide::extract::Data;
//! use socketioxide_jwt_auth::{AuthError, AuthUser, ErrorCode, Reply};
//!
//! struct User { name: String, muted: bool }
//!
//! async fn post(user: AuthUser<User>, Data(text): Data<String>, reply: Reply) {
//!     reply.send(message(&user, &text));
//! }
//!
//! fn message(user: &AuthUser<User>, text: &str) -> Result<String, AuthError> {
//!     if user.muted {
//!         return Err(ErrorCode::Forbidden.into());
//!     }
//!     Ok(format!("{}: {text}", user.name))
//! }
//!
//! // #[test]
//! fn a_muted_user_cannot_post() {
//!     let mut user = User { name: "Ada".to_owned(), muted: false };
//!     assert_eq!(message(&AuthUser::for_test(user), "hello").unwrap(), "Ada: hello");
//!
//!     user = User { name: "Ada".to_owned(), muted: true };
//!     let refusal = message(&AuthUser::for_test(user), "hello").unwrap_err();
//!     assert_eq!(refusal.code(), ErrorCode::Forbidden);
//! }
//! # a_muted_user_cannot_post();
//! ```

mod client;
mod connection;
mod error;
mod extractors;
mod issuer;
mod packet;
mod signing_key;
mod token;

pub use client::{Connect, TestClient};
pub use error::{ClientError, Refusal};
pub use issuer::TestIssuer;
pub use token::TestToken;

/// The layer below [`TestClient`], for this crate's own tests, which choose every packet
/// themselves. It is not public API.
#[doc(hidden)]
pub mod wire {
    pub use super::{
        connection::{Connection, Handshake},
        packet::{Content, EnginePacket, Packet, encode},
    };
}
use wire::{Connection, Content, EnginePacket, Handshake, Packet, encode};
