//! `on_event` when clients connect: who was accepted, and who was refused.

use std::sync::{Arc, Mutex};

use serde_json::json;
use socketioxide::handler::ConnectHandler;
use socketioxide_jwt_auth::{
    AuthError, AuthEvent, AuthEventKind, ErrorCode, JwtAuthBuilder, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    AuditLog, Claims, Log, OTHER_SECRET, Received, SECRET, Server, User, answer, audit, find_user,
    join, mint, ready, seconds_from_now, token,
};

#[jwt_auth(
    secret = SECRET,
    guest = true,
    authenticate_event = "authenticate",
    user_key = |user: &User| user.name,
)]
async fn log_in(claims: Claims) -> Result<User, AuthError> {
    match claims.sub.as_str() {
        "suspended" => Err(AuthError::denied("suspended").with_detail("by the moderator")),
        "custom" => Err(AuthError::custom("under_age", "Come back later.").into()),
        subject => find_user(subject).ok_or_else(|| ErrorCode::UserNotFound.into()),
    }
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> Server {
    let server = Server::start().await;
    server.io.ns("/", answer.with(builder.build().unwrap()));
    server
}

async fn audited() -> (Server, AuditLog) {
    let (hook, events) = audit();
    (serve(log_in::builder().on_event(hook)).await, events)
}

#[tokio::test]
async fn a_user_and_a_guest_are_accepted_with_all_fields() {
    let (server, mut events) = audited().await;
    ready(&server, "/", Some(&token("ada"))).await;
    let event = events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Accepted);
    assert_eq!(event.namespace(), "/");
    assert_eq!(event.user_key(), Some("Ada"));
    assert_eq!((event.code(), event.detail()), (None, None));
    assert!(!event.is_guest());

    let guest = ready(&server, "/", None).await;
    let event = events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Accepted);
    assert_eq!((event.user_key(), event.code()), (None, None));
    assert!(event.is_guest());
    drop(guest);
    assert_eq!(events.unread(), [""; 0]);
}

#[tokio::test]
async fn an_event_has_the_id_of_its_socket() {
    let (server, mut events) = audited().await;
    let _client = ready(&server, "/", Some(&token("ada"))).await;
    assert_eq!(events.next().await.socket_id(), server.io.sockets()[0].id);
}

#[tokio::test]
async fn a_refused_connection_is_reported_with_code_and_detail() {
    let (server, mut events) = audited().await;
    assert_eq!(
        server.client().token(&token("suspended")).refusal().await,
        "suspended"
    );
    let event = events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Refused);
    assert_eq!(event.namespace(), "/");
    assert_eq!(event.user_key(), None);
    assert_eq!(event.code(), Some(ErrorCode::Denied));
    assert_eq!(event.detail(), Some("by the moderator"));
    assert!(!event.is_guest());

    let forged = mint(
        &json!({ "sub": "ada", "exp": 9_999_999_999_u64 }),
        OTHER_SECRET,
    );
    for (token, code) in [
        ("blabla".to_owned(), "token_malformed"),
        (forged, "token_signature_invalid"),
        (token("nobody"), "user_not_found"),
        (token("custom"), "under_age"),
    ] {
        server.client().token(&token).refusal().await;
        assert_eq!(events.line().await, format!("Refused / - {code}"));
    }
    assert_eq!(events.unread(), [""; 0]);
}

#[tokio::test]
async fn a_connection_past_the_limits_is_reported() {
    let (server, mut events) = audited().await;
    let mut raw = server.raw().await;
    for _ in 0..20 {
        raw.connect_with_token("/", "blabla").await;
        raw.expect("/", Received::refused("token_malformed")).await;
        assert_eq!(events.line().await, "Refused / - token_malformed");
    }

    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::refused("too_many_attempts"))
        .await;

    let event = events.next().await;
    assert_eq!(event.kind(), AuthEventKind::Refused);
    assert_eq!(event.code(), Some(ErrorCode::TooManyAttempts));
    assert!(event.detail().unwrap().contains("20 attempts"));
}

#[tokio::test]
async fn an_internal_error_and_its_cause_stay_apart() {
    #[jwt_auth(secret = SECRET)]
    async fn broken(_: Claims) -> Option<User> {
        panic!("with a secret");
    }

    let (hook, mut events) = audit();
    let server = Server::start().await;
    let middleware = broken::builder().on_event(hook).build().unwrap();
    server.io.ns("/", answer.with(middleware));
    server.client().token(&token("ada")).refusal().await;
    let event = events.next().await;
    assert_eq!(event.code(), Some(ErrorCode::InternalError));
    assert!(!format!("{event:?}").contains("secret"));
}

#[tokio::test]
async fn each_namespace_has_its_own_hook_or_they_share_one() {
    let (hook, mut chat) = audit();
    let hook = Arc::new(hook);
    let (staff_hook, mut staff) = audit();
    let server = Server::start().await;
    let shared = || {
        let hook = Arc::clone(&hook);
        let builder = log_in::builder().on_event(move |event| hook(event));
        builder.build().unwrap()
    };
    server.io.ns("/", answer.with(shared()));
    server.io.ns("/room", answer.with(shared()));
    let middleware = log_in::builder().on_event(staff_hook).build().unwrap();
    server.io.ns("/staff", answer.with(middleware));

    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    join(&mut raw, "/room", Some(&token("ada"))).await;
    join(&mut raw, "/staff", Some(&token("grace"))).await;
    let (first, second) = (chat.next().await, chat.next().await);
    assert_eq!((first.namespace(), second.namespace()), ("/", "/room"));
    assert_eq!(first.socket_id(), second.socket_id());
    assert_eq!(chat.unread(), [""; 0]);
    assert_eq!(staff.line().await, "Accepted /staff Grace -");
    assert_eq!(staff.unread(), [""; 0]);
}

#[tokio::test]
async fn a_token_in_the_name_of_a_namespace_is_not_reported() {
    let (hook, mut events) = audit();
    let server = Server::start().await;
    let middleware = log_in::builder().on_event(hook).build().unwrap();

    server
        .io
        .dyn_ns("/room/{id}", answer.with(middleware))
        .unwrap();

    let token = token("ada");
    let namespace = format!("/room/{token}");
    ready(&server, &namespace, Some(&token)).await;
    let event = events.next().await;
    assert_eq!(event.namespace(), "(a token)");
    assert!(!format!("{event:?}").contains(&token));
}

#[tokio::test]
async fn the_debug_output_holds_neither_token_nor_key_nor_claims() {
    let (server, mut events) = audited().await;
    let personal = mint(
        &json!({ "sub": "ada", "exp": seconds_from_now(60), "email": "ada@example.com" }),
        SECRET,
    );

    ready(&server, "/", Some(&personal)).await;
    server.client().token("blabla").refusal().await;

    for _ in 0..2 {
        let shown = format!("{:?}", events.next().await);
        assert!(shown.contains("namespace: \"/\""), "{shown}");
        for part in ["Ada", "ada", "example.com", "eyJ", "blabla"] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
    }
}

#[tokio::test]
async fn a_panic_of_the_hook_changes_nothing_and_is_logged() {
    let log = Log::capture();
    let server = serve(log_in::builder().on_event(|_| panic!("with a secret"))).await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    raw.emit_with_ack("/", 1, &json!(["whoami"])).await;
    raw.expect("/", Received::ack(json!("Ada"))).await;
    assert_eq!(
        server.client().token("blabla").refusal().await,
        "token_malformed"
    );

    let lines = log.lines_with("the `on_event` hook panicked");
    assert_eq!(lines.len(), 2, "{}", log.text());
    for line in lines {
        assert!(line.contains("ERROR") && !line.contains("secret"), "{line}");
        assert!(
            line.contains("namespace=\"/\"") && line.contains("socket="),
            "{line}"
        );
    }
}

static AUDITED: Mutex<Vec<AuthEventKind>> = Mutex::new(Vec::new());

#[jwt_auth(
    secret = SECRET,
    on_event = |event: &AuthEvent| AUDITED.lock().unwrap().push(event.kind()),
)]
async fn with_a_hook(claims: Claims) -> Option<User> {
    find_user(&claims.sub)
}

#[tokio::test]
async fn the_attribute_takes_a_hook() {
    let server = Server::start().await;
    let middleware = with_a_hook::middleware().unwrap();
    server.io.ns("/", answer.with(middleware));
    ready(&server, "/", Some(&token("ada"))).await;
    server.client().refusal().await;
    assert_eq!(
        *AUDITED.lock().unwrap(),
        [AuthEventKind::Accepted, AuthEventKind::Refused]
    );
}
