//! Refusals with a code of the application, and refusals inside of the application's errors.

use std::{error::Error, fmt};

use serde_json::{Value, json};
use socketioxide::{
    extract::{Data, Extension, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    Action, AuthError, AuthUser, CustomError, Reply, disconnect_user_because, jwt_auth,
};
use socketioxide_jwt_auth_tests::{
    Claims, Log, Raw, Received, SECRET, Server, User, find_user, refused_ack, renew, token,
};

type Failure = Box<dyn Error + Send + Sync>;

/// An error of the application, which has another one as its source.
#[derive(Debug)]
struct Wrapped(Failure);

impl fmt::Display for Wrapped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the account cannot be used")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

impl From<AuthError> for Wrapped {
    fn from(error: AuthError) -> Self {
        Self(error.into())
    }
}

impl From<CustomError> for Wrapped {
    fn from(error: CustomError) -> Self {
        Self(error.into())
    }
}

/// An error that shows another one as its own, as `anyhow::Error` does.
#[derive(Debug)]
struct Report(Failure);

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl Error for Report {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

fn unverified() -> CustomError {
    AuthError::custom("email_unverified", "Confirm your address first.")
        .data(json!({ "resend": true }))
}

/// What a client gets of [`unverified`].
fn unverified_on_the_wire() -> Value {
    json!({
        "code": "email_unverified",
        "message": "Confirm your address first.",
        "action": "none",
        "data": { "resend": true },
    })
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn custom(claims: Claims) -> Result<User, CustomError> {
    find_user(&claims.sub).ok_or_else(unverified)
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn converted(claims: Claims) -> Result<User, AuthError> {
    Ok(find_user(&claims.sub).ok_or_else(unverified)?)
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn boxed(claims: Claims) -> Result<User, Failure> {
    Ok(find_user(&claims.sub).ok_or_else(unverified)?)
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn wrapped(claims: Claims) -> Result<User, Wrapped> {
    Ok(find_user(&claims.sub).ok_or_else(unverified)?)
}

#[jwt_auth(secret = SECRET, guest = true, authenticate_event = "authenticate")]
async fn reported(claims: Claims) -> Result<Option<User>, Report> {
    let user = find_user(&claims.sub).ok_or_else(unverified);
    user.map(Some)
        .map_err(|error| Report(AuthError::from(error).into()))
}

#[jwt_auth(secret = SECRET)]
async fn suspended(_claims: Claims) -> Result<User, Wrapped> {
    Err(AuthError::denied("account suspended"))?
}

fn fail(how: &str) -> Result<(), Failure> {
    match how {
        "custom" => Err(unverified().into()),
        "wrapped" => Err(Wrapped(unverified().into()).into()),
        "reported" => Err(Report(AuthError::from(unverified()).into()).into()),
        _ => Err(how.into()),
    }
}

async fn on_connect(socket: SocketRef) {
    socket.on("fail", async |Data(how): Data<String>, reply: Reply| {
        reply.send(fail(&how));
    });
    socket.on("fail at once", async |reply: Reply| {
        reply.send::<(), _>(Err(unverified()));
    });
}

#[tokio::test]
async fn a_lookup_refuses_with_a_code_of_the_application_in_any_error_type() {
    let server = Server::start().await;
    server
        .io
        .ns("/custom", on_connect.with(custom::middleware().unwrap()));
    server.io.ns(
        "/converted",
        on_connect.with(converted::middleware().unwrap()),
    );
    server
        .io
        .ns("/boxed", on_connect.with(boxed::middleware().unwrap()));
    server
        .io
        .ns("/wrapped", on_connect.with(wrapped::middleware().unwrap()));
    server.io.ns(
        "/reported",
        on_connect.with(reported::middleware().unwrap()),
    );

    for namespace in ["/custom", "/converted", "/boxed", "/wrapped", "/reported"] {
        let client = server.client().namespace(namespace).token(&token("nobody"));
        assert_eq!(client.refusal().await, "email_unverified", "{namespace}");

        let mut raw = server.raw().await;
        raw.connect(namespace, "").await;
        raw.expect(namespace, Received::Connected).await;
        let authenticate = json!(["authenticate", { "token": token("nobody") }]);
        raw.emit_with_ack(namespace, 1, &authenticate).await;
        let answer = json!({ "error": unverified_on_the_wire() });
        raw.expect(namespace, Received::ack(answer)).await;

        raw.emit(namespace, &authenticate).await;
        let mut event = unverified_on_the_wire();
        event["event"] = json!("authenticate");
        raw.expect(namespace, Received::event("unauthorized", event))
            .await;
    }
}

#[tokio::test]
async fn a_denial_inside_of_an_application_s_error_reaches_the_client() {
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(suspended::middleware().unwrap()));
    let client = server.client().token(&token("ada"));
    assert_eq!(client.refusal().await, "account suspended");
}

#[tokio::test]
async fn a_handler_refuses_with_a_code_of_the_application() {
    let log = Log::capture();
    let (_server, mut raw) = connected().await;
    let mut event = unverified_on_the_wire();
    for how in ["custom", "wrapped", "reported"] {
        raw.emit_with_ack("/", 1, &json!(["fail", how])).await;
        let answer = json!({ "error": unverified_on_the_wire() });
        raw.expect("/", Received::ack(answer)).await;

        raw.emit("/", &json!(["fail", how])).await;
        event["event"] = json!("fail");
        raw.expect("/", Received::event("unauthorized", event.clone()))
            .await;
    }
    raw.emit("/", &json!(["fail at once"])).await;
    event["event"] = json!("fail at once");
    raw.expect("/", Received::event("unauthorized", event))
        .await;
    assert!(log.lines_with("ERROR").is_empty(), "{}", log.text());

    raw.emit_with_ack("/", 1, &json!(["fail", "email_unverified"]))
        .await;
    raw.expect("/", refused_ack("internal_error")).await;
}

async fn connected() -> (Server, Raw) {
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(custom::middleware().unwrap()));
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;
    (server, raw)
}

#[tokio::test]
async fn a_logout_gives_its_reason_with_code_action_and_data() {
    #[jwt_auth(secret = SECRET, user_key = |user: &User| &user.name)]
    async fn keyed(claims: Claims) -> Option<User> {
        find_user(&claims.sub)
    }
    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(keyed::middleware().unwrap()));
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("ada")).await;
    raw.expect("/", Received::Connected).await;

    let reason = AuthError::custom("moved", "Your account has moved.")
        .data(json!({ "to": "eu" }))
        .action(Action::Login)
        .with_detail("for the operator");
    disconnect_user_because(&server.io, "Ada", &reason)
        .await
        .unwrap();
    let told = json!({
        "code": "moved",
        "message": "Your account has moved.",
        "action": "login",
        "data": { "to": "eu" },
    });
    raw.expect("/", Received::event("unauthorized", told)).await;
    raw.expect("/", Received::Disconnected).await;
}

/// Each of these fails with another error of socketioxide, which `?` converts.
mod of_socketioxide {
    use super::*;

    #[derive(Clone)]
    struct Missing;

    fn emit(socket: &SocketRef) -> Result<(), AuthError> {
        socket.emit("hello", &UnserializableKey.map())?;
        Ok(())
    }

    /// JSON has no maps with such keys.
    struct UnserializableKey;

    impl UnserializableKey {
        fn map(self) -> std::collections::HashMap<Vec<u8>, u8> {
            std::collections::HashMap::from([(vec![1], 1)])
        }
    }

    async fn broadcast(socket: &SocketRef) -> Result<(), AuthError> {
        socket
            .within("room")
            .emit("hello", &UnserializableKey.map())
            .await?;
        Ok(())
    }

    async fn ask(socket: &SocketRef) -> Result<(), AuthError> {
        let asked = socket.emit_with_ack::<_, Value>("hello", &UnserializableKey.map())?;
        asked.await?;
        Ok(())
    }

    async fn fails(socket: SocketRef, Data(how): Data<String>, reply: Reply) {
        let outcome = match how.as_str() {
            "emit" => emit(&socket),
            "broadcast" => broadcast(&socket).await,
            "ask" => ask(&socket).await,
            _ => Ok(()),
        };
        reply.send(outcome);
    }

    #[tokio::test]
    async fn a_handler_that_fails_in_socketioxide_answers_internal_error_and_logs_why() {
        async fn on_connect(socket: SocketRef, _: AuthUser<User>) {
            socket.on("do", fails);
        }

        let log = Log::capture();
        let server = Server::start().await;

        server
            .io
            .ns("/", on_connect.with(custom::middleware().unwrap()));

        let mut raw = server.raw().await;
        raw.connect_with_token("/", &token("ada")).await;
        raw.expect("/", Received::Connected).await;
        for (number, how) in ["emit", "broadcast", "ask"].into_iter().enumerate() {
            raw.emit_with_ack("/", 1, &json!(["do", how])).await;
            raw.expect("/", refused_ack("internal_error")).await;
            let errors = log.lines_with("event failed");
            assert_eq!(errors.len(), number + 1, "{how}: {}", log.text());
            assert!(
                errors[number].contains("key must be a string"),
                "{errors:?}"
            );
        }
    }

    #[jwt_auth(secret = SECRET)]
    async fn without_state(_claims: Claims, State(_): State<Missing>) -> Option<User> {
        None
    }

    #[jwt_auth(secret = SECRET)]
    async fn without_extension(_claims: Claims, Extension(_): Extension<Missing>) -> Option<User> {
        None
    }

    #[tokio::test]
    async fn a_lookup_whose_state_is_missing_refuses_and_logs_which() {
        let log = Log::capture();
        let server = Server::start().await;

        server.io.ns(
            "/state",
            on_connect.with(without_state::middleware().unwrap()),
        );
        server.io.ns(
            "/extension",
            on_connect.with(without_extension::middleware().unwrap()),
        );

        for namespace in ["/state", "/extension"] {
            let client = server.client().namespace(namespace).token(&token("ada"));
            assert_eq!(client.refusal().await, "internal_error");
            let lines = log.lines_with(namespace);
            assert!(
                lines
                    .iter()
                    .any(|line| line.contains("ERROR") && line.contains("Missing")),
                "{lines:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_renewal_that_the_application_refuses_leaves_the_session_as_it_is() {
    let (_server, mut raw) = connected().await;
    let answer = json!({ "error": unverified_on_the_wire() });
    assert_eq!(
        renew(&mut raw, &token("nobody")).await,
        Received::ack(answer)
    );
    raw.emit_with_ack("/", 1, &json!(["fail", "custom"])).await;
    let answer = json!({ "error": unverified_on_the_wire() });
    raw.expect("/", Received::ack(answer)).await;
}
