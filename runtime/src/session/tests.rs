//! Sessions over a real socket, with a wall clock that the test moves.

use std::{
    net::Ipv4Addr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{SinkExt, StreamExt};
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use crate::{
    AuthError, AuthUser, ErrorCode, SocketAuth,
    clock::{Clock, TestClock},
    jwt_auth,
};

const SECRET: &str = "a secret of thirty-two bytes or more";
const LIMIT: Duration = Duration::from_secs(10);

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
}

#[jwt_auth(secret = SECRET, leeway = "60s", authenticate_event = "authenticate")]
async fn authenticate(claims: Claims) -> Option<String> {
    Some(claims.sub)
}

async fn on_connect(socket: SocketRef) {
    socket.on("whoami", async |user: AuthUser<String>, ack: AckSender| {
        ack.send(&*user).unwrap_or_default();
    });
    socket.emit("ready", &()).unwrap();
}

type Client = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Returns the next Socket.IO packet, and answers pings.
async fn next(client: &mut Client) -> String {
    loop {
        let message = timeout(LIMIT, client.next())
            .await
            .expect("a packet in time");
        match message.expect("the connection is open").unwrap() {
            Message::Text(text) if text == "2" => client.send(Message::text("3")).await.unwrap(),
            Message::Text(text) => return text.as_str().to_owned(),
            _ => {}
        }
    }
}

async fn ask(client: &mut Client, event: &Value) -> Value {
    client
        .send(Message::text(format!("421{event}")))
        .await
        .unwrap();
    let answer = next(client).await;
    serde_json::from_str(answer.strip_prefix("431").expect("an acknowledgement")).unwrap()
}

/// Connects a client whose token expires in an hour. Returns it with its server, the clock and the
/// time of expiry.
async fn connected() -> (Client, SocketIo, TestClock, SystemTime) {
    let (clock, time) = Clock::fixed(SystemTime::now());
    let (layer, io) = SocketIo::new_layer();
    io.ns(
        "/",
        on_connect.with(authenticate::builder().clock(clock).build().unwrap()),
    );
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        axum::serve(listener, axum::Router::new().layer(layer))
            .await
            .unwrap();
    });

    let expires_at = SystemTime::now() + Duration::from_hours(1);
    let (mut client, _) = connect_async(format!(
        "ws://{address}/socket.io/?EIO=4&transport=websocket"
    ))
    .await
    .unwrap();
    assert!(next(&mut client).await.starts_with("0{"));
    client
        .send(Message::text(format!(
            "40{}",
            json!({ "token": token(expires_at) })
        )))
        .await
        .unwrap();
    assert!(next(&mut client).await.starts_with("40{"));
    assert_eq!(next(&mut client).await, r#"42["ready",null]"#);
    (client, io, time, expires_at)
}

fn token(expires_at: SystemTime) -> String {
    let seconds = expires_at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({ "sub": "ada", "exp": seconds });
    encode(
        &Header::default(),
        &claims,
        &EncodingKey::from_secret(SECRET.as_bytes()),
    )
    .unwrap()
}

/// The clock jumps without a timer running, as after the machine was suspended.
#[tokio::test]
async fn an_event_after_the_clock_has_passed_the_expiry_is_refused() {
    let (mut client, io, time, expires_at) = connected().await;
    let second = Duration::from_secs(1);
    time.set(expires_at + Duration::from_secs(60) - 2 * second);
    assert_eq!(ask(&mut client, &json!(["whoami"])).await, json!(["ada"]));

    time.set(expires_at + Duration::from_secs(60));
    let refused = json!([{ "error": AuthError::from(ErrorCode::TokenExpired) }]);
    assert_eq!(ask(&mut client, &json!(["whoami"])).await, refused);
    assert!(io.sockets()[0].auth_user::<String>().is_none());

    let fresh = token(SystemTime::now() + Duration::from_hours(2));
    let refused = json!([{ "error": AuthError::from(ErrorCode::TokenExpired) }]);
    assert_eq!(
        ask(&mut client, &json!(["authenticate", { "token": fresh }])).await,
        refused
    );
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_end_a_session() {
    let (mut client, _io, time, _) = connected().await;
    time.set(SystemTime::now() - Duration::from_hours(24));
    assert_eq!(ask(&mut client, &json!(["whoami"])).await, json!(["ada"]));
}
