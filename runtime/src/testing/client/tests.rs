//! The client against servers that send what the test says.

use std::{error::Error, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_tungstenite::tungstenite::{
    Message,
    handshake::server::{Request, Response},
};

use super::*;
use crate::ErrorCode;

const ADMITTED: &str = r#"40{"sid":"b"}"#;
const OPEN: &str =
    r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":100000}"#;

/// What a scripted server does, in this order.
enum Step {
    /// Sends a text.
    Send(&'static str),
    /// Sends bytes.
    SendBinary(&'static [u8]),
    /// Waits for a text.
    Expect(&'static str),
    /// Waits until the client closes the WebSocket.
    ExpectClose,
    /// Lets this time pass on the clock of the time limits.
    Advance(Duration),
}
use Step::{Advance, Expect, ExpectClose, Send, SendBinary};

/// A server for one connection, which it closes at the end of its script.
struct Script {
    address: SocketAddr,
    task: JoinHandle<Request>,
}

impl Script {
    async fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps: Vec<Step> = steps.into_iter().collect();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move { play(listener, steps).await });
        Self { address, task }
    }

    /// Accepts a client up to the opening of Engine.IO, the CONNECT of `/` without a payload, and
    /// its answer.
    async fn connected(steps: impl IntoIterator<Item = Step>) -> (Self, TestClient) {
        let mut all = vec![Send(OPEN), Expect("40"), Send(ADMITTED)];
        all.extend(steps);
        let script = Self::start(all).await;
        let client = TestClient::connect(script.address).await.unwrap();
        (script, client)
    }

    /// Waits for the end of the script, and returns the request that opened the connection.
    async fn end(self) -> Request {
        within(DEFAULT_LIMIT, "end of the script".to_owned(), async {
            Ok::<_, ClientError>(self.task.await.unwrap())
        })
        .await
        .unwrap()
    }
}

#[expect(
    clippy::result_large_err,
    reason = "the callback's type is the library's"
)]
async fn play(listener: TcpListener, steps: Vec<Step>) -> Request {
    let (stream, _) = listener.accept().await.unwrap();
    let mut seen = None;
    let see = |request: &Request, response: Response| {
        seen = Some(request.clone());
        Ok(response)
    };

    let mut socket = tokio_tungstenite::accept_hdr_async(stream, see)
        .await
        .unwrap();
    for step in steps {
        match step {
            Send(text) => socket.send(Message::text(text)).await.unwrap(),
            SendBinary(bytes) => socket.send(Message::binary(bytes)).await.unwrap(),
            Expect(text) => assert_eq!(socket.next().await.unwrap().unwrap(), Message::text(text)),
            Advance(time) => {
                tokio::time::pause();
                tokio::time::advance(time).await;
                tokio::time::resume();
            }
            ExpectClose => assert!(socket.next().await.unwrap().unwrap().is_close()),
        }
    }
    seen.unwrap()
}

#[tokio::test]
async fn a_client_connects_with_its_payload_query_and_headers() {
    let script = Script::start([
        Send(OPEN),
        Expect(r#"40/chat,{"token":"t"}"#),
        Send("40{\"sid\":\"of another namespace\"}"),
        Send(r#"40/chat,{"sid":"b"}"#),
        Send(r#"42/chat,["welcome","Ada"]"#),
        ExpectClose,
    ])
    .await;
    let connecting = TestClient::connect(format!("http://{}/", script.address))
        .namespace("/chat")
        .query("a=b%20c");
    let connecting = connecting
        .header("X-Tenant", "acme")
        .header("x-tenant", "other");
    let mut client = connecting.auth(json!({ "token": "t" })).await.unwrap();
    assert_eq!(client.next_event("welcome").await.unwrap(), json!(["Ada"]));
    client.connection.close().await;

    let request = script.end().await;
    assert_eq!(
        request.uri(),
        "/socket.io/?EIO=4&transport=websocket&a=b%20c"
    );
    assert!(
        request
            .headers()
            .get_all("x-tenant")
            .iter()
            .eq(["acme", "other"])
    );
}

#[tokio::test]
async fn a_refusal_has_the_code_of_the_connect_error() {
    let script = Script::start([
        Send(OPEN),
        Expect("40"),
        Send(r#"44{"message":"token_missing"}"#),
    ])
    .await;
    let refusal = TestClient::connect(script.address).await.unwrap_err();
    assert_eq!(refusal.code(), "token_missing");
    assert_eq!(refusal.code(), ErrorCode::TokenMissing);
    assert_eq!(refusal.message(), "token_missing");
    assert_eq!(refusal.to_string(), "refused: token_missing");
}

#[tokio::test]
async fn a_client_has_the_id_of_its_socket() {
    let (_script, client) = Script::connected([]).await;
    assert_eq!(client.id(), "b");
}

#[tokio::test]
async fn a_token_is_sent_as_the_auth_payload() {
    let script = Script::start([Send(OPEN), Expect(r#"40{"token":"t"}"#), Send(ADMITTED)]).await;
    let connecting = TestClient::connect(format!("ws://{}", script.address));
    connecting.token("t").await.unwrap();
}

#[test]
fn a_connection_does_not_show_its_token() {
    let connecting = TestClient::connect("localhost:3000").token("secret");
    let connecting = connecting.header("Authorization", "secret").query("secret");
    let shown = format!("{connecting:?}");
    assert!(shown.contains("localhost:3000"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[tokio::test]
async fn the_words_of_the_application_are_the_message_of_a_denial() {
    for words in [
        "Your account is suspended.",
        "Suspended!",
        "gesperrt für immer",
    ] {
        let packet = format!(r#"44{{"message":"{words}"}}"#);
        let script = Script::start([Send(OPEN), Expect("40"), Send(packet.leak())]).await;
        let refusal = TestClient::connect(script.address).await.unwrap_err();
        assert_eq!(refusal.code(), ErrorCode::Denied);
        assert_eq!(refusal.message(), words);
        assert_eq!(refusal.to_string(), format!("refused: {words}"));
    }
}

#[tokio::test]
async fn a_refusal_without_a_message_has_an_empty_code() {
    for packet in ["44{}", "44[]", "44null", r#"44{"message":5}"#] {
        let script = Script::start([Send(OPEN), Expect("40"), Send(packet)]).await;
        let refusal = TestClient::connect(script.address).await.unwrap_err();
        assert_eq!((refusal.code(), refusal.message()), ("", ""), "{packet}");
    }
}

#[tokio::test]
async fn events_are_emitted_with_any_number_of_arguments() {
    let steps = [
        Expect(r#"42["one","a"]"#),
        Expect(r#"42["object",{"a":1}]"#),
        Expect(r#"42["two",1,"b"]"#),
        Expect(r#"42["none"]"#),
        Expect(r#"42["list",[1,2]]"#),
    ];
    let (script, mut client) = Script::connected(steps).await;
    client.emit("one", "a").await.unwrap();
    client.emit("object", json!({ "a": 1 })).await.unwrap();

    client.emit("two", (1, "b")).await.unwrap();
    client.emit("none", json!([])).await.unwrap();
    client.emit("list", json!([[1, 2]])).await.unwrap();
    script.end().await;
}

#[tokio::test]
async fn events_are_kept_while_the_client_waits_for_something_else() {
    let steps = [
        Expect(r#"420["first",null]"#),
        Send(r#"42["b",1]"#),
        Send(r#"42/other,["a","of another namespace"]"#),
        Send(r#"42["a",2]"#),
        Send(r#"430["yes",{}]"#),
        Send(r#"42["b",3]"#),
        Expect(r#"421["second",null]"#),
        Send(r#"430["of an earlier event"]"#),
        Send("431[]"),
    ];
    let (_script, mut client) = Script::connected(steps).await;
    assert_eq!(
        client.emit_with_ack("first", ()).await.unwrap(),
        json!(["yes", {}])
    );

    assert_eq!(client.next_event("a").await.unwrap(), json!([2]));
    assert_eq!(client.next_event("b").await.unwrap(), json!([1]));
    assert_eq!(client.next_event("b").await.unwrap(), json!([3]));
    assert_eq!(client.emit_with_ack("second", ()).await.unwrap(), json!([]));
}

#[tokio::test]
async fn pings_are_answered() {
    let steps = [
        Send("2"),
        Expect("3"),
        Send("6"),
        SendBinary(b"\0\xff"),
        Send(r#"42["a"]"#),
    ];
    let (_script, mut client) = Script::connected(steps).await;
    assert_eq!(client.next_event("a").await.unwrap(), json!([]));
}

#[tokio::test]
async fn a_disconnected_client_still_has_its_events() {
    for end in ["41", "1"] {
        let (_script, mut client) =
            Script::connected([Send(r#"42["why","expired"]"#), Send(end)]).await;

        client.disconnected().await.unwrap();
        assert_eq!(client.next_event("why").await.unwrap(), json!(["expired"]));
        let error = client.next_event("why").await.unwrap_err();
        assert_eq!(
            error.to_string(),
            r#"disconnected while waiting for event "why""#
        );

        client.disconnected().await.unwrap();
        client.disconnect().await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_ends_disconnects_the_client() {
    let (_script, mut client) = Script::connected([]).await;
    client.disconnected().await.unwrap();

    let script = Script::start([Send(OPEN), Expect("40")]).await;
    let refusal = TestClient::connect(script.address).await.unwrap_err();
    assert!(
        matches!(refusal, Refusal::Failed(ClientError::Disconnected(_))),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_client_leaves_its_namespace_and_closes() {
    let (script, client) = Script::connected([Expect("41"), ExpectClose]).await;
    client.disconnect().await.unwrap();
    script.end().await;
}

#[tokio::test]
async fn nothing_is_waited_for_without_a_limit() {
    let limit = Duration::from_millis(20);

    // Accepts a connection, and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refusal = TestClient::connect(listener.local_addr().unwrap())
        .limit(limit)
        .await
        .unwrap_err();
    assert_eq!(
        refusal.source().unwrap().to_string(),
        "no connection within 20ms"
    );

    let script = Script::start([Send(OPEN), Expect("40"), ExpectClose]).await;
    let refusal = TestClient::connect(script.address)
        .limit(limit)
        .await
        .unwrap_err();
    assert!(
        matches!(refusal, Refusal::Failed(ClientError::Timeout { .. })),
        "{refusal:?}"
    );

    let (_script, mut client) =
        Script::connected([Expect(r#"420["ask",null]"#), ExpectClose]).await;
    client.limit = limit;
    let error = client.emit_with_ack("ask", ()).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"no acknowledgement of "ask" within 20ms"#
    );
    assert_eq!(
        client.next_event("a").await.unwrap_err().to_string(),
        r#"no event "a" within 20ms"#
    );
    assert_eq!(
        client.disconnected().await.unwrap_err().to_string(),
        "no disconnection within 20ms"
    );
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_no_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);

    let refusal = TestClient::connect(address).await.unwrap_err();
    assert_eq!(
        (refusal.code(), refusal.message()),
        ("connection_failed", "")
    );
    assert!(
        matches!(refusal, Refusal::Failed(ClientError::Unreachable(_))),
        "{refusal:?}"
    );
}

#[tokio::test]
async fn a_request_that_cannot_be_written_is_an_error() {
    let connecting = [
        TestClient::connect("not a host"),
        TestClient::connect("https://127.0.0.1:1"),
        TestClient::connect("127.0.0.1:1").query("a b"),
        TestClient::connect("127.0.0.1:1").header("a b", ""),
        TestClient::connect("127.0.0.1:1").header("a", "\n"),
    ];

    for connect in connecting {
        let shown = format!("{connect:?}");
        let refusal = connect.await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::Failed(ClientError::InvalidRequest(_))),
            "{shown}: {refusal:?}"
        );
    }
}

#[tokio::test]
async fn a_server_of_another_protocol_is_an_error() {
    let script = Script::start([Send(OPEN), Expect("40"), Send("40"), ExpectClose]).await;
    let refusal = TestClient::connect(script.address).await.unwrap_err();
    assert_eq!(
        refusal.source().unwrap().to_string(),
        "not a packet that this client understands: CONNECT without `sid`"
    );
}

#[tokio::test]
async fn binary_data_is_an_error_and_the_client_goes_on() {
    let steps = [
        Send(r#"451-["a",{"_placeholder":true,"num":0}]"#),
        SendBinary(b"\0\xff"),
        Expect(r#"420["ask",1]"#),
        Send(r#"461-0[{"_placeholder":true,"num":0}]"#),
        SendBinary(b"\0\xff"),
        Send(r#"42["b",2]"#),
    ];
    let (_script, mut client) = Script::connected(steps).await;

    for error in [
        client.next_event("a").await.unwrap_err(),
        client.emit_with_ack("ask", 1).await.unwrap_err(),
    ] {
        assert!(matches!(error, ClientError::BinaryPacket(_)), "{error:?}");
    }

    assert_eq!(client.next_event("b").await.unwrap(), json!([2]));
}

#[tokio::test]
async fn an_answer_may_take_as_long_as_the_limit() {
    for (seconds, in_time) in [(4, true), (6, false)] {
        let steps = [
            Expect(r#"420["ask",null]"#),
            Advance(Duration::from_secs(seconds)),
            Send("430[1]"),
        ];
        let (_script, mut client) = Script::connected(steps).await;
        let answer = client.emit_with_ack("ask", ()).await;
        assert_eq!(answer.ok(), in_time.then(|| json!([1])), "{seconds} s");
    }
}

#[tokio::test]
async fn what_is_not_understood_is_an_error() {
    for packet in ["", "nonsense", "42{}", "42[]", "40{}"] {
        let script = Script::start([Send(packet), ExpectClose]).await;
        let refusal = TestClient::connect(script.address).await.unwrap_err();
        assert!(
            matches!(refusal, Refusal::Failed(ClientError::UnknownPacket(_))),
            "{packet}: {refusal:?}"
        );

        let (_script, mut client) = Script::connected([Send(packet), ExpectClose]).await;
        let error = client.next_event("a").await.unwrap_err();
        assert!(
            matches!(error, ClientError::UnknownPacket(_)),
            "{packet}: {error:?}"
        );
    }
}
