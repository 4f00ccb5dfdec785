//! Logging in and renewing the token on an open socket.

use serde::Deserialize;
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State, TryData},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthError, AuthUser, JwtAuthBuilder, RawToken, SocketAuth, jwt_auth};
use socketioxide_jwt_auth_tests::{
    OTHER_SECRET, Raw, Received, Recorder, Records, SECRET, Server, User, answer, denied_ack,
    emit_with_ack, find_user, join, mint, ready, recorder, refused_ack, renew, renewed_until,
    seconds_from_now, token, token_expiring_in, token_valid_for, unauthorized, unauthorized_event,
};

/// A user is named by `sub`, or else by `name`.
#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    name: Option<String>,
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate", leeway = "0s", lookup_timeout = "300ms")]
async fn log_in(
    claims: Claims,
    State(recorder): State<Recorder>,
) -> Result<Option<User>, AuthError> {
    let name = claims
        .sub
        .or(claims.name)
        .expect("every token of these tests names a user");
    recorder.record(format!("lookup {name}"));

    match name.as_str() {
        "suspended" => Err(AuthError::denied("account suspended")),
        "broken" => Err(AuthError::internal("no database")),
        "panics" => panic!("the lookup of a test"),
        "hangs" => std::future::pending().await,
        name => Ok(find_user(name)),
    }
}

async fn serve(builder: JwtAuthBuilder<log_in>) -> (Server, Records) {
    let (recorder, records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server.io.ns("/", answer.with(builder.build().unwrap()));
    server
        .io
        .ns("/second", answer.with(log_in::middleware().unwrap()));
    (server, records)
}

async fn server() -> Server {
    serve(log_in::builder()).await.0
}

fn expiring_in(seconds: i64, claims: &Value) -> String {
    let mut claims = claims.clone();
    claims["exp"] = json!(seconds_from_now(seconds));
    mint(&claims, SECRET)
}

async fn expect_who(raw: &mut Raw, name: &str) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        Received::ack(json!(name))
    );
}

async fn expect_guest(raw: &mut Raw) {
    assert_eq!(
        emit_with_ack(raw, "whoami", &json!(null)).await,
        refused_ack("login_required")
    );
}

/// Whether a token was renewed that was made a moment ago, to be valid for these seconds.
#[track_caller]
fn is_renewed_for(received: &Received, seconds: i64) -> bool {
    let expected = seconds_from_now(seconds);
    // The clock may have passed to the next second since the token was made.
    [expected, expected - 1].contains(&renewed_until(received))
}

#[tokio::test]
async fn a_guest_that_logs_in_becomes_a_user() {
    let server = server().await;
    let mut raw = ready(&server, "/", None).await;
    expect_guest(&mut raw).await;
    let received = renew(&mut raw, &token("ada")).await;
    assert!(is_renewed_for(&received, 3600), "{received:?}");
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn on_login_is_called_for_a_login_and_not_for_a_renewal() {
    async fn on_connect(socket: SocketRef) {
        socket.on_login(async |socket: SocketRef, user: AuthUser<User>| {
            socket.emit("welcome", user.name).unwrap()
        });
        answer(socket).await;
    }

    let (server, _records) = serve(log_in::builder()).await;
    server
        .io
        .ns("/on-login", on_connect.with(log_in::middleware().unwrap()));

    let mut raw = ready(&server, "/on-login", None).await;
    raw.emit(
        "/on-login",
        &json!(["authenticate", { "token": token_valid_for(60.0, "ada").0 }]),
    )
    .await;
    raw.expect("/on-login", Received::event("welcome", json!("Ada")))
        .await;
    raw.emit_with_ack(
        "/on-login",
        1,
        &json!(["authenticate", { "token": token_valid_for(60.0, "ada").0 }]),
    )
    .await;
    raw.next().await.1.assert_renewal();
    raw.emit_with_ack("/on-login", 2, &json!(["ping"])).await;
    raw.expect("/on-login", Received::ack(json!("pong"))).await;
}

#[tokio::test]
async fn a_renewed_session_outlives_its_first_token() {
    let server = server().await;
    let (first, expires_at) = token_valid_for(1.0, "ada");
    let mut renewed = ready(&server, "/", Some(&first)).await;
    let mut other = ready(&server, "/", Some(&first)).await;
    let received = renew(&mut renewed, &token("ada")).await;
    assert!(is_renewed_for(&received, 3600), "{received:?}");
    other.expect("/", unauthorized("token_expired")).await;
    assert!(socketioxide_jwt_auth_tests::now() >= expires_at);
    expect_who(&mut renewed, "Ada").await;
}

#[tokio::test]
async fn a_renewed_session_ends_with_its_new_token() {
    let server = server().await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    renew(&mut raw, &token_valid_for(0.7, "ada").0)
        .await
        .assert_renewal();
    raw.expect_ended("/", "token_expired").await;
}

#[tokio::test]
async fn a_token_without_exp_is_acknowledged_with_null() {
    let (server, _records) = serve(log_in::builder().required_claims(Vec::<String>::new())).await;
    let mut raw = ready(&server, "/", None).await;
    let received = renew(&mut raw, &mint(&json!({ "sub": "ada" }), SECRET)).await;
    assert_eq!(
        received,
        Received::ack(json!({ "expires_at": null, "expires_in": null }))
    );
}

#[tokio::test]
async fn a_renewed_token_is_warned_of() {
    let (server, _records) = serve(log_in::builder().expiry_warning("1h").expiry("ignore")).await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    renew(&mut raw, &token_valid_for(1.0, "ada").0)
        .await
        .assert_renewal();
    let (_, received) = raw.next().await;
    assert!(
        matches!(&received, Received::Event(name, _) if name == "token_expiring"),
        "{received:?}"
    );
}

#[tokio::test]
async fn the_token_of_another_user_is_subject_mismatch_and_changes_nothing() {
    let server = server().await;
    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    assert_eq!(
        renew(&mut raw, &token("grace")).await,
        refused_ack("subject_mismatch")
    );
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn the_same_subject_of_another_issuer_is_another_user() {
    let (server, _records) = serve(log_in::builder().issuer(["a", "b"])).await;
    let of_issuer = |issuer: &str| expiring_in(60, &json!({ "sub": "ada", "iss": issuer }));
    let mut raw = ready(&server, "/", Some(&of_issuer("a"))).await;
    assert_eq!(
        renew(&mut raw, &of_issuer("b")).await,
        refused_ack("subject_mismatch")
    );
    renew(&mut raw, &of_issuer("a")).await.assert_renewal();
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn without_subjects_the_user_key_decides() {
    let (server, _records) = serve(log_in::builder().user_key(|user: &User| user.name)).await;
    let mut raw = ready(
        &server,
        "/",
        Some(&expiring_in(60, &json!({ "name": "ada" }))),
    )
    .await;
    assert_eq!(
        renew(&mut raw, &expiring_in(60, &json!({ "name": "grace" }))).await,
        refused_ack("subject_mismatch")
    );

    let received = renew(&mut raw, &expiring_in(90, &json!({ "name": "ada" }))).await;
    assert!(is_renewed_for(&received, 90), "{received:?}");

    // The key is the same, though the token names the user by another claim.
    let received = renew(&mut raw, &expiring_in(120, &json!({ "sub": "ada" }))).await;
    assert!(is_renewed_for(&received, 120), "{received:?}");
}

#[tokio::test]
async fn without_subjects_and_user_key_no_renewal_is_accepted() {
    let server = server().await;
    let token = expiring_in(60, &json!({ "name": "ada" }));
    let mut raw = ready(&server, "/", Some(&token)).await;
    assert_eq!(
        renew(&mut raw, &token).await,
        refused_ack("subject_mismatch")
    );
    expect_who(&mut raw, "Ada").await;

    let mut guest = ready(&server, "/", None).await;
    assert!(
        is_renewed_for(&renew(&mut guest, &token).await, 60),
        "a guest may log in as any user"
    );
}

#[tokio::test]
async fn a_refused_token_leaves_the_session_as_it_is() {
    let server = server().await;

    let mut raw = ready(&server, "/", Some(&token("ada"))).await;
    let refused = [
        (
            mint(
                &json!({ "sub": "ada", "exp": seconds_from_now(60) }),
                OTHER_SECRET,
            ),
            "token_signature_invalid",
        ),
        (token_expiring_in(-60, "ada"), "token_expired"),
        ("x.y.z".to_owned(), "token_malformed"),
        (token("nobody"), "user_not_found"),
        (token("broken"), "internal_error"),
        (token("panics"), "internal_error"),
        (token("hangs"), "lookup_timeout"),
        (String::new(), "token_missing"),
    ];

    for (token, code) in refused {
        assert_eq!(renew(&mut raw, &token).await, refused_ack(code));
        expect_who(&mut raw, "Ada").await;
    }

    let received = renew(&mut raw, &token("suspended")).await;
    assert_eq!(received, denied_ack("account suspended"));
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn a_failed_renewal_does_not_delay_the_end() {
    let server = server().await;
    let mut raw = ready(&server, "/", Some(&token_valid_for(0.7, "ada").0)).await;
    assert_eq!(
        renew(&mut raw, &token("nobody")).await,
        refused_ack("user_not_found")
    );
    raw.expect_ended("/", "token_expired").await;
}

#[tokio::test]
async fn without_an_acknowledgement_a_refusal_is_an_event_and_success_is_silent() {
    let server = server().await;
    let mut raw = ready(&server, "/", None).await;

    raw.emit("/", &json!(["authenticate", { "token": token("nobody") }]))
        .await;
    raw.expect("/", unauthorized_event("user_not_found", "authenticate"))
        .await;

    raw.emit("/", &json!(["authenticate", { "token": token("ada") }]))
        .await;
    // The next attempt waits for this one.
    assert_eq!(
        renew(&mut raw, &token("grace")).await,
        refused_ack("subject_mismatch")
    );
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn each_namespace_is_logged_in_to_separately() {
    let server = server().await;
    let mut raw = ready(&server, "/", None).await;

    join(&mut raw, "/second", None).await;
    raw.emit_with_ack(
        "/second",
        7,
        &json!(["authenticate", { "token": token("ada") }]),
    )
    .await;

    let (namespace, received) = raw.next().await;
    assert_eq!(namespace, "/second");
    assert!(is_renewed_for(&received, 3600), "{received:?}");

    raw.emit_with_ack("/second", 8, &json!(["whoami"])).await;
    raw.expect("/second", Received::ack(json!("Ada"))).await;
    expect_guest(&mut raw).await;
}

#[tokio::test]
async fn payloads_without_a_valid_token_are_answered_with_a_code() {
    let server = server().await;

    let payloads = [
        (json!(["authenticate"]), "token_missing"),
        (json!(["authenticate", null]), "token_missing"),
        (json!(["authenticate", ""]), "token_missing"),
        (json!(["authenticate", token("nobody")]), "user_not_found"),
        (json!(["authenticate", "undefined"]), "token_missing"),
        (
            json!(["authenticate", [{ "token": token("ada") }]]),
            "token_malformed",
        ),
        (json!(["authenticate", {}]), "token_missing"),
        (json!(["authenticate", "text"]), "token_malformed"),
        (json!(["authenticate", 1.5]), "token_malformed"),
        (json!(["authenticate", [[], {}]]), "token_malformed"),
        (json!(["authenticate", { "token": null }]), "token_missing"),
        (
            json!(["authenticate", { "token": "null" }]),
            "token_missing",
        ),
        (json!(["authenticate", { "token": 5 }]), "token_malformed"),
        (
            json!(["authenticate", { "token": { "token": token("ada") } }]),
            "token_malformed",
        ),
        (
            json!(["authenticate", { "token": [token("ada")] }]),
            "token_malformed",
        ),
        (
            json!(["authenticate", { "token": "x".repeat(10_000) }]),
            "token_too_large",
        ),
        (
            json!(["authenticate", "x".repeat(2_000_000)]),
            "token_too_large",
        ),
        (
            json!(["authenticate", { "token": token("nobody") }, { "token": token("ada") }]),
            "user_not_found",
        ),
    ];
    for (payload, code) in payloads {
        let mut raw = ready(&server, "/", None).await;
        raw.emit_with_ack("/", 3, &payload).await;
        let (_, received) = raw.next().await;
        assert_eq!(
            received,
            refused_ack(code),
            "{}",
            &payload.to_string()[..payload.to_string().len().min(200)]
        );
        expect_guest(&mut raw).await;
    }
}

#[tokio::test]
async fn binary_payloads_are_answered_with_a_code() {
    let server = server().await;
    for payload in [
        r#"{"_placeholder":true,"num":0}"#,
        r#"{"token":{"_placeholder":true,"num":0}}"#,
    ] {
        let mut raw = ready(&server, "/", None).await;
        raw.send(&format!(r#"451-4["authenticate",{payload}]"#))
            .await;
        raw.send_binary(token("ada").as_bytes()).await;
        let (_, received) = raw.next().await;
        assert!(
            [refused_ack("token_malformed"), refused_ack("token_missing")].contains(&received),
            "{received:?}"
        );
        expect_guest(&mut raw).await;
    }
}

#[tokio::test]
async fn the_event_accepts_the_members_of_the_auth_payload() {
    let server = server().await;
    for payload in [
        json!({ "auth_token": token("ada") }),
        json!({ "token": format!("Bearer {}", token("ada")) }),
        json!(token("ada")),
        json!(format!("Bearer {}", token("ada"))),
    ] {
        let mut raw = ready(&server, "/", None).await;
        emit_with_ack(&mut raw, "authenticate", &payload)
            .await
            .assert_renewal();
        expect_who(&mut raw, "Ada").await;
    }
}

#[tokio::test]
async fn the_event_ignores_the_token_of_the_handshake() {
    let server = server().await;
    let mut raw = Raw::open_with(
        server.address(),
        &format!("&auth_token={}", token_valid_for(60.0, "ada").0),
        &[],
    )
    .await;

    join(&mut raw, "/", None).await;
    assert_eq!(
        emit_with_ack(&mut raw, "authenticate", &json!({})).await,
        refused_ack("token_missing")
    );
    expect_who(&mut raw, "Ada").await;
}

#[tokio::test]
async fn without_the_setting_the_event_is_ignored() {
    let server = Server::start().await;
    let builder = socketioxide_jwt_auth_tests::authenticate::builder().guest(true);
    server.io.ns("/", answer.with(builder.build().unwrap()));
    let mut raw = ready(&server, "/", None).await;
    raw.emit_with_ack("/", 1, &json!(["authenticate", { "token": token("ada") }]))
        .await;
    assert_eq!(
        emit_with_ack(&mut raw, "ping", &json!(null)).await,
        Received::ack(json!("pong"))
    );
    expect_guest(&mut raw).await;
}

#[tokio::test]
async fn the_lookup_sees_the_socket_and_its_request_and_no_payload() {
    #[jwt_auth(secret = SECRET, guest = true, authenticate_event = "log in")]
    async fn inspecting(
        claims: socketioxide_jwt_auth_tests::Claims,
        socket: SocketRef,
        TryData(payload): TryData<Option<Value>>,
        token: RawToken,
        State(recorder): State<Recorder>,
    ) -> Option<User> {
        let query = socket
            .req_parts()
            .uri
            .query()
            .unwrap_or_default()
            .rsplit('&')
            .next()
            .unwrap_or_default();

        recorder.record(format!(
            "{} {query} {:?} {}",
            socket.connected(),
            payload.ok().flatten(),
            token.as_str().len()
        ));
        find_user(&claims.sub)
    }

    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server
        .io
        .ns("/", answer.with(inspecting::middleware().unwrap()));

    let mut raw = Raw::open_with(server.address(), "&page=7", &[]).await;
    join(&mut raw, "/", None).await;
    let token = token("ada");
    emit_with_ack(&mut raw, "log in", &json!({ "token": &token }))
        .await
        .assert_renewal();
    assert_eq!(
        records.next().await,
        format!("true page=7 Some(Object {{}}) {}", token.len())
    );
}
