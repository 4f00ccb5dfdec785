//! Policies and their combinations, over a connection.

use serde::Deserialize;
use serde_json::json;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, State},
    handler::ConnectHandler,
};
use socketioxide_jwt_auth::{All, AnyOf, AuthClaims, AuthUser, Not, Policy, jwt_auth};
use socketioxide_jwt_auth_tests::{
    Admin, Raw, Received, Recorder, SECRET, Server, User, authenticate, emit_with_ack, mint,
    recorder, refused_ack, renew, seconds_from_now, token, unauthorized, unauthorized_event,
};

/// Allows every user but Grace.
struct NotGrace;

impl Policy<User> for NotGrace {
    fn allows(user: &User) -> bool {
        user.name != "Grace"
    }
}

struct DenyAll;

impl<T> Policy<T> for DenyAll {
    fn allows(_: &T) -> bool {
        false
    }
}

fn on<P: Policy<User> + Send + Sync + 'static>(socket: &SocketRef, event: &'static str) {
    socket.on(event, async |ack: AckSender, user: AuthUser<User, P>| {
        ack.send(user.name).unwrap_or_default()
    });
}

/// Registers an event for each policy.
async fn on_connect(socket: SocketRef) {
    on::<()>(&socket, "no policy");
    on::<Admin>(&socket, "admin");
    on::<All<(Admin, NotGrace)>>(&socket, "all");
    on::<All<(Admin, DenyAll)>>(&socket, "all with deny all");
    on::<AnyOf<(DenyAll, Admin)>>(&socket, "any of");
    on::<Not<Admin>>(&socket, "not");
    on::<All<(AnyOf<(Admin, Not<NotGrace>)>, Not<DenyAll>, ())>>(&socket, "nested");
    on::<All<((), (), (), (), (), (), (), Not<Admin>)>>(&socket, "eight");
    socket.emit("ready", &()).unwrap();
}

async fn server() -> Server {
    let server = Server::start().await;
    server.io.ns(
        "/",
        on_connect.with(authenticate::builder().guest(true).build().unwrap()),
    );
    server
}

async fn ready(server: &Server, subject: Option<&str>) -> Raw {
    let token = subject.map(token);
    socketioxide_jwt_auth_tests::ready(server, "/", token.as_deref()).await
}

#[tokio::test]
async fn combinations_allow_exactly_the_matching_users() {
    let server = server().await;
    let mut ada = ready(&server, Some("ada")).await;
    let mut grace = ready(&server, Some("grace")).await;

    let expected = [
        ("no policy", true, true),
        ("admin", true, false),
        ("all", true, false),
        ("all with deny all", false, false),
        ("any of", true, false),
        ("not", false, true),
        ("nested", true, true),
        ("eight", false, true),
    ];
    for (event, for_ada, for_grace) in expected {
        for (raw, name, allowed) in [(&mut ada, "Ada", for_ada), (&mut grace, "Grace", for_grace)] {
            let expected = if allowed {
                Received::ack(json!(name))
            } else {
                refused_ack("forbidden")
            };
            assert_eq!(
                emit_with_ack(raw, event, &json!(null)).await,
                expected,
                "{event} for {name}"
            );
        }
    }
}

#[tokio::test]
async fn every_policy_refuses_a_guest_with_login_required() {
    let server = server().await;
    let mut guest = ready(&server, None).await;
    for event in ["no policy", "admin", "all", "any of", "not", "nested"] {
        assert_eq!(
            emit_with_ack(&mut guest, event, &json!(null)).await,
            refused_ack("login_required"),
            "{event}"
        );
    }
}

#[tokio::test]
async fn forbidden_is_an_event_without_an_acknowledgement() {
    let server = server().await;
    let mut grace = ready(&server, Some("grace")).await;
    grace.emit("/", &json!(["all", 1])).await;
    grace
        .expect("/", unauthorized_event("forbidden", "all"))
        .await;
    assert_eq!(
        emit_with_ack(&mut grace, "no policy", &json!(null)).await,
        Received::ack(json!("Grace"))
    );
}

#[tokio::test]
async fn a_connect_handler_can_have_a_combination() {
    async fn staff_only(socket: SocketRef, _: AuthUser<User, All<(Admin, NotGrace)>>) {
        socket.emit("ready", &()).unwrap();
    }
    let server = Server::start().await;
    server
        .io
        .ns("/", staff_only.with(authenticate::middleware().unwrap()));
    ready(&server, Some("ada")).await;
    let mut raw = server.raw().await;
    raw.connect_with_token("/", &token("grace")).await;
    raw.expect("/", Received::Connected).await;
    raw.expect("/", unauthorized("forbidden")).await;
    raw.expect("/", Received::Disconnected).await;
}

/// Claims that say whether the user is an administrator.
#[derive(Deserialize)]
struct Role {
    admin: bool,
}

#[jwt_auth(secret = SECRET, authenticate_event = "authenticate")]
async fn by_role(claims: Role) -> Option<User> {
    Some(User {
        name: "Ada",
        admin: claims.admin,
    })
}

#[tokio::test]
async fn a_renewed_token_brings_its_own_user_and_claims() {
    async fn on_connect(socket: SocketRef) {
        on::<Admin>(&socket, "admin");
        socket.on(
            "claims",
            async |ack: AckSender, AuthClaims(role): AuthClaims<Role>| {
                ack.send(&role.admin).unwrap_or_default();
            },
        );
        socket.emit("ready", &()).unwrap();
    }

    let server = Server::start().await;
    server
        .io
        .ns("/", on_connect.with(by_role::middleware().unwrap()));
    let token = |admin| {
        mint(
            &json!({ "sub": "ada", "admin": admin, "exp": seconds_from_now(60) }),
            SECRET,
        )
    };

    let mut raw = socketioxide_jwt_auth_tests::ready(&server, "/", Some(&token(false))).await;
    for admin in [false, true, false] {
        assert!(matches!(
            renew(&mut raw, &token(admin)).await,
            Received::Ack(_)
        ));
        let expected = if admin {
            Received::ack(json!("Ada"))
        } else {
            refused_ack("forbidden")
        };
        assert_eq!(
            emit_with_ack(&mut raw, "admin", &json!(null)).await,
            expected
        );
        assert_eq!(
            emit_with_ack(&mut raw, "claims", &json!(null)).await,
            Received::ack(json!(admin))
        );
    }
}

#[tokio::test]
async fn a_disconnect_handler_is_called_only_if_its_policy_allows_and_every_socket_is_removed() {
    async fn on_connect(socket: SocketRef) {
        socket.on_disconnect(
            async |user: AuthUser<User, Admin>, State(recorder): State<Recorder>| {
                recorder.record(user.name)
            },
        );
        socket.emit("ready", &()).unwrap();
    }

    let (recorder, mut records) = recorder();
    let server = Server::with(SocketIo::builder().with_state(recorder)).await;
    server
        .io
        .ns("/", on_connect.with(authenticate::middleware().unwrap()));

    for subject in ["grace", "ada"] {
        let mut raw = ready(&server, Some(subject)).await;
        raw.leave("/").await;
    }

    assert_eq!(records.next().await, "Ada");

    while server.sockets_in("/") > 0 {
        tokio::task::yield_now().await;
    }

    assert_eq!(records.unread(), [""; 0]);
}
