//! The expiry of a token on an open socket, and the warning before it.

use std::time::Duration;

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{AuthUser, JwtAuthBuilder, SocketAuth, user_room};
use socketioxide_jwt_auth_tests::{
    Raw, Received, Recorder, SECRET, Server, User, answer, authenticate, emit_with_ack, join, mint,
    now, ready, recorder, refused_ack, renew, token_valid_for, unauthorized,
};

fn builder() -> JwtAuthBuilder<authenticate> {
    authenticate::builder().leeway("0s")
}

async fn serve(builder: JwtAuthBuilder<authenticate>) -> Server {
    let server = Server::start().await;
    server.io.ns("/", answer.with(builder.build().unwrap()));
    server
}

/// Expects the expiry, and returns when it arrived.
async fn expect_expiry(raw: &mut Raw) -> f64 {
    raw.expect("/", unauthorized("token_expired")).await;
    let at = now();
    raw.expect("/", Received::Disconnected).await;
    at
}

/// Returns the argument of `token_expiring`.
async fn warning(raw: &mut Raw) -> Value {
    match raw.next().await.1 {
        Received::Event(name, mut arguments) if name == "token_expiring" => arguments.remove(0),
        other => panic!("expected a warning, got {other:?}"),
    }
}

/// Waits until a token of this number of seconds expires on a separate server.
async fn let_a_socket_expire(seconds: f64) {
    let server = serve(builder()).await;
    expect_expiry(&mut ready(&server, "/", Some(&token_valid_for(seconds, "grace").0)).await).await;
}

#[tokio::test]
async fn a_session_that_expires_is_told_and_disconnected() {
    let server = serve(builder()).await;
    let (token, expires_at) = token_valid_for(0.7, "ada");
    let mut raw = ready(&server, "/", Some(&token)).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
    assert!(expect_expiry(&mut raw).await >= expires_at);
    assert_eq!(server.sockets_in("/"), 0);
}

#[tokio::test]
async fn leeway_is_added_to_exp() {
    let server = serve(builder().leeway("5s")).await;
    let (token, expires_at) = token_valid_for(-4.3, "ada");
    let mut raw = ready(&server, "/", Some(&token)).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );

    let end = expect_expiry(&mut raw).await;
    assert!(
        (expires_at + 5.0..expires_at + 8.0).contains(&end),
        "from `exp`, not from the connection"
    );
}

#[tokio::test]
async fn only_the_namespace_of_the_token_is_disconnected() {
    let server = serve(builder()).await;
    server
        .io
        .ns("/lasting", answer.with(builder().build().unwrap()));
    let mut raw = ready(&server, "/lasting", Some(&token_valid_for(60.0, "ada").0)).await;
    join(&mut raw, "/", Some(&token_valid_for(0.7, "ada").0)).await;
    expect_expiry(&mut raw).await;
    raw.emit_with_ack("/lasting", 1, &json!(["whoami"])).await;
    raw.expect("/lasting", Received::ack(json!("Ada"))).await;
}

#[tokio::test]
async fn a_kept_socket_has_no_user_after_its_expiry() {
    let server = serve(builder()).await;
    let mut raw = ready(&server, "/", Some(&token_valid_for(0.7, "ada").0)).await;
    let kept = server.io.sockets().pop().unwrap();
    assert!(kept.auth_user::<User>().is_some());
    expect_expiry(&mut raw).await;
    assert!(kept.auth_user::<User>().is_none());
    assert!(kept.rooms().is_empty());
}

#[tokio::test]
async fn a_disconnect_handler_still_sees_the_user() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |State(recorder): State<Recorder>, user: AuthUser<User>| {
                recorder.record(format!("goodbye {}", user.name));
            },
        );
        answer(socket).await;
    }

    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server
        .io
        .ns("/", on_connect.with(builder().build().unwrap()));

    let mut raw = ready(&server, "/", Some(&token_valid_for(0.7, "ada").0)).await;
    expect_expiry(&mut raw).await;
    assert_eq!(records.next().await, "goodbye Ada");
}

#[tokio::test]
async fn an_ignored_expiry_does_not_end_the_session() {
    let server = serve(builder().expiry("ignore")).await;
    let mut raw = ready(&server, "/", Some(&token_valid_for(0.4, "ada").0)).await;
    let_a_socket_expire(0.8).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn an_ignored_expiry_does_not_let_an_expired_token_in() {
    let server = serve(builder().expiry("ignore")).await;
    assert_eq!(
        server
            .client()
            .token(&token_valid_for(-0.1, "ada").0)
            .refusal()
            .await,
        "token_expired"
    );
}

#[tokio::test]
async fn a_warning_comes_before_the_end() {
    let server = serve(builder().expiry_warning("1s").leeway("1s")).await;
    let (token, expires_at) = token_valid_for(1.5, "ada");
    let mut raw = ready(&server, "/", Some(&token)).await;
    let warning = warning(&mut raw).await;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "only whole seconds are compared"
    )]
    let whole = expires_at as i64;
    assert_eq!(warning["expires_at"], json!(whole));
    assert!(
        [json!(0), json!(1)].contains(&warning["expires_in"]),
        "{warning}"
    );
    assert!(
        (expires_at - 1.0..expires_at).contains(&now()),
        "before `exp`, not before `exp` plus leeway"
    );
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
    assert!(expect_expiry(&mut raw).await >= expires_at + 1.0);
}

#[tokio::test]
async fn a_client_that_renews_after_the_warning_stays_connected() {
    let server = serve(
        builder()
            .expiry_warning("1s")
            .authenticate_event("authenticate"),
    )
    .await;
    let (first, expires_at) = token_valid_for(1.4, "ada");
    let mut renewed = ready(&server, "/", Some(&first)).await;
    let mut expiring = ready(&server, "/", Some(&first)).await;

    warning(&mut renewed).await;
    renew(&mut renewed, &token_valid_for(60.0, "ada").0)
        .await
        .assert_renewal();

    warning(&mut expiring).await;
    assert!(expect_expiry(&mut expiring).await >= expires_at);
    assert_eq!(
        emit_with_ack(&mut renewed, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn an_expired_session_loses_its_user_and_rooms_before_the_client_is_told() {
    async fn on_connect(socket: SocketRef) {
        socket.join("members");
        answer(socket).await;
    }

    let server = Server::start().await;
    server.io.ns(
        "/",
        on_connect.with(builder().user_key(|user: &User| user.name).build().unwrap()),
    );

    let mut raw = ready(&server, "/", Some(&token_valid_for(0.8, "ada").0)).await;
    let kept = server.io.sockets().pop().unwrap();
    assert_eq!(kept.rooms().len(), 2);
    raw.expect("/", unauthorized("token_expired")).await;

    // The test runs on one thread, so nothing else has happened since the packet was read.
    assert!(kept.auth_user::<User>().is_none());
    assert!(kept.rooms().is_empty());
    server
        .io
        .to(["members".to_owned(), user_room("Ada")])
        .emit("news", &())
        .await
        .unwrap();
    raw.expect("/", Received::Disconnected).await;
}

#[tokio::test]
async fn a_token_shorter_than_the_warning_is_warned_of_at_half_of_its_life() {
    let server = serve(builder().expiry_warning("1h")).await;
    let (token, expires_at) = token_valid_for(1.6, "ada");
    let mut raw = ready(&server, "/", Some(&token)).await;
    warning(&mut raw).await;
    assert!((expires_at - 0.9..expires_at).contains(&now()));
    expect_expiry(&mut raw).await;
}

#[tokio::test]
async fn an_ignored_expiry_is_still_warned_of() {
    let server = serve(builder().expiry("ignore").expiry_warning("1s")).await;
    let mut raw = ready(&server, "/", Some(&token_valid_for(0.4, "ada").0)).await;
    warning(&mut raw).await;
    let_a_socket_expire(0.8).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn enormous_exp_values_are_handled() {
    let server = serve(builder().expiry_warning("60s").leeway("60s")).await;

    for exp in [json!(4e9), json!(1e18), json!(i64::MAX), json!(u64::MAX)] {
        let token = mint(&json!({ "sub": "ada", "exp": exp }), SECRET);
        let mut raw = ready(&server, "/", Some(&token)).await;
        assert_eq!(
            emit_with_ack(&mut raw, "whoami", &json!(null)).await,
            Received::ack(json!("Ada")),
            "exp: {exp}"
        );
    }

    for exp in [json!(1e30), json!(f64::MAX), json!(-1e30)] {
        let token = mint(&json!({ "sub": "ada", "exp": exp }), SECRET);
        assert_eq!(
            server.client().token(&token).refusal().await,
            "token_claims_invalid",
            "exp: {exp}"
        );
    }
}

#[tokio::test]
async fn a_warning_of_any_length_is_accepted() {
    let server = serve(builder().expiry_warning(Duration::MAX)).await;
    let mut raw = ready(&server, "/", Some(&token_valid_for(60.0, "ada").0)).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn a_session_of_a_token_without_exp_does_not_end() {
    let server = serve(
        builder()
            .required_claims(Vec::<String>::new())
            .expiry_warning("1h"),
    )
    .await;
    let mut raw = ready(&server, "/", Some(&mint(&json!({ "sub": "ada" }), SECRET))).await;
    assert_eq!(
        emit_with_ack(&mut raw, "whoami", &json!(null)).await,
        Received::ack(json!("Ada"))
    );
}

#[tokio::test]
async fn a_session_that_expires_while_other_middlewares_run_is_told_once_it_is_connected() {
    async fn wait() -> Result<(), std::convert::Infallible> {
        let_a_socket_expire(0.8).await;
        Ok(())
    }

    async fn on_connect(_: AuthUser<User>) {}

    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(wait).with(builder().build().unwrap()));
    server
        .io
        .ns("/open", answer.with(wait).with(builder().build().unwrap()));

    for namespace in ["/", "/open"] {
        let mut raw = server.raw().await;
        raw.connect_with_token(namespace, &token_valid_for(0.4, "ada").0)
            .await;
        raw.expect(namespace, Received::Connected).await;
        let (_, mut received) = raw.next().await;
        if namespace == "/open" {
            assert_eq!(received, Received::event("ready", json!(null)));
            raw.emit_with_ack(namespace, 1, &json!(["whoami"])).await;
            received = raw.next().await.1;
            // The answer and the timer come in either order.
            if received == refused_ack("token_expired") {
                received = raw.next().await.1;
            }
        }
        assert_eq!(received, unauthorized("token_expired"));
    }
}

#[tokio::test]
async fn a_second_connection_with_the_same_token_ends_at_the_same_time() {
    let server = serve(builder()).await;
    let (token, expires_at) = token_valid_for(1.2, "ada");
    let mut first = ready(&server, "/", Some(&token)).await;
    let mut second = ready(&server, "/", Some(&token)).await;
    let (first, second) = tokio::join!(expect_expiry(&mut first), expect_expiry(&mut second));
    assert!(first >= expires_at && second >= expires_at);
}

#[tokio::test]
async fn a_warning_that_comes_while_other_middlewares_run_is_told_once_it_is_connected() {
    async fn wait() -> Result<(), std::convert::Infallible> {
        let_a_socket_expire(1.1).await;
        Ok(())
    }

    let server = Server::start().await;
    server.io.ns(
        "/",
        answer
            .with(wait)
            .with(builder().expiry_warning("1h").build().unwrap()),
    );
    // The warning comes after a second, at half of the lifetime.
    let mut raw = ready(&server, "/", Some(&token_valid_for(2.0, "ada").0)).await;
    assert_eq!(warning(&mut raw).await["expires_in"], json!(0));
}

#[tokio::test]
async fn an_idle_session_has_no_task_of_its_own() {
    let server = serve(builder().expiry_warning("60s")).await;
    let namespaces = ["/b", "/c", "/d", "/e"];

    for namespace in namespaces {
        let builder = builder()
            .expiry_warning("60s")
            .announce_event("authenticated");
        server
            .io
            .ns(namespace, silent.with(builder.build().unwrap()));
    }

    let token = token_valid_for(600.0, "ada").0;
    let mut raw = ready(&server, "/", Some(&token)).await;
    let tasks = tokio::runtime::Handle::current()
        .metrics()
        .num_alive_tasks();
    for namespace in namespaces {
        raw.connect_with_token(namespace, &token).await;
        raw.expect(namespace, Received::Connected).await;
        raw.next().await;
    }
    Server::wait_for_tasks_at_most(tasks).await;
}

async fn silent(_: SocketRef) {}
