//! The layer that copies the handshake out of the server's read buffer, with the settings of the guide to tuning.

use std::net::{Ipv4Addr, SocketAddr};

use axum::{
    Router, ServiceExt,
    extract::{OriginalUri, Request},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo, SocketIoBuilder,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, CompactHandshakeLayer, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, ClientBuilder, Received, SECRET, Server, User, find_user, token, within,
};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use tower_layer::Layer;

#[jwt_auth(
    secret = SECRET,
    token = [auth("token"), bearer, query("token"), cookie("token")],
    allowed_origins = ["https://app.example.com"],
)]
async fn authenticate(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

/// The settings of the guide, with room for the messages of these tests.
fn settings() -> SocketIoBuilder {
    SocketIo::builder()
        .ws_read_buffer_size(1024)
        .ws_max_message_size(1_000_000)
        .max_payload(1_000_000)
}

async fn server() -> Server {
    let server = Server::with_router(settings(), |router| {
        router.layer(CompactHandshakeLayer::new())
    })
    .await;
    add_namespace(&server.io);
    server
}

fn add_namespace(io: &SocketIo) {
    io.ns(
        "/",
        (async |socket: SocketRef, user: AuthUser<User>| {
            socket.on("echo", async |Data(text): Data<String>, ack: AckSender| {
                ack.send(&text).ok();
            });
            socket.emit("welcome", user.name).ok();
        })
        .with(authenticate::middleware().unwrap()),
    );
}

/// A client that begins with polling, as most do, and goes on with a WebSocket.
struct Upgraded(WebSocketStream<TcpStream>);

impl Upgraded {
    async fn connect(server: SocketAddr, token: &str) -> Self {
        let http = reqwest::Client::new();
        let mut url = format!("{server}/socket.io/?EIO=4&transport=polling");
        let get = async |url: &str| {
            let response = within("an answer", http.get(format!("http://{url}")).send()).await;
            response.unwrap().text().await.unwrap()
        };

        let opened: Value = serde_json::from_str(&get(&url).await[1..]).unwrap();
        url += &format!("&sid={}", opened["sid"].as_str().unwrap());
        let connect = format!("40{}", json!({ "token": token }));
        let posted = http.post(format!("http://{url}")).body(connect).send();
        assert_eq!(within("an answer", posted).await.unwrap().status(), 200);
        let mut received = String::new();
        while !received.contains("welcome") {
            received += &get(&url).await;
        }

        let url = format!("ws://{url}").replace("polling", "websocket");
        let stream = TcpStream::connect(server).await.unwrap();
        let mut client = Self(client_async(url, stream).await.unwrap().0);
        client.send("2probe").await;
        assert_eq!(client.next().await, "3probe");
        client.send("5").await;
        client
    }

    async fn echo(&mut self, text: &str) -> Value {
        self.send(&format!("420{}", json!(["echo", text]))).await;
        let ack = self.next().await;
        let arguments = ack.strip_prefix("430").expect("an acknowledgement");
        serde_json::from_str(arguments).unwrap()
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn next(&mut self) -> String {
        loop {
            let message = within("a message", self.0.next()).await.unwrap().unwrap();
            match message.to_text().unwrap() {
                "6" => {}
                text => return text.to_owned(),
            }
        }
    }
}

const SIZES: [usize; 3] = [100, 64 * 1024, 900_000];

#[tokio::test]
async fn large_messages_are_echoed_over_a_websocket_and_over_polling() {
    let server = server().await;
    for polling in [false, true] {
        let client = server.client().token(&token("ada"));
        let client = if polling { client.polling() } else { client };
        let mut client = client.admitted().await;
        client
            .expect(Received::event("welcome", "Ada".into()))
            .await;

        for size in SIZES {
            let text = "x".repeat(size);
            client.emit_with_ack("echo", json!(text)).await;
            client.expect(Received::ack(json!(text))).await;
        }
    }
}

#[tokio::test]
async fn large_messages_are_echoed_after_an_upgrade() {
    let server = server().await;
    let mut client = Upgraded::connect(server.address(), &token("ada")).await;
    for size in SIZES {
        let text = "x".repeat(size);
        assert!(client.echo(&text).await == json!([text]), "{size} bytes");
    }
}

#[tokio::test]
async fn a_message_beyond_the_limit_closes_the_connection() {
    let server = server().await;
    let mut client = server.client().token(&token("ada")).admitted().await;
    client
        .expect(Received::event("welcome", "Ada".into()))
        .await;
    client.emit("echo", json!("x".repeat(1_000_001))).await;
    client.expect(Received::Closed).await;
}

#[tokio::test]
async fn each_token_source_is_read_behind_the_layer() {
    let server = server().await;
    let token = token("ada");
    let cookie = format!("theme=dark; token={token}");
    let sources: [fn(ClientBuilder, &str, &str) -> ClientBuilder; 4] = [
        |client, token, _| client.token(token),
        |client, token, _| client.header("authorization", &format!("Bearer {token}")),
        |client, token, _| client.query(&format!("token={token}")),
        |client, _, cookie| {
            client
                .header("origin", "https://app.example.com")
                .header("cookie", cookie)
        },
    ];

    for source in sources {
        let mut client = source(server.client(), &token, &cookie).admitted().await;
        client
            .expect(Received::event("welcome", "Ada".into()))
            .await;
        let mut client = source(server.client().polling(), &token, &cookie)
            .admitted()
            .await;
        client
            .expect(Received::event("welcome", "Ada".into()))
            .await;
    }
    assert_eq!(server.client().refusal().await, "token_missing");
}

/// Returns where the texts lie that a socket keeps of its handshake: their length altogether, the
/// distance from the start of the first to the end of the last, and whether axum's copy of the URI
/// is the same text.
fn kept(socket: &SocketRef) -> Value {
    let parts = socket.req_parts();
    let uri = parts.uri.path_and_query().unwrap().as_str();
    let OriginalUri(original) = parts.extensions.get().unwrap();
    let original = original.path_and_query().unwrap().as_str();

    let values = parts.headers.values().map(|value| value.as_bytes());
    let texts: Vec<_> = values.chain([uri.as_bytes()]).collect();
    let starts = texts.iter().map(|text| text.as_ptr().addr());
    let ends = texts.iter().map(|text| text.as_ptr().addr() + text.len());
    json!({
        "length": texts.iter().map(|text| text.len()).sum::<usize>(),
        "span": ends.max().unwrap() - starts.min().unwrap(),
        "shared": std::ptr::eq(uri, original),
    })
}

async fn kept_by_a_socket(server: SocketAddr, polling: bool) -> Value {
    let client = ClientBuilder::to(server).query("own=parameter");
    let client = client.header("x-own", "value").header("cookie", "a=b; c=d");
    let client = if polling { client.polling() } else { client };
    let mut client = client.admitted().await;

    client.emit_with_ack("kept", Value::Null).await;
    match client.next().await {
        Received::Ack(mut arguments) => arguments.remove(0),
        other => panic!("not an acknowledgement: {other:?}"),
    }
}

fn app() -> Router {
    let (layer, io) = settings().build_layer();
    io.ns("/", async |socket: SocketRef| {
        socket.on("kept", async |socket: SocketRef, ack: AckSender| {
            ack.send(&kept(&socket)).ok();
        });
    });
    Router::new().layer(layer)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

#[tokio::test]
async fn a_socket_keeps_only_the_texts_of_its_handshake_with_the_layer_inside_of_the_router() {
    let (listener, address) = listen().await;
    let app = app().layer(CompactHandshakeLayer::new());
    tokio::spawn(async { axum::serve(listener, app).await });
    expect_only_texts(address).await;
}

#[tokio::test]
async fn a_socket_keeps_only_the_texts_of_its_handshake_with_the_layer_around_the_router() {
    let (listener, address) = listen().await;
    let app = CompactHandshakeLayer::new().layer(app());
    tokio::spawn(async {
        axum::serve(listener, ServiceExt::<Request>::into_make_service(app)).await
    });
    expect_only_texts(address).await;
}

async fn expect_only_texts(server: SocketAddr) {
    for polling in [false, true] {
        let kept = kept_by_a_socket(server, polling).await;
        assert_eq!(kept["span"], kept["length"], "{kept}");
        assert_eq!(kept["shared"], true, "{kept}");
    }
}

#[tokio::test]
async fn without_the_layer_the_texts_lie_in_the_read_buffer() {
    let (listener, address) = listen().await;
    let app = app();
    tokio::spawn(async { axum::serve(listener, app).await });
    for polling in [false, true] {
        let kept = kept_by_a_socket(address, polling).await;
        let number = |name| kept[name].as_u64().unwrap();
        assert!(number("span") > number("length"), "{kept}");
    }
}
