//! What is logged, and what is never logged.

use serde_json::json;
use socketioxide::{
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthError, AuthUser, RawToken, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Claims, Log, OTHER_SECRET, Received, SECRET, Server, User, find_user, mint, refused_ack,
    seconds_from_now, token,
};

#[jwt_auth(secret = SECRET, guest = true)]
async fn lookup(
    claims: Claims,
    _token: RawToken,
) -> Result<Option<User>, Box<dyn std::error::Error + Send + Sync>> {
    match claims.sub.as_str() {
        "broken" => Err("the disk is full".into()),
        "suspended" => Err(AuthError::denied("account suspended").into()),
        subject => Ok(find_user(subject)),
    }
}

async fn on_connect(socket: SocketRef) {
    socket.on("who", async |user: AuthUser<User>, ack: AckSender| {
        ack.send(user.name).unwrap()
    });
}

async fn server() -> Server {
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(lookup::middleware().unwrap()));
    server
}

/// Returns the only line that contains all of these strings.
fn the_line(log: &Log, parts: &[&str]) -> String {
    let mut lines = log.lines_with(parts[0]);
    lines.retain(|line| parts.iter().all(|part| line.contains(part)));
    assert_eq!(lines.len(), 1, "{parts:?} in {}", log.text());
    lines.remove(0)
}

#[tokio::test]
async fn an_accepted_connection_is_logged_with_namespace_and_socket() {
    let log = Log::capture();
    let server = server().await;
    server.client().token(&token("ada")).admitted().await;
    let id = server.io.sockets()[0].id.to_string();
    let line = the_line(&log, &["connected", &id]);
    assert!(
        line.contains("DEBUG") && line.contains("namespace=\"/\"") && line.contains("as=\"user\""),
        "{line}"
    );
}

#[tokio::test]
async fn a_refused_connection_is_logged_with_its_code() {
    let log = Log::capture();
    let server = server().await;

    server.client().token("blabla").refusal().await;
    server.client().token(&token("nobody")).refusal().await;
    server.client().token(&token("suspended")).refusal().await;

    for code in ["token_malformed", "user_not_found", "denied"] {
        let line = the_line(&log, &["INFO", "connection refused", code]);
        assert!(
            line.contains("INFO") && line.contains("namespace=\"/\"") && line.contains("socket="),
            "{line}"
        );
    }
}

#[tokio::test]
async fn the_cause_of_an_internal_error_is_logged_at_error() {
    let log = Log::capture();
    let server = server().await;
    assert_eq!(
        server.client().token(&token("broken")).refusal().await,
        "internal_error"
    );
    let line = the_line(&log, &["connection refused", "internal_error"]);
    assert!(
        line.contains("ERROR") && line.contains("the disk is full"),
        "{line}"
    );
}

#[tokio::test]
async fn mistakes_of_clients_are_not_logged_as_errors() {
    let log = Log::capture();
    let server = server().await;

    server.client().token("blabla").refusal().await;
    server.client().token(&token("nobody")).refusal().await;

    let mut guest = server.client().admitted().await;
    guest.emit_with_ack("who", json!(null)).await;
    assert_eq!(guest.next().await, refused_ack("login_required"));

    let own = log.lines_with("");
    assert!(
        own.len() >= 3
            && !own
                .iter()
                .any(|line| line.contains("ERROR") || line.contains("WARN")),
        "{own:?}"
    );
}

#[tokio::test]
async fn a_refused_event_is_logged_with_its_name_and_code() {
    let log = Log::capture();
    let server = server().await;
    let mut guest = server.client().admitted().await;
    guest.emit("who", json!("what the guest says")).await;
    assert!(matches!(guest.next().await, Received::Event(..)));
    let line = the_line(&log, &["event refused", "login_required"]);
    assert!(
        line.contains("who") && !line.contains("what the guest says"),
        "{line}"
    );
}

#[tokio::test]
async fn tokens_and_secrets_are_never_logged() {
    let log = Log::capture();
    let server = server().await;
    let forged = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(3600) }),
        OTHER_SECRET,
    );

    let tokens = [
        token("ada"),
        token("nobody"),
        token("broken"),
        token("suspended"),
        forged,
        "blabla-blabla".to_owned(),
    ];
    for token in &tokens {
        let clients = [
            server.client().auth(json!({ "token": token })),
            server
                .client()
                .auth(json!({ "auth_token": format!("Bearer {token}") })),
            server
                .client()
                .header("authorization", &format!("Bearer {token}")),
            server.client().header("x-auth-token", token),
            server.client().query(&format!("auth_token={token}")),
        ];
        for client in clients {
            client.connect().await.next().await;
        }
    }

    let text = log.text();
    assert!(
        text.contains("connected") && text.contains("connection refused"),
        "{text}"
    );

    for token in &tokens {
        let signature = token.rsplit('.').next().unwrap();
        assert!(
            !text.contains(token.as_str()) && !text.contains(signature),
            "{token} in {text}"
        );
    }

    assert!(
        !text.contains(SECRET) && !text.contains(OTHER_SECRET),
        "{text}"
    );
}

#[tokio::test]
async fn a_token_in_the_name_of_a_namespace_or_an_event_is_not_logged() {
    async fn on_connect(socket: SocketRef) {
        socket.on_fallback(async |_: AuthUser<User>| ());
        socket.emit("ready", &()).unwrap();
    }
    let log = Log::capture();
    let server = Server::start().await;
    server
        .io
        .dyn_ns(
            "/{anything}",
            on_connect.with(lookup::middleware().unwrap()),
        )
        .unwrap();
    let token = token("ada");
    let namespace = format!("/{token}");
    let mut raw = server.raw().await;
    raw.connect_with_token(&namespace, "blabla").await;
    raw.expect(&namespace, Received::refused("token_malformed"))
        .await;
    raw.connect(&namespace, "").await;
    raw.expect(&namespace, Received::Connected).await;
    raw.expect(&namespace, Received::event("ready", json!(null)))
        .await;
    raw.emit_with_ack(&namespace, 1, &json!([token])).await;
    raw.expect(&namespace, refused_ack("login_required")).await;

    let own = log.lines_with("").join("\n");
    for event in ["connection refused", "connected", "event refused"] {
        assert!(own.contains(event), "{own}");
    }
    let signature = token.rsplit('.').next().unwrap();
    assert!(!own.contains(signature), "{own}");
}

#[tokio::test]
async fn a_guest_is_told_from_a_user_in_the_log() {
    let log = Log::capture();
    let server = Server::start().await;
    let lookup = lookup::builder().authenticate_event("authenticate");
    server.io.ns("/", on_connect.with(lookup.build().unwrap()));
    let mut client = server.client().admitted().await;
    let line = the_line(&log, &["connected"]);
    assert!(
        line.contains("DEBUG") && line.contains("as=\"guest\""),
        "{line}"
    );

    for (what, attempt) in [("logged in", 1), ("session renewed", 2)] {
        client
            .emit_with_ack("authenticate", json!({ "token": token("ada") }))
            .await;
        client.next().await.assert_renewal();
        let line = the_line(&log, &[what]);
        let id = server.io.sockets()[0].id.to_string();
        assert!(
            line.contains("DEBUG")
                && line.contains("namespace=\"/\"")
                && line.contains(&id)
                && line.contains("as=\"user\""),
            "attempt {attempt}: {line}"
        );
    }
}

#[tokio::test]
async fn a_token_under_another_name_is_logged_once_for_each_connection() {
    let log = Log::capture();
    let server = server().await;
    server
        .io
        .ns("/b", on_connect.with(lookup::middleware().unwrap()));
    let members = lookup::builder().guest(false).build().unwrap();
    server.io.ns("/members", on_connect.with(members));
    let ada = token("ada");
    let payload = json!({ "jwt": ada }).to_string();

    let mut raw = server.raw().await;
    for namespace in ["/", "/b"] {
        raw.connect(namespace, &payload).await;
        raw.expect(namespace, Received::Connected).await;
    }
    raw.connect("/members", &payload).await;
    raw.expect("/members", Received::refused("token_missing"))
        .await;

    let line = the_line(&log, &["token under another name"]);
    assert!(
        line.contains("INFO")
            && line.contains("namespace=\"/\"")
            && line.contains(
                "the member \"jwt\" of the auth payload looks like a token, and the sources are auth(\"token\"), \
                 auth(\"auth_token\"), bearer, header(\"x-auth-token\"), query(\"auth_token\")"
            ),
        "{line}"
    );
    let refusal = the_line(&log, &["connection refused", "token_missing"]);
    assert!(
        refusal.contains("INFO")
            && refusal.contains("no token in auth(")
            && refusal.contains("; the member \\\"jwt\\\" of the auth payload looks like one"),
        "{refusal}"
    );

    // Another connection is told of again.
    server.client().header("x-token", &ada).admitted().await;
    assert_eq!(log.lines_with("token under another name").len(), 2);
    the_line(
        &log,
        &["token under another name", "the header \"x-token\""],
    );
    assert!(!log.lines_with("").join("\n").contains(&ada));
}

#[tokio::test]
async fn a_connection_without_a_token_anywhere_gets_no_hint() {
    let log = Log::capture();
    let server = server().await;
    let auth = json!({ "room": "a.b.c", "version": "1.2.3" });
    server.client().auth(auth).admitted().await;
    server.client().token(&token("ada")).admitted().await;
    let beside = json!({ "token": token("ada"), "id_token": token("ada") });
    server.client().auth(beside).admitted().await;
    server.client().token("blabla").refusal().await;
    assert_eq!(log.lines_with("another name"), [""; 0]);
}

#[tokio::test]
async fn a_login_with_the_token_under_another_name_is_logged() {
    let log = Log::capture();
    let server = Server::start().await;
    let lookup = lookup::builder().authenticate_event("authenticate");
    server.io.ns("/", on_connect.with(lookup.build().unwrap()));
    let mut client = server.client().admitted().await;
    for _ in 0..2 {
        client
            .emit_with_ack("authenticate", json!({ "jwt": token("ada") }))
            .await;
        assert_eq!(client.next().await, refused_ack("token_missing"));
    }

    the_line(
        &log,
        &[
            "token under another name",
            "the member \"jwt\" of the argument looks like a token, and the sources are auth(\"token\"), auth(\"auth_token\")",
        ],
    );
    let refusals = log.lines_with("renewal refused");
    assert_eq!(refusals.len(), 2);
    for refusal in refusals {
        assert!(
            refusal.contains("token_missing") && refusal.contains("of the argument looks like one"),
            "{refusal}"
        );
    }
}

#[tokio::test]
async fn a_refusal_of_a_source_is_logged_with_its_place() {
    let log = Log::capture();
    let server = server().await;

    server.client().auth(json!({ "token": 5 })).refusal().await;
    server
        .client()
        .query("auth_token=a&auth_token=b")
        .refusal()
        .await;

    for detail in [
        "auth(\\\"token\\\") is not a string",
        "query(\\\"auth_token\\\") occurs twice",
    ] {
        let line = the_line(&log, &[detail, "token_malformed"]);
        assert!(line.contains("DEBUG"), "{line}");
    }
}
