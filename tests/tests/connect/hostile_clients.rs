//! Payloads and packets that no well-behaved client sends.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use socketioxide::{
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Log, OTHER_SECRET, Raw, Received, SECRET, Server, User, authenticate, find_user, mint,
    seconds_from_now, token,
};

async fn on_connect(socket: SocketRef) {
    socket.on("who", async |user: AuthUser<User>, ack: AckSender| {
        ack.send(user.name).unwrap()
    });
}

async fn server() -> Server {
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(authenticate::middleware().unwrap()));
    server.io.ns(
        "/guests",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );
    server
}

/// Shows that the connection and the server still work.
async fn expect_alive(raw: &mut Raw) {
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.emit_with_ack("/", 1, &json!(["who", null])).await;
    raw.expect("/", Received::ack(json!("Ada"))).await;
}

async fn expect_refusal(raw: &mut Raw, namespace: &str, payload: &str, code: &str) {
    raw.connect(namespace, payload).await;
    assert_eq!(
        raw.next().await,
        (namespace.to_owned(), Received::refused(code)),
        "{payload:.200}"
    );
}

#[tokio::test]
async fn a_token_that_is_not_a_string_is_malformed() {
    let server = server().await;
    for value in [
        "5",
        "-1.5e300",
        "true",
        "false",
        "{}",
        "[]",
        r#"{"token":"x"}"#,
        r#"["x"]"#,
        "[[[[]]]]",
    ] {
        for key in ["token", "auth_token"] {
            let payload = format!(r#"{{"{key}":{value}}}"#);
            expect_refusal(&mut server.raw().await, "/", &payload, "token_malformed").await;
            expect_refusal(
                &mut server.raw().await,
                "/guests",
                &payload,
                "token_malformed",
            )
            .await;
        }
    }
}

#[tokio::test]
async fn a_payload_that_is_no_object_is_malformed_unless_it_is_empty() {
    let server = server().await;

    for payload in [
        "[]",
        r#"["token"]"#,
        r#"[{"token":"x"}]"#,
        r#""token""#,
        "true",
    ] {
        expect_refusal(&mut server.raw().await, "/", payload, "token_malformed").await;
        expect_refusal(
            &mut server.raw().await,
            "/guests",
            payload,
            "token_malformed",
        )
        .await;
    }

    for payload in [r#""""#, "null", "{}"] {
        expect_refusal(&mut server.raw().await, "/", payload, "token_missing").await;
        let mut raw = server.raw().await;
        raw.connect("/guests", payload).await;
        raw.expect("/guests", Received::Connected).await;
    }
}

#[tokio::test]
async fn a_payload_that_is_not_json_is_malformed() {
    let server = server().await;
    for payload in [
        "{",
        r#"{"token":"#,
        r#"{"token":"a"}}"#,
        r#"{"token":"\ud800"}"#,
        "{token:1}",
        r#"{"a":1,}"#,
    ] {
        expect_refusal(&mut server.raw().await, "/", payload, "token_malformed").await;
        expect_refusal(
            &mut server.raw().await,
            "/guests",
            payload,
            "token_malformed",
        )
        .await;
    }
}

/// Returns a payload with a good token and these members, given as JSON.
fn payload_with(members: &str) -> String {
    format!(r#"{{"token":"{}",{members}}}"#, token("ada"))
}

#[tokio::test]
async fn a_payload_that_is_nested_too_deep_is_malformed() {
    let server = server().await;
    // The object is the first of the 64 levels.
    let nested = |depth: usize| {
        payload_with(&format!(
            r#""x":{}{}"#,
            "[".repeat(depth - 1),
            "]".repeat(depth - 1)
        ))
    };
    let mut raw = server.raw().await;

    raw.connect("/", &nested(64)).await;
    raw.expect("/", Received::Connected).await;

    for depth in [65, 128, 100_000] {
        expect_refusal(
            &mut server.raw().await,
            "/",
            &nested(depth),
            "token_malformed",
        )
        .await;
    }

    expect_alive(&mut server.raw().await).await;
}

#[tokio::test]
async fn a_payload_of_too_many_members_is_malformed() {
    let server = server().await;

    // The token is a member too.
    let wide = |members: usize| {
        let others: Vec<_> = (1..members)
            .map(|number| format!(r#""k{number}":0"#))
            .collect();
        payload_with(&others.join(","))
    };
    let mut raw = server.raw().await;
    raw.connect("/", &wide(64)).await;
    raw.expect("/", Received::Connected).await;

    for members in [65, 1000] {
        expect_refusal(
            &mut server.raw().await,
            "/",
            &wide(members),
            "token_malformed",
        )
        .await;
    }

    expect_alive(&mut server.raw().await).await;
}

#[tokio::test]
async fn a_payload_with_a_private_name_of_serde_json_is_malformed() {
    let server = server().await;
    for member in [
        r#""$serde_json::private::RawValue":"{}""#,
        r#""$serde_json::private::Number":"1""#,
        r#""\u0024serde_json::private::RawValue":"{}""#,
        r#""x":{"$serde_json::private::RawValue":"{}"}"#,
        r#""x":[{"y":1,"$serde_json\u003a:private::Number":"1"}]"#,
    ] {
        expect_refusal(
            &mut server.raw().await,
            "/",
            &payload_with(member),
            "token_malformed",
        )
        .await;
        expect_refusal(
            &mut server.raw().await,
            "/guests",
            &format!("{{{member}}}"),
            "token_malformed",
        )
        .await;
    }
}

#[tokio::test]
async fn unknown_members_are_ignored() {
    let server = server().await;
    let mut raw = server.raw().await;
    let payload = json!({ "__proto__": {}, "": null, "tokens": ["x"], "token": token("ada"), "x": { "token": 5 } });
    raw.connect("/", &payload.to_string()).await;
    raw.expect("/", Received::Connected).await;
}

#[tokio::test]
async fn a_token_that_is_too_long_is_refused_without_being_parsed() {
    let server = server().await;
    let claims =
        json!({ "sub": "ada", "exp": seconds_from_now(3600), "padding": "x".repeat(8192) });
    let good = mint(&claims, SECRET);

    let endless = "x".repeat(2 * 1024 * 1024);
    for token in [
        good,
        "x".repeat(8193),
        format!("Bearer {}", "x".repeat(8193)),
        endless,
    ] {
        let payload = json!({ "token": token }).to_string();
        expect_refusal(&mut server.raw().await, "/", &payload, "token_too_large").await;
    }

    let mut raw = server.raw().await;
    let longest = json!({ "token": "x".repeat(8192) }).to_string();
    expect_refusal(&mut raw, "/", &longest, "token_malformed").await;
    expect_alive(&mut raw).await;
}

#[tokio::test]
async fn max_token_bytes_can_be_set() {
    let server = Server::start().await;
    let length = token("ada").len();
    let builder = || authenticate::builder().max_token_bytes(length);

    server
        .io
        .ns("/exact", on_connect.with(builder().build().unwrap()));
    server.io.ns(
        "/less",
        on_connect.with(builder().max_token_bytes(length - 1).build().unwrap()),
    );
    server
        .client()
        .namespace("/exact")
        .token(&token("ada"))
        .admitted()
        .await;
    assert_eq!(
        server
            .client()
            .namespace("/less")
            .token(&token("ada"))
            .refusal()
            .await,
        "token_too_large"
    );
}

#[tokio::test]
async fn strings_that_are_not_tokens_are_malformed() {
    let server = server().await;
    let good = token("ada");
    let strange = [
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c",
        "a.b.c.d",
        "🦀.🦀.🦀",
        "\u{0}",
        " ",
        "Null",
        "undefined ",
        "null.null.null",
        "[object Object]",
    ];
    let bent = [
        format!(" {good}"),
        format!("{good} "),
        format!("{good}."),
        format!("{good}="),
        format!(".{good}"),
    ];
    let mut raw = server.raw().await;

    for text in strange.into_iter().map(str::to_owned).chain(bent) {
        let payload = json!({ "token": text }).to_string();
        expect_refusal(&mut server.raw().await, "/", &payload, "token_malformed").await;
    }

    expect_alive(&mut raw).await;
}

#[tokio::test]
async fn a_binary_token_is_malformed() {
    let server = server().await;
    let mut raw = server.raw().await;
    // The JSON of a token that is a buffer. A CONNECT has no attachments.
    expect_refusal(
        &mut raw,
        "/",
        r#"{"token":{"_placeholder":true,"num":0}}"#,
        "token_malformed",
    )
    .await;
    expect_alive(&mut raw).await;
}

#[tokio::test]
async fn a_packet_before_connect_closes_the_connection() {
    let server = server().await;
    for packet in [
        r#"42["who",null]"#,
        r#"421["who",null]"#,
        "41",
        r#"431["x"]"#,
    ] {
        let mut raw = server.raw().await;
        raw.send(packet).await;
        raw.expect("", Received::Closed).await;
        assert_eq!(server.sockets_in("/"), 0, "{packet}");
    }
    expect_alive(&mut server.raw().await).await;
}

#[tokio::test]
async fn binary_data_before_connect_closes_the_connection() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.send_binary(b"\0\xff").await;
    raw.expect("", Received::Closed).await;
    expect_alive(&mut server.raw().await).await;
}

#[tokio::test]
async fn a_user_may_send_binary_data() {
    let server = server().await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    raw.send(r#"451-5["who",{"_placeholder":true,"num":0}]"#)
        .await;
    raw.send_binary(b"\0\xff").await;
    raw.expect("/", Received::ack(json!("Ada"))).await;
}

#[tokio::test]
async fn a_flood_of_refused_connects_costs_few_lookups() {
    static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

    #[jwt_auth(secret = SECRET)]
    async fn counted(claims: Claims) -> Option<User> {
        LOOKUPS.fetch_add(1, Ordering::SeqCst);
        find_user(&claims.sub)
    }

    let log = Log::capture();
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(counted::middleware().unwrap()));
    let mut raw = server.raw().await;
    let unknown = token("nobody");
    for number in 0..300 {
        raw.connect_with_token("/", &unknown).await;
        raw.expect(
            "/",
            Received::refused(if number < 20 {
                "user_not_found"
            } else {
                "too_many_attempts"
            }),
        )
        .await;
    }
    assert_eq!(LOOKUPS.load(Ordering::SeqCst), 20);
    assert_eq!(log.lines_with("INFO").len(), 20, "the log is not flooded");

    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::refused("too_many_attempts"))
        .await;
    assert_eq!(
        LOOKUPS.load(Ordering::SeqCst),
        20,
        "a good token is not verified either"
    );
    expect_alive(&mut server.raw().await).await;
}

#[tokio::test]
async fn nineteen_refusals_before_a_login_are_forgotten() {
    let server = server().await;
    let mut raw = server.raw().await;
    for _ in 0..19 {
        expect_refusal(&mut raw, "/", "{}", "token_missing").await;
    }
    expect_alive(&mut raw).await;
    raw.leave("/").await;
    for _ in 0..19 {
        expect_refusal(&mut raw, "/", "{}", "token_missing").await;
    }
    expect_alive(&mut raw).await;
}

#[tokio::test]
async fn a_flood_whose_answers_are_not_read_is_limited() {
    let server = server().await;

    let mut raw = server.raw().await;
    let forged = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    );

    for _ in 0..100 {
        raw.connect_with_token("/", &forged).await;
    }

    for _ in 0..100 {
        match raw.next().await {
            (namespace, Received::Refused(code)) => {
                assert_eq!(namespace, "/");
                assert!(
                    ["token_signature_invalid", "too_many_attempts"].contains(&code.as_str()),
                    "{code}"
                );
            }
            other => panic!("{other:?}"),
        }
    }

    // The limit is that of the connection, for all namespaces.
    raw.connect("/guests", "").await;
    raw.expect("/guests", Received::refused("too_many_attempts"))
        .await;
    expect_alive(&mut server.raw().await).await;
}
