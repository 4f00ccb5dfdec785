//! Clients that never read: with the listener of the feature `axum` they are hung up after the end
//! of their session.

use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::Router;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthUser,
    axum::{HangUp, HangUpLayer, HangUpListener},
    disconnect_user, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Claims, Log, Raw, Received, Recorder, Records, SECRET, User, find_user, flood,
    issuer::advance_time, join, recorder, token, within,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpSocket, TcpStream},
    task::JoinHandle,
};

#[jwt_auth(secret = SECRET, user_key = |user: &User| user.name)]
async fn log_in(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

struct Server {
    io: SocketIo,
    address: SocketAddr,
    records: Records,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Hangs {
    Up,
    /// As for a server without this crate's listener.
    Never,
}

impl Server {
    async fn start(hangs: Hangs) -> Self {
        let (recorder, records) = recorder();
        let (layer, io) = SocketIo::builder()
            .max_buffer_size(4)
            .with_state(recorder)
            .build_layer();

        io.ns("/", on_connect.with(log_in::middleware().unwrap()));
        // A public namespace, whose sockets nothing else ends.
        io.ns("/public", async |socket: SocketRef| {
            socket.on_disconnect(async |State(recorder): State<Recorder>| {
                recorder.record("public gone");
            });
        });

        let router = Router::new().layer(layer).layer(HangUpLayer::new());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = match hangs {
            Hangs::Up => {
                let service = router.into_make_service_with_connect_info::<HangUp>();
                let listener = HangUpListener::new(listener);
                tokio::spawn(async move { axum::serve(listener, service).await.unwrap() })
            }
            Hangs::Never => {
                tokio::spawn(async move { axum::serve(listener, router).await.unwrap() })
            }
        };
        Self {
            io,
            address,
            records,
            task,
        }
    }

    /// Fills the channel of the only socket of `/`.
    async fn fill(&self) -> SocketRef {
        let socket = self.io.sockets().pop().unwrap();
        flood(&socket).await;
        socket
    }

    /// Logs the user out, and lets some time pass meanwhile.
    async fn log_out(&self, time: Duration) -> bool {
        let io = self.io.clone();
        let logout = tokio::spawn(async move { disconnect_user(&io, "Ada").await });
        let socket = self.io.sockets().pop().unwrap();

        within("the end of the session", async {
            while !socket
                .rooms()
                .iter()
                .all(|room| room.starts_with("jwt_auth:ended:"))
            {
                tokio::task::yield_now().await;
            }
        })
        .await;
        advance_time(time).await;
        within("the logout", logout).await.unwrap().is_ok()
    }

    async fn expect_all_gone(&mut self) {
        let mut gone = [self.records.next().await, self.records.next().await];
        gone.sort();
        assert_eq!(gone, ["goodbye Ada", "public gone"]);
        assert!(self.io.sockets().is_empty());
    }
}

async fn on_connect(socket: SocketRef) {
    socket.on_disconnect(
        async |State(recorder): State<Recorder>, user: AuthUser<User>| {
            recorder.record(format!("goodbye {}", user.name));
        },
    );
    socket.emit("ready", &()).ok();
}

/// Connects a client with a WebSocket to both namespaces. It reads nothing from then on.
async fn connect(server: &Server) -> Raw {
    let mut raw = Raw::open_with_small_buffer(server.address).await;
    raw.connect("/public", "").await;
    raw.expect("/public", Received::Connected).await;
    join(&mut raw, "/", Some(&token("ada"))).await;
    raw
}

#[tokio::test]
async fn a_deaf_client_is_hung_up_three_seconds_after_its_end_with_all_namespaces() {
    let log = Log::capture();
    let mut server = Server::start(Hangs::Up).await;
    let mut raw = connect(&server).await;
    let socket = server.fill().await;
    assert!(
        server.log_out(Duration::from_secs(3)).await,
        "the logout succeeds"
    );
    server.expect_all_gone().await;
    assert!(!socket.connected());

    let lines = log.lines_with("connection of a client that does not read hung up");
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].contains("INFO") && lines[0].contains(r#"namespace="/""#),
        "{lines:?}"
    );
    while raw.next().await.1 != Received::Closed {}
}

/// What the documentation says of a server without the listener.
#[tokio::test]
async fn without_the_listener_a_deaf_client_stays() {
    let server = Server::start(Hangs::Never).await;
    let _raw = connect(&server).await;
    let socket = server.fill().await;

    assert!(
        !server.log_out(Duration::from_secs(60)).await,
        "the client is too slow"
    );

    for _ in 0..20 {
        advance_time(Duration::from_secs(60)).await;
        tokio::task::yield_now().await;
    }
    assert!(socket.connected());
    assert_eq!(server.io.of("/public").unwrap().sockets().len(), 1);
}

#[tokio::test]
async fn a_client_that_reads_in_time_is_told_and_keeps_its_connection() {
    let mut server = Server::start(Hangs::Up).await;
    let mut raw = connect(&server).await;

    server.fill().await;
    let io = server.io.clone();
    let logout = tokio::spawn(async move { disconnect_user(&io, "Ada").await });

    loop {
        match raw.next().await {
            (namespace, Received::Disconnected) if namespace == "/" => break,
            (_, Received::Closed) => panic!("hung up"),
            _ => {}
        }
    }

    logout.await.unwrap().unwrap();
    assert_eq!(server.records.next().await, "goodbye Ada");
    advance_time(Duration::from_secs(10)).await;
    assert_eq!(server.io.of("/public").unwrap().sockets().len(), 1);
}

/// A client as most are: it begins with polling.
struct Upgraded {
    sid: String,
    stream: TcpStream,
}

impl Upgraded {
    async fn connect(server: &Server) -> Self {
        let polling = Polling::open(server).await;
        for (namespace, payload) in [
            ("/public,", String::new()),
            ("", json!({ "token": token("ada") }).to_string()),
        ] {
            polling.post(format!("40{namespace}{payload}")).await;
        }
        let received = polling.get_until("ready").await;
        assert!(
            received.contains("40{") && received.contains("40/public,{"),
            "{received}"
        );

        let mut stream = polling.open_websocket(server).await;
        // Frames of a client are masked; this mask changes nothing.
        stream.write_all(b"\x81\x86\0\0\0\x002probe").await.unwrap();
        let mut probe = [0; 8];
        within("the probe", stream.read_exact(&mut probe))
            .await
            .unwrap();
        assert_eq!(&probe, b"\x81\x063probe");
        stream.write_all(b"\x81\x81\0\0\0\x005").await.unwrap();
        Self {
            sid: polling.sid,
            stream,
        }
    }
}

/// A session that polls.
struct Polling {
    http: reqwest::Client,
    url: String,
    sid: String,
}

impl Polling {
    async fn open(server: &Server) -> Self {
        let http = reqwest::Client::new();
        let url = format!(
            "http://{}/socket.io/?EIO=4&transport=polling",
            server.address
        );
        let opened = http.get(&url).send().await.unwrap().text().await.unwrap();
        let opened: serde_json::Value = serde_json::from_str(&opened[1..]).unwrap();
        let sid = opened["sid"].as_str().unwrap().to_owned();

        Self {
            http,
            url: format!("{url}&sid={sid}"),
            sid,
        }
    }

    async fn post(&self, packet: String) {
        let response = self.http.post(&self.url).body(packet).send().await.unwrap();
        assert_eq!(response.status(), 200);
    }

    async fn get_until(&self, part: &str) -> String {
        let mut received = String::new();
        while !received.contains(part) {
            let response = within("a packet", self.http.get(&self.url).send()).await;
            received += &response.unwrap().text().await.unwrap();
        }
        received
    }

    /// Asks for a WebSocket of the session, on a connection whose buffer is small.
    async fn open_websocket(&self, server: &Server) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let mut stream = socket.connect(server.address).await.unwrap();
        let head = format!(
            "GET /socket.io/?EIO=4&transport=websocket&sid={} HTTP/1.1\r\nhost: a\r\n\
             connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.sid
        );
        stream.write_all(head.as_bytes()).await.unwrap();

        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(within("an answer", stream.read_u8()).await.unwrap());
        }
        assert!(answer.starts_with(b"HTTP/1.1 101"));
        stream
    }
}

#[tokio::test]
async fn a_deaf_client_that_began_with_polling_is_hung_up_on_its_websocket() {
    let mut server = Server::start(Hangs::Up).await;
    let mut client = Upgraded::connect(&server).await;
    server.fill().await;
    assert!(server.log_out(Duration::from_secs(3)).await);
    server.expect_all_gone().await;
    let mut rest = Vec::new();
    // The connection is closed or reset.
    within("the end", client.stream.read_to_end(&mut rest))
        .await
        .ok();
}

/// Otherwise a client could have another connection hung up instead of the one that it does not
/// read.
#[tokio::test]
async fn a_second_websocket_of_the_same_session_does_not_protect_the_first() {
    let mut server = Server::start(Hangs::Up).await;
    let first = Upgraded::connect(&server).await;
    let polling = Polling {
        http: reqwest::Client::new(),
        url: String::new(),
        sid: first.sid.clone(),
    };
    let mut second = polling.open_websocket(&server).await;
    let mut rest = Vec::new();

    within("the end of the second", second.read_to_end(&mut rest))
        .await
        .ok();
    server.fill().await;
    assert!(server.log_out(Duration::from_secs(3)).await);
    server.expect_all_gone().await;
}

/// A proxy may send requests of other clients over the same connection.
#[tokio::test]
async fn a_connection_of_polling_is_never_hung_up() {
    let log = Log::capture();
    let mut server = Server::start(Hangs::Up).await;
    let polling = Polling::open(&server).await;
    polling
        .post(format!("40{}", json!({ "token": token("ada") })))
        .await;
    polling.get_until("ready").await;
    server.fill().await;
    server.log_out(Duration::from_secs(10)).await;

    // It hears of its end when it asks again, over the connection that it has.
    let received = polling.get_until("41").await;
    assert!(received.contains("flood"), "{received}");
    assert_eq!(server.records.next().await, "goodbye Ada");
    assert!(log.lines_with("hung up").is_empty());
}
