//! The pattern of `docs/authorisation.md`: rights that depend on what an event is about, and scopes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{
    AuthError, AuthUser, ErrorCode, HasScope, Reply, Scope, Scopes, jwt_auth,
    testing::{TestClient, TestIssuer},
    user_room,
};
use socketioxide_jwt_auth_tests::{Log, Server, refusal};

#[derive(serde::Deserialize)]
struct Claims {
    sub: String,
    #[serde(default, alias = "scp")]
    scope: Scopes,
}

struct User {
    id: String,
    scopes: Scopes,
}

impl AsRef<Scopes> for User {
    fn as_ref(&self) -> &Scopes {
        &self.scopes
    }
}

struct WriteBoards;

impl Scope for WriteBoards {
    const NAME: &'static str = "boards:write";
}

#[jwt_auth(keys_at_runtime, user_key = |user: &User| &user.id)]
async fn authenticate(claims: Claims) -> Option<User> {
    Some(User {
        id: claims.sub,
        scopes: claims.scope,
    })
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Right {
    Read,
    Write,
}

/// The rights of users for each board.
#[derive(Clone, Default)]
struct Boards(Arc<Mutex<HashMap<u64, HashMap<String, Right>>>>);

impl Boards {
    fn check(&self, user: &User, board: u64, needed: Right) -> Result<(), AuthError> {
        let boards = self.0.lock().unwrap();
        let rights = boards.get(&board).ok_or(ErrorCode::Forbidden)?;
        let is_allowed = rights.get(&user.id).is_some_and(|right| *right >= needed);
        if is_allowed {
            Ok(())
        } else {
            Err(ErrorCode::Forbidden.into())
        }
    }
}

async fn add_card(
    socket: SocketRef,
    user: AuthUser<User, HasScope<WriteBoards>>,
    Data((board, text)): Data<(u64, String)>,
    boards: State<Boards>,
    reply: Reply,
) {
    let allowed = boards.check(&user, board, Right::Write);

    if allowed.is_ok() {
        socket
            .within(format!("board {board}"))
            .emit("card", &text)
            .await
            .ok();
    }
    reply.send(allowed);
}

async fn watch(
    socket: SocketRef,
    user: AuthUser<User>,
    Data(board): Data<u64>,
    boards: State<Boards>,
    reply: Reply,
) {
    let allowed = boards.check(&user, board, Right::Read);
    if allowed.is_ok() {
        socket.join(format!("board {board}"));
    }
    reply.send(allowed);
}

async fn on_connect(socket: SocketRef) {
    socket.on("add card", add_card);
    socket.on("watch", watch);
}

async fn ask(client: &mut TestClient, event: &str, arguments: Value) -> Value {
    client.emit_with_ack(event, arguments).await.unwrap()
}

#[tokio::test]
async fn a_right_depends_on_what_the_event_is_about() {
    let issuer = TestIssuer::new();
    let boards = Boards::default();
    boards.0.lock().unwrap().insert(
        1,
        HashMap::from([
            ("ada".to_owned(), Right::Write),
            ("grace".to_owned(), Right::Read),
        ]),
    );
    boards.0.lock().unwrap().insert(2, HashMap::new());
    let server = Server::with(SocketIo::builder().with_state(boards.clone())).await;
    let middleware = authenticate::builder()
        .test_issuer(&issuer)
        .build()
        .unwrap();
    server.io.ns("/", on_connect.with(middleware));

    let connect = async |subject: &str, scopes: Value| {
        let token = issuer.token(subject).claim("scp", scopes).sign();
        TestClient::connect(server.address())
            .token(token)
            .await
            .unwrap()
    };
    let mut ada = connect("ada", json!(["boards:read", "boards:write"])).await;
    let mut grace = connect("grace", json!("boards:write")).await;
    let mut app = connect("ada", json!("boards:read boards:writer")).await;
    let (accepted, forbidden) = (json!([null]), json!([{ "error": refusal("forbidden") }]));

    assert_eq!(ask(&mut grace, "watch", json!([1])).await, accepted);
    assert_eq!(
        ask(&mut ada, "add card", json!([1, "first"])).await,
        accepted
    );
    assert_eq!(grace.next_event("card").await.unwrap(), json!(["first"]));

    // A reader may not write. Without a membership the answer is that for a board that does not exist.
    assert_eq!(
        ask(&mut grace, "add card", json!([1, "x"])).await,
        forbidden
    );
    for board in [2, 3] {
        assert_eq!(
            ask(&mut ada, "add card", json!([board, "x"])).await,
            forbidden
        );
        assert_eq!(ask(&mut ada, "watch", json!([board])).await, forbidden);
    }
    // The app has not the scope of its user's right.
    assert_eq!(ask(&mut app, "add card", json!([1, "x"])).await, forbidden);
    assert_eq!(ask(&mut app, "watch", json!([1])).await, accepted);

    // The right and the room are taken away.
    boards
        .0
        .lock()
        .unwrap()
        .get_mut(&1)
        .unwrap()
        .remove("grace");
    server
        .io
        .to(user_room("grace"))
        .leave("board 1")
        .await
        .unwrap();
    assert_eq!(ask(&mut grace, "watch", json!([1])).await, forbidden);
    assert_eq!(
        ask(&mut ada, "add card", json!([1, "second"])).await,
        accepted
    );
    assert_eq!(app.next_event("card").await.unwrap(), json!(["second"]));
    server
        .io
        .to(user_room("grace"))
        .emit("card", "last")
        .await
        .unwrap();
    assert_eq!(grace.next_event("card").await.unwrap(), json!(["last"]));
}

#[tokio::test]
async fn scopes_of_another_type_are_refused_and_the_log_says_where() {
    let issuer = TestIssuer::new();
    let server = Server::start().await;
    let middleware = authenticate::builder()
        .test_issuer(&issuer)
        .build()
        .unwrap();
    server.io.ns("/", (async || {}).with(middleware));

    let log = Log::capture();
    let token = issuer.token("ada").claim("scope", [1]).sign();
    let refusal = TestClient::connect(server.address())
        .token(token)
        .await
        .unwrap_err();
    assert_eq!(refusal.code(), "token_claims_invalid");
    let lines = log.lines_with("token_claims_invalid");
    assert!(
        lines[0].contains("scope[0]") && lines[0].contains("a string"),
        "{lines:?}"
    );
}
